"""Make the shipped emoji of the npm package and Unicode's table of groups; see `build.py`."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from engine.data.emoji import ABOUT, COLUMNS, PLANES, SIDE_PX

PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
ARCHIVE = "lobehub-fluent-emoji-3d-1.1.0.tgz"
GROUPS = "emoji-test.txt"
QUALITY = 90  # of WebP: 2 MB, and 3.2 of 255 off (root mean square) with the ground left out
TESTED = 1 / 8  # of each class
ALIKE = 0.06  # root mean square difference below which two pictures stay on one side
_EPOCH = (1980, 1, 1, 0, 0, 0)

SKIN_TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
SIGNS = {"200d", "fe0f", "2640", "2642"}  # joiner, presentation, female, male
# People who differ in gender only are one identity, and so are all families and couples.
SAME = {
    "1f468": "adult",
    "1f469": "adult",
    "1f9d1": "adult",
    "1f466": "child",
    "1f467": "child",
    "1f9d2": "child",
    "1f474": "elder",
    "1f475": "elder",
    "1f9d3": "elder",
    "1f934": "royal",
    "1f478": "royal",
    "1fac5": "royal",
    "1f483": "dancer",
    "1f57a": "dancer",
    "1f385": "christmas",
    "1f936": "christmas",
    "1f46b": "couple",
    "1f46c": "couple",
    "1f46d": "couple",
    "1f48f": "couple",
    "1f491": "couple",
    "1f46a": "family",
    "1f930": "pregnant",
    "1fac3": "pregnant",
    "1fac4": "pregnant",
}
CLOCKS = range(0x1F550, 0x1F568)


def make(folder: Path) -> bytes:
    """Return the file's bytes; the same inputs give the same (for one version of libwebp)."""
    groups = read_groups(folder / GROUPS)
    pictures, labels = {}, {}
    for code, content in _package(folder / ARCHIVE):
        group = groups.get(code)
        if group in ABOUT.class_names and not SKIN_TONES & set(code.split("-")):
            pictures[code] = compose(content)
            labels[code] = ABOUT.class_names.index(group)
    train, test = split(pictures, labels)
    return pack(train, test, pictures, labels)


def read_groups(path: Path) -> dict[str, str]:
    """Return the group of each fully qualified emoji, by its code points as in file names."""
    found, group = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group:"):
            group = line.partition(":")[2].strip()
        elif "; fully-qualified" in line:
            found["-".join(line.partition(";")[0].lower().split())] = group
    return found


def compose(content: bytes) -> np.ndarray:
    """Return an emoji, 64 x 64 x 3, on white; the shorter side is filled up on both ends."""
    image = Image.open(io.BytesIO(content)).convert("RGBA")
    side = max(image.size)
    square = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    ground = Image.new("RGBA", square.size, (255, 255, 255, 255))
    flat = Image.alpha_composite(ground, square).convert("RGB")
    return np.asarray(flat.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS))


def identity(code: str) -> str:
    """Return what an emoji shows, apart from gender, number of people and time of day."""
    points = [p for p in code.split("-") if p not in SIGNS] or code.split("-")
    if len(points) == 1 and int(points[0], 16) in CLOCKS:
        return "clock"
    shown = [SAME.get(p, p) for p in points]
    if "family" in shown or shown.count("adult") + shown.count("child") > 1:
        return "couple" if {"2764", "1f91d"} & set(shown) else "family"
    return "couple" if shown[0] == "couple" else "-".join(shown)


def split(pictures: dict[str, np.ndarray], labels: dict[str, int]) -> tuple[list[str], list[str]]:
    """Return the codes for training and for testing, mixed.

    All of an identity, and pictures that look alike, go to one side. Which identities are
    tested follows from a hash of their names: about an eighth of each class.
    """
    codes = sorted(pictures)
    members: dict[str, list[str]] = defaultdict(list)
    for code, group in zip(codes, _groups(codes, pictures), strict=True):
        members[group].append(code)
    wanted = np.bincount([labels[c] for c in codes]) * TESTED
    test: list[str] = []
    taken = np.zeros(len(wanted))
    for group in sorted(members, key=_digest):
        counts = np.bincount([labels[c] for c in members[group]], minlength=len(wanted))
        if (taken + counts <= wanted + 0.5).all():
            test += members[group]
            taken += counts
    train = sorted(set(codes) - set(test))
    return sorted(train, key=_digest), sorted(test, key=_digest)


def _groups(codes: list[str], pictures: dict[str, np.ndarray]) -> list[str]:
    """Return the group of each code: the first code of all that share identities or looks."""
    parent = {code: code for code in codes}

    def root(code: str) -> str:
        while parent[code] != code:
            code = parent[code]
        return code

    first: dict[str, str] = {}
    for code in codes:
        parent[root(code)] = root(first.setdefault(identity(code), code))
    x = np.stack([pictures[code] for code in codes]).reshape(len(codes), -1) / np.float32(255)
    squares = (x * x).sum(1)
    apart = (squares[:, None] + squares - 2 * x @ x.T) / x.shape[1]
    for i, j in np.argwhere(np.triu(apart < ALIKE**2, 1)):
        parent[root(codes[i])] = root(codes[j])
    return [root(code) for code in codes]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _package(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as package:
        for member in package.getmembers():
            if member.isfile() and member.name.endswith(".webp"):
                content = package.extractfile(member)
                assert content is not None
                yield Path(member.name).stem, content.read()


def pack(
    train: list[str],
    test: list[str],
    pictures: dict[str, np.ndarray],
    labels: dict[str, int],
    member: str = "emoji.json",
) -> bytes:
    """Return a zip of one sheet, a gray WebP a plane, and of `member`, which names its tiles."""
    codes = [*train, *test]
    rows = -(-len(codes) // COLUMNS)
    sheet = np.full((rows * SIDE_PX, COLUMNS * SIDE_PX, 3), 255, dtype=np.uint8)
    for i, code in enumerate(codes):
        top, left = i // COLUMNS * SIDE_PX, i % COLUMNS * SIDE_PX
        sheet[top : top + SIDE_PX, left : left + SIDE_PX] = pictures[code]
    head = {
        "format": 1,
        "count": len(codes),
        "starts": [0, len(train)],
        "splits": {
            name: {"labels": [labels[c] for c in part], "codes": part}
            for name, part in (("train", train), ("test", test))
        },
    }
    members = {member: json.dumps(head).encode()}
    for name, plane in zip(PLANES, Image.fromarray(sheet).convert("YCbCr").split(), strict=True):
        out = io.BytesIO()
        plane.save(out, format="WEBP", quality=QUALITY, method=6)
        members[f"{name}.webp"] = out.getvalue()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            archive.writestr(info, data)
    return content.getvalue()
