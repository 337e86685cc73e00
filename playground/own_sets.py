"""Pictures and points as the page brings them: read in bounds, kept as data sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import Rejected
from playground.downloads import clean_name
from playground.strings import t

Added = dict[str, Any]
Bring = Callable[[str, Added], Added]  # remembers whose a data set is
PICTURE_SIZES = ("28", "32", "64")


class OwnSets:
    """Keep what people bring, under the server's root; `bring` remembers whose it is."""

    def __init__(self, root: Path, bring: Bring, turn: asyncio.Semaphore) -> None:
        self.root, self._bring, self._turn = root, bring, turn

    async def add_pictures(
        self, owner: str, files: Iterable[tuple[str, BinaryIO]], options: dict[str, str]
    ) -> Added:
        """Make a data set of uploaded pictures, when it is its turn."""
        chosen = _picture_options(options)

        def work() -> Added:
            given = [(name, file.read()) for name, file in files]
            if not any(name or content for name, content in given):
                raise Rejected(t("shell.no_pictures"), field="files")
            return self._keep_pictures(owner, given, chosen)

        async with self._turn:  # nobody's files are in memory before
            return await asyncio.to_thread(work)

    async def add_points(self, owner: str, points: Any, name: Any) -> Added:
        """Make a data set of drawn points, pairs of numbers."""
        if not isinstance(points, list):
            raise Rejected(t("shell.points_shape"), field="points")
        if not isinstance(name, str):
            raise Rejected(t("shell.points_name"), field="name")
        return await asyncio.to_thread(self._keep_points, owner, points, name)

    async def add_points_file(self, owner: str, file: tuple[str, bytes], name: str) -> Added:
        """Make a data set of a file of points: two numbers a line, or JSON pairs."""
        from engine.data import own_points

        points = await asyncio.to_thread(own_points.parse_file, *file)
        shown = name or Path(clean_name(file[0])).stem
        return await asyncio.to_thread(self._keep_points, owner, points, shown)

    def _keep_points(self, owner: str, points: Any, name: str) -> Added:
        from engine.data import own_points

        made = own_points.build(points, clean_name(name) or t("panel.points_name_default"))
        key = own_points.save(made, self.root)
        about = {"title": made.title, "notes": list(made.notes)}
        return self._bring(owner, {**own_points.describe_saved(key, self.root), **about})

    def _keep_pictures(
        self, owner: str, files: list[tuple[str, bytes]], chosen: dict[str, Any]
    ) -> Added:
        from engine.data import pictures

        made = pictures.build(files, **chosen)
        key = pictures.save(made, self.root)
        about = {"title": made.title, "notes": list(made.notes)}
        return self._bring(owner, {**pictures.describe_saved(key, self.root), **about})


def _picture_options(options: dict[str, str]) -> dict[str, Any]:
    size, colour = options.get("size", "28"), options.get("colour", "gray")
    if size not in PICTURE_SIZES:
        raise Rejected(t("shell.picture_size", value=size[:40]), field="size")
    if colour not in ("gray", "rgb"):
        raise Rejected(t("shell.picture_colour", value=colour[:40]), field="colour")
    name = clean_name(options.get("name", "")) or t("panel.pictures_name_default")
    return {"size": int(size), "colour": colour == "rgb", "name": name}
