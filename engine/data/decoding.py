"""Decode the pictures of an upload within bounds, and keep count of what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from engine.data.reading import read_picture
from engine.data.uploads import PictureFile
from engine.errors import DataError

MAX_TOTAL_PIXELS = 1_000_000_000  # this and the next bound the time that decoding takes
MAX_UNREADABLE = 100
_SAID = 3  # sentences that are said in full

Prepare = Callable[[Image.Image], np.ndarray]


@dataclass
class LeftOut:
    """What of an upload is not used: files that cannot be read, and second copies."""

    unreadable: list[str] = field(default_factory=list)  # a sentence each
    copies: int = 0
    outside: int = 0  # pictures in folders that mean nothing

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the person."""
        notes = []
        if self.unreadable:
            count = len(self.unreadable)
            more = f" And {count - _SAID} more." if count > _SAID else ""
            notes.append(f"{count} left out: {' '.join(self.unreadable[:_SAID])}{more}")
        if self.outside:
            notes.append(f"{self.outside} left out: their folders belong to neither domain.")
        if self.copies:
            notes.append(f"{self.copies} left out as second copies of the same picture.")
        return tuple(notes)


def prepared(
    files: Iterable[PictureFile], prepare: Prepare, left_out: LeftOut
) -> Iterator[tuple[PictureFile, np.ndarray]]:
    """Yield each file with what `prepare` makes of its picture; note what cannot be read.

    Raises `DataError` for more pixels than are decoded in reasonable time, and when there is
    hardly a picture among the files.
    """
    pixels_left = MAX_TOTAL_PIXELS
    for file in files:
        try:
            picture = read_picture(file.data, file.name)
        except DataError as error:
            left_out.unreadable.append(error.sentence)
            if len(left_out.unreadable) > MAX_UNREADABLE:
                raise DataError(
                    f"More than {MAX_UNREADABLE} files cannot be read as pictures. "
                    + " ".join(left_out.unreadable[:_SAID])
                ) from error
            continue
        pixels_left -= picture.info["decoded_pixels"]
        if pixels_left < 0:
            raise DataError(
                f"The pictures have more than {MAX_TOTAL_PIXELS // 1_000_000:,} megapixels "
                "together; make them smaller first."
            )
        yield file, prepare(picture)
