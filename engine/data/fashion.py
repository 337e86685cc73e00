"""Fashion-MNIST: a shipped, class-balanced subset, and the complete set where it is at hand."""

from __future__ import annotations

import importlib.util
import os
import socket
import tempfile
from pathlib import Path

from engine.data.base import About, Dataset, Split, fingerprint
from engine.data.idx import read_split
from engine.data.shipped import load_shipped
from engine.errors import DataError

FOLDER_VARIABLE = "PLAYGROUND_DATA_DIR"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
DOWNLOAD_TIMEOUT_S = 20
_ADVICE = (
    "install Debian's package dataset-fashion-mnist, or put the four idx files into a folder and "
    f"name it in {FOLDER_VARIABLE}."
)
CLASS_NAMES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
RECOMMENDED = {"likelihood": "bernoulli_gray"}  # its grays mean cloth, not the edge of a stroke

ABOUT = About(
    key="fashion",
    title="Fashion-MNIST (subset)",
    help="12,000 articles of clothing, 28 × 28 pixels, gray, the same number of each class.",
    class_names=CLASS_NAMES,
    shape=(1, 28, 28),
    train=10_000,
    test=2_000,
    recommended=RECOMMENDED,
)

FULL = About(
    key="fashion-full",
    title="Fashion-MNIST (complete)",
    help="70,000 articles of clothing, 28 × 28 pixels; from this machine's disk, or downloaded "
    "once (30 MB).",
    class_names=CLASS_NAMES,
    shape=(1, 28, 28),
    train=60_000,
    test=10_000,
    recommended=RECOMMENDED,
)


def load() -> Dataset:
    """Read the shipped subset."""
    return load_shipped(ABOUT)


def load_full(root: Path | None = None) -> Dataset:
    """Read the complete set from the disk, or download it with torchvision into `root`.

    Raises `DataError` when it is neither here nor can be downloaded.
    """
    folder = find_full(root) or _download(_download_folder(root))
    splits = read_folder(folder)
    if [len(splits[name]) for name in ("train", "test")] != [FULL.train, FULL.test]:
        raise DataError(f"{folder} does not hold the complete Fashion-MNIST.")
    return Dataset(
        key=FULL.key,
        title=FULL.title,
        train=splits["train"],
        test=splits["test"],
        class_names=CLASS_NAMES,
        source="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT, copyright (c) 2017 Zalando SE",
        fingerprint=fingerprint(splits["train"], splits["test"], CLASS_NAMES),
        recommended=RECOMMENDED,
    )


def find_full(root: Path | None = None) -> Path | None:
    """Return the folder of the complete set's idx files, or None.

    It may be named by PLAYGROUND_DATA_DIR, come with Debian's package dataset-fashion-mnist,
    or be torchvision's folder under the server's own or under ./data.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    bases = [Path(named)] if named else []
    bases += [_download_folder(root), Path("data")]
    inner = ("", "FashionMNIST/raw", "fashion-mnist")
    folders = [base / name for base in bases for name in inner]
    stems = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for folder in [*folders, DEBIAN_FOLDER]:
        if all(_find(folder, f"{stem}-ubyte").is_file() for stem in stems):
            return folder
    return None


def why_missing(root: Path | None = None) -> str | None:
    """Return None when the complete set is here or can be tried for, else the reason."""
    if find_full(root) or importlib.util.find_spec("torchvision"):
        return None
    return f"Not on this machine: {_ADVICE}"


def read_folder(folder: Path) -> dict[str, Split]:
    """Read the complete set's idx files, gzipped or not, from `folder`."""
    return {
        name: read_split(
            _find(folder, f"{stem}-images-idx3-ubyte"), _find(folder, f"{stem}-labels-idx1-ubyte")
        )
        for name, stem in (("train", "train"), ("test", "t10k"))
    }


def _find(folder: Path, name: str) -> Path:
    zipped = folder / f"{name}.gz"
    return zipped if zipped.exists() else folder / name


def _download_folder(root: Path | None) -> Path:
    return root / "datasets" if root else Path.home() / ".cache" / "generative-playground"


def _download(base: Path) -> Path:
    """Fetch the complete set with torchvision; it appears under `base` all at once or not."""
    target = base / "FashionMNIST"
    before = socket.getdefaulttimeout()
    try:
        from torchvision.datasets import FashionMNIST

        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as scratch:
            socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)  # torchvision itself would wait for ever
            FashionMNIST(scratch, download=True)
            os.replace(Path(scratch) / "FashionMNIST", target)
    except (ImportError, OSError, RuntimeError) as error:
        raise DataError(
            "The complete Fashion-MNIST is not on this machine and could not be downloaded "
            f"({type(error).__name__}); use the subset, or {_ADVICE}",
            field="dataset",
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return target / "raw"
