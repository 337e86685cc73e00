"""The sets that CycleGAN was published with, by name: `python -m engine.data.public_sets NAME`.

They are fetched once from the authors' site, and become a data set of two domains. Sizes and
SHA-256 are those that TensorFlow Datasets recorded.
"""

from __future__ import annotations

import argparse
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from engine.data import two_domains
from engine.data.base import Dataset
from engine.data.fetching import Stopped, fetch, sha256
from engine.data.uploads import PictureFile, archive_pictures
from engine.errors import DataError, NotFound, PlaygroundError

SITES = (
    "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets",
    "http://efrosgans.eecs.berkeley.edu/cyclegan/datasets",
    "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets",
)
LICENCE = "for research; see the authors' page, github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
MAX_PICTURES = 12_000
MAX_UNPACKED = 3_000_000_000
ROOM = 1.1  # an archive may be so much larger than it was
ADVICE = (
    "Without a network, bring its zip from another machine as your own two domains, or train on "
    "what is shipped."
)
_MB = 1_000_000
_READ_EVERY = 20  # pictures between two reports

Report = Callable[[str, int, int | None], None]  # "fetching" or "reading", how much, of how much


@dataclass(frozen=True)
class PublicSet:
    """One of the published sets; `size` is of the archive in bytes."""

    key: str
    domains: tuple[str, str]
    size: int
    sha256: str
    paired: bool = False

    def describe(self) -> dict[str, Any]:
        """Return what the page is told of it."""
        return {
            "key": self.key,
            "domains": list(self.domains),
            "megabytes": round(self.size / _MB),
            "paired": self.paired,
        }


SETS = (
    PublicSet(
        "horse2zebra",
        ("Horses", "Zebras"),
        116_867_962,
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    PublicSet(
        "apple2orange",
        ("Apples", "Oranges"),
        78_456_409,
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    PublicSet(
        "summer2winter_yosemite",
        ("Summer", "Winter"),
        132_640_856,
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    PublicSet(
        "monet2photo",
        ("Monet", "Photographs"),
        305_231_073,
        "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
    PublicSet(
        "cezanne2photo",
        ("Cézanne", "Photographs"),
        279_885_071,
        "3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff",
    ),
    PublicSet(
        "vangogh2photo",
        ("Van Gogh", "Photographs"),
        306_590_349,
        "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff",
    ),
    PublicSet(
        "ukiyoe2photo",
        ("Ukiyo-e", "Photographs"),
        292_946_532,
        "02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08",
    ),
    PublicSet(
        "iphone2dslr_flower",
        ("Telephone", "Camera"),
        339_964_458,
        "8fcb5e374d631b107e1d961b8c4cd0a186aa2a4ff3e279923f4c426128de7113",
    ),
    PublicSet(
        "facades",
        ("Façades", "Labels"),
        35_135_868,
        "9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0",
        paired=True,
    ),
    PublicSet(
        "maps",
        ("Aerial views", "Maps"),
        1_476_754_427,
        "639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e",
        paired=True,
    ),
)
KEYS = tuple(one.key for one in SETS)


def known(key: Any) -> PublicSet:
    """Return a set by its name, or raise `NotFound` with the names that are known."""
    for one in SETS:
        if one.key == key:
            return one
    raise NotFound(f"There is no public set {key!r:.60}; known are {', '.join(KEYS)}.")


def build(
    key: str,
    root: Path,
    *,
    size: int,
    fit: str = "crop",
    report: Report = lambda stage, done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Dataset:
    """Make a data set of a public set, fetched into `root` unless it is there.

    Raises what `fetch` and `two_domains.assemble` do.
    """
    wanted = known(key)
    path, note = _archive(wanted, root, report, stopped)
    made = two_domains.assemble(
        _read(path, report),
        size=size,
        fit=fit,
        paired=wanted.paired,
        name=wanted.key,
        names=wanted.domains,
        source=(f"{SITES[0]}/{key}.zip", LICENCE),
    )
    return changed(made, notes=(*made.notes, *note))


def _archive(
    wanted: PublicSet, root: Path, report: Report, stopped: Callable[[], bool]
) -> tuple[Path, tuple[str, ...]]:
    """Return the archive on this machine, and a sentence when it is not the one that is known.

    The SHA-256 is recorded beside it the first time, and must be the same ever after.
    """
    path = root / "datasets" / "public" / f"{wanted.key}.zip"
    record = path.with_name(f"{path.name}.sha256")
    if not path.is_file():
        urls = [f"{site}/{path.name}" for site in SITES]
        try:
            most = round(ROOM * wanted.size)
            fetch(
                urls,
                path,
                most=most,
                progress=lambda done, total: report("fetching", done, total or wanted.size),
                stopped=stopped,
            )
        except Stopped:
            raise
        except DataError as error:
            raise DataError(f"{error.sentence} {ADVICE}") from error
    if not zipfile.is_zipfile(path):
        path.unlink()
        raise DataError(f"What came is no zip archive and has been deleted. {ADVICE}")
    found = sha256(path)
    recorded = record.read_text().split()[:1] if record.is_file() else []
    if recorded and recorded != [found]:
        path.unlink()
        raise DataError(
            f"{path.name} is not what it was when it was first fetched, and has been deleted; "
            "ask for it again."
        )
    record.write_text(f"{found}  {path.name}\n")
    if found == wanted.sha256:
        return path, ()
    return path, (f"The archive is not the published one: its SHA-256 begins with {found[:12]}.",)


def _read(path: Path, report: Report) -> Iterator[PictureFile]:
    """Yield the pictures of the usual folders; some archives hold others too."""
    count = 0
    for file in archive_pictures(path, pictures=MAX_PICTURES, size=MAX_UNPACKED):
        if re.fullmatch("(train|test)[AB]", file.folder):
            count += 1
            if count % _READ_EVERY == 1:
                report("reading", count, None)
            yield file


def main(arguments: list[str] | None = None) -> int:
    """Fetch a set and say under which key it can be trained on; 2 with a sentence on stderr."""
    from engine.__main__ import RUNS

    parser = argparse.ArgumentParser(prog="python -m engine.data.public_sets", description=__doc__)
    parser.add_argument("name", help=", ".join(KEYS))
    parser.add_argument("--size", type=int, default=64, help="pixels a side: 64, 128 or 256")
    parser.add_argument("--fit", default="crop", help="crop or letterbox")
    parser.add_argument("--root", type=Path, default=RUNS, help="the folder that keeps it")
    args = parser.parse_args(arguments)
    try:
        made = build(args.name, args.root, size=args.size, fit=args.fit, report=_show)
        key = two_domains.save(made, args.root)
    except PlaygroundError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; what has come is kept.", file=sys.stderr)
        return 130
    print("\n".join(made.notes))
    print(key)
    return 0


def _show(stage: str, done: int, total: int | None) -> None:
    if stage == "reading":
        shown = f"{done:,} pictures read"
    else:
        shown = f"{done // _MB} of {(total or 0) // _MB} MB"
    print(f"\r{shown}   ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
