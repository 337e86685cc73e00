"""A data set of two domains of a person's own: made from uploads, saved, and loaded again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.data.base import DOMAIN_CHANNELS, About, Dataset, Split, fingerprint
from engine.data.decoding import LeftOut, prepared
from engine.data.digits import prepare_picture
from engine.data.domain_layout import lay_out
from engine.data.domain_rows import Domain, Found, counted, join, split, split_pairs
from engine.data.reading import clean_name
from engine.data.saved import checked, read_about, read_arrays, saved_path, write_arrays
from engine.data.uploads import PictureFile, picture_files
from engine.errors import DataError

PREFIX = "domains:"
SIZES = (64, 128, 256)
FITS = ("crop", "letterbox")
LETTERS = ("A", "B")
MIN_PICTURES = 20  # of each domain
MAX_BYTES = 800_000_000  # of what is in memory
NAME_LENGTH = 30
CLASS_NAMES = ("all",)
SOURCE, LICENCE = "pictures of two domains uploaded by a person", "theirs"
HELP = "Two domains that you brought."
_GONE = "These two domains are no longer on this server; upload them again."
_DAMAGED = "The saved domains are damaged; upload them again."

Files = list[tuple[str, bytes]]


def build(a: Files, b: Files, both: Files, **options: Any) -> Dataset:
    """Make a data set of uploaded files and zips: of A and of B, or of both with folders that say.

    `options` are those of `assemble`. Raises `DataError` also for what `picture_files` refuses.
    """
    if both:
        if a or b:
            raise DataError("Send two sets, or files that hold both domains; not all.", "both")
        return assemble(picture_files(both), **options)
    for files, letter in ((a, "A"), (b, "B")):
        if not files:
            raise DataError(f"There are no pictures of domain {letter} yet.", field=letter.lower())
    sides = zip((a, b), LETTERS, strict=True)
    placed = (_in_folder(letter, file) for files, letter in sides for file in picture_files(files))
    return assemble(placed, **options)


def assemble(
    files: Iterable[PictureFile],
    *,
    size: int,
    fit: str = "crop",
    paired: bool = False,
    name: str = "",
    names: tuple[str, str] = ("", ""),
    source: tuple[str, str] = (SOURCE, LICENCE),
) -> Dataset:
    """Make a data set of pictures whose folders say to which domain they belong.

    Pictures become squares: their middle ("crop"), or all of them on white ("letterbox"). One in
    ten of a domain is for testing, chosen by content, unless folders say which. Row i has the i-th
    picture of A and of B in the order of their contents, so by chance, the smaller domain repeated;
    with `paired`, two pictures of one name. `names` are of the domains, `source` is where from and
    under which licence.

    Raises `DataError` for fewer than 20 different pictures of a domain, for pairs that are none,
    and for more than fits into memory.
    """
    if size not in SIZES:
        raise DataError(f"Pictures can be made {_listed(SIZES)} px a side; got {size!r}.", "size")
    if fit not in FITS:
        raise DataError(f"Pictures are made square by {_listed(FITS)}; got {fit!r}.", "fit")
    left_out = LeftOut()
    read = list(_read(files, size, fit, left_out))
    if not read:
        raise DataError(" ".join(["No picture could be read.", *left_out.notes]))
    layout = lay_out([file.folders for file, _ in read])
    domains = tuple(Domain(shown) for shown in _names(names, layout.names))
    for place, (file, picture) in zip(layout.places, read, strict=True):
        if place:
            domains[place.domain].found.append(Found(file.name, picture, place.split))
    del read
    left_out.outside = sum(place is None for place in layout.places)
    if not paired:
        left_out.copies = sum(len(d.found) - len(d.distinct()) for d in domains)
    _check_counts(domains, left_out.notes)
    a, b = split_pairs(*domains) if paired else [split(domain) for domain in domains]
    _check_memory(sum(max(len(x), len(y)) for x, y in zip(a, b, strict=True)), size)
    return _dataset(
        clean_name(name) or f"{domains[0].name} and {domains[1].name}",
        (domains[0].name, domains[1].name),
        paired,
        (join(a[0], b[0]), join(a[1], b[1])),
        (*counted(domains, a, b, paired), *left_out.notes),
        source,
    )


def save(dataset: Dataset, root: Path) -> str:
    """Write a data set of two domains under `root` and return its key, `domains:` and 16 digits.

    Raises `NoSpace` when the disk is full or cannot be written.
    """
    about = {
        "title": dataset.title,
        "domains": dataset.domains,
        "paired": dataset.paired,
        "shape": dataset.shape,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "source": [dataset.source, dataset.licence],
        "notes": dataset.notes,
        "fingerprint": dataset.fingerprint,
    }
    arrays = {"train": dataset.train.images, "test": dataset.test.images}
    write_arrays(_path(dataset.key, root), arrays, about, "pictures")
    return dataset.key


def load_saved(key: str, root: Path) -> Dataset:
    """Read a data set of two domains; raises `DataError` when it is gone or damaged."""
    path = _path(key, root)
    about = _header(path)
    splits = read_arrays(path, lambda get: (_split(get("train")), _split(get("test"))), _DAMAGED)
    first, second = about["domains"]
    source, licence = about["source"]
    dataset = _dataset(
        about["title"],
        (first, second),
        about["paired"],
        splits,
        tuple(about["notes"]),
        (source, licence),
    )
    return checked(dataset, key, about, _DAMAGED)


def describe_saved(key: str, root: Path) -> dict[str, Any]:
    """Return the catalogue's entry of two saved domains from the file's header alone."""
    about = _header(_path(key, root))
    return About(
        key=key,
        title=about["title"],
        help=" ".join([HELP, *about["notes"][:1]]),
        class_names=CLASS_NAMES,
        shape=tuple(about["shape"]),
        train=about["train"],
        test=about["test"],
        recommended=recommended(about["shape"][-1]),
        kind="pairs",
        models=_models(about["paired"]),
        domains=tuple(about["domains"]),
        paired=about["paired"],
    ).describe()


def recommended(size: int) -> dict[str, Any]:
    """Return what the paper takes for photographs, as far as it suits pictures of this size."""
    advised: dict[str, Any] = {"augmentation": "mirror"}
    if size >= 128:
        advised["discriminator_layers"] = 3  # patches of 70 px
    if size >= 256:
        advised["generator"] = "resnet9"
    return advised


# ---------------------------------------------------------------------- making


def _in_folder(name: str, file: PictureFile) -> PictureFile:
    return replace(file, folders=(name, *file.folders))


def _read(
    files: Iterable[PictureFile], size: int, fit: str, left_out: LeftOut
) -> Iterator[tuple[PictureFile, np.ndarray]]:
    """Yield each file that is a picture, without its bytes, with what was made of it."""
    prepare = partial(letterboxed if fit == "letterbox" else _cropped, size)
    for count, (file, picture) in enumerate(prepared(files, prepare, left_out)):
        _check_memory(count // 2, size)
        yield replace(file, data=b""), picture


def _cropped(size: int, picture: Image.Image) -> np.ndarray:
    return prepare_picture(picture, (DOMAIN_CHANNELS, size, size))


def letterboxed(size: int, picture: Image.Image) -> np.ndarray:
    """Return the whole picture in the middle of a white square, uint8 3 x size x size."""
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    paper = Image.new("RGB", (size, size), "white")
    fitted = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    paper.paste(fitted, ((size - width) // 2, (size - height) // 2))
    return np.ascontiguousarray(np.asarray(paper, dtype=np.uint8).transpose(2, 0, 1))


def _names(given: tuple[str, str], called: tuple[str, str]) -> tuple[str, ...]:
    """Return two different names: the person's, the folders', or A and B."""
    names = [
        clean_name(one, NAME_LENGTH) or clean_name(other, NAME_LENGTH) or letter
        for one, other, letter in zip(given, called, LETTERS, strict=True)
    ]
    if names[0].lower() == names[1].lower():
        return tuple(f"{name} {letter}" for name, letter in zip(names, LETTERS, strict=True))
    return tuple(names)


def _check_counts(domains: tuple[Domain, ...], notes: tuple[str, ...]) -> None:
    for domain in domains:
        count = len(domain.distinct())
        if count < MIN_PICTURES:
            sentence = (
                f"{count} different pictures of {domain.name} could be read; at least "
                f"{MIN_PICTURES} of each domain are needed."
            )
            raise DataError(" ".join([sentence, *notes]))


def _check_memory(rows: int, size: int) -> None:
    most = MAX_BYTES // (2 * DOMAIN_CHANNELS * size * size)
    if rows > most:
        raise DataError(
            f"At {size} × {size} px at most {most:,} pictures of a domain fit; take a smaller size "
            "or fewer pictures.",
            field="size",
        )


def _dataset(
    title: str,
    domains: tuple[str, str],
    paired: bool,
    splits: tuple[Split, Split],
    notes: tuple[str, ...],
    source: tuple[str, str],
) -> Dataset:
    train, test = splits
    content = fingerprint(train, test, (*domains, "paired" if paired else "unpaired"))
    return Dataset(
        key=PREFIX + content,
        title=title,
        train=train,
        test=test,
        class_names=CLASS_NAMES,
        source=source[0],
        licence=source[1],
        fingerprint=content,
        recommended=recommended(train.images.shape[-1]),
        notes=notes,
        kind="pairs",
        models=_models(paired),
        domains=domains,
        paired=paired,
    )


def _models(paired: bool) -> tuple[str, ...]:
    """Return which models train on it, () for all: pix2pix needs pairs."""
    return () if paired else ("cyclegan",)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values)


# ---------------------------------------------------------------------- files


def _split(images: np.ndarray) -> Split:
    return Split(images, np.zeros(len(images), dtype=np.int64))


def _path(key: str, root: Path) -> Path:
    """Return where two domains lie."""
    return saved_path(key, root, PREFIX, "saved domains", "domains-")


def _header(path: Path) -> dict[str, Any]:
    wanted = {"title", "domains", "paired", "shape", "train", "test", "source", "notes"}
    return read_about(path, {*wanted, "fingerprint"}, _GONE, _DAMAGED)
