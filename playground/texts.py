"""Texts as the page brings them: looked at first, then kept as a data set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from engine.data import own_texts, text_files
from engine.data.base import Dataset
from engine.errors import Rejected
from playground.downloads import clean_name
from playground.strings import t

Added = dict[str, Any]
Bring = Callable[[str, Added], Added]  # remembers whose a data set is
PASTED = "pasted"  # the form's field for what was typed or pasted; files come as "file"


class Texts:
    """Keep the texts that people bring, under the server's root; `bring` remembers whose."""

    def __init__(self, root: Path, bring: Bring, turn: asyncio.Semaphore) -> None:
        self.root, self._bring, self._turn = root, bring, turn

    async def look(self, files: list[tuple[str, str, BinaryIO]], name: str) -> dict[str, Any]:
        """Return counts, first lines and advice of a text, (field, name, file); keep nothing."""
        return own_texts.facts(await self._read(files, name))

    async def add(
        self, owner: str, files: list[tuple[str, str, BinaryIO]], name: str
    ) -> dict[str, Any]:
        """Make a data set of a text and return what `look` does with its catalogue entry."""
        made = await self._read(files, name)
        key = await asyncio.to_thread(own_texts.save, made, self.root)
        entry = own_texts.describe_saved(key, self.root)
        return await asyncio.to_thread(
            self._bring, owner, {**own_texts.facts(made), **entry, "title": made.title}
        )

    async def _read(self, files: list[tuple[str, str, BinaryIO]], name: str) -> Dataset:
        if len(files) != 1:
            raise Rejected(t("texts.one"), field="file")
        field, given, file = files[0]
        pasted = field == PASTED
        shown = t("texts.pasted") if pasted else clean_name(given) or t("texts.file")
        text_files.check_size(file.seek(0, 2), shown)
        file.seek(0)
        title = name or ("" if pasted else Path(shown).stem)
        async with self._turn:
            return await asyncio.to_thread(_build, file.read(), shown, title)


def _build(data: bytes, shown: str, title: str) -> Dataset:
    text, notes = text_files.decode(data, shown)
    return own_texts.build(text, title, notes)
