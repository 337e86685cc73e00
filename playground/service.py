"""What the routes and the public API can do: one engine call each, nothing of HTTP, no torch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from engine import checkpoint, data, gpt2_upload, registry
from engine.errors import NotFound, PlaygroundError, Rejected
from engine.eventlog import Entry
from engine.rng import MAX_SEED
from engine.runs import RunStore, describe_checkpoint
from engine.spec import MAX_STEPS
from playground import downloads, film
from playground.domains import Domains
from playground.strings import t
from playground.texts import Texts

T = TypeVar("T")
START_FIELDS = (
    "model",
    "dataset",
    "config",
    "seed",
    "max_steps",
    "max_seconds",
    "resume",
    "title",
)
IGNORED_FIELDS = ("preset",)  # the page sends it; it is only a name for a config
EXPLORE_TIMEOUT_S = 60.0
PICTURE_SIZES = ("28", "32", "64")


@dataclass(frozen=True)
class Limits:
    """Bounds that the page states before the server has to refuse."""

    max_steps: int = MAX_STEPS
    max_seed: int = MAX_SEED
    picture_upload_mb: int = 64
    domains_upload_mb: int = 128
    checkpoint_upload_mb: int = 128
    points_upload_mb: int = 2
    text_upload_mb: int = 20


class Service:
    """The engine as the page sees it."""

    def __init__(self, store: RunStore, device: str = "cpu") -> None:
        self.store, self.device = store, device
        self.room: Any = None  # a `playground.room.Room` in workshop mode
        self._uploads: dict[str, list[dict[str, Any]]] = {}  # owner -> checkpoints
        self._brought: dict[str, list[str]] = {}  # owner -> data sets
        self._headers: dict[Path, tuple[int, dict[str, Any]]] = {}
        self._uploading = asyncio.Semaphore(1)  # decoding pictures takes memory: one at a time
        self.domains = Domains(store.root, device, self._bring)
        self.texts = Texts(store.root, self._bring, self._uploading)

    # ---- what there is to choose ------------------------------------------------------------

    async def catalogue(self, viewer: str | None = None) -> dict[str, Any]:
        """Return models, data sets, checkpoints, published figures and limits."""
        return await _in_thread(self.describe, viewer)

    def describe(self, viewer: str | None = None) -> dict[str, Any]:
        """Return the catalogue; reads a file header for every checkpoint that is new."""
        mine = self._uploads.get(viewer or "", [])
        return {
            "models": [describe_model(entry) for entry in registry.MODELS.values()],
            "datasets": data.describe(self.store.root, self._brought.get(viewer or "", [])),
            "checkpoints": [*self._shipped(), *mine],
            "published": [p.to_dict() for e in registry.MODELS.values() for p in e.published],
            "device": self.device,
            "limits": asdict(Limits()),
            "two_domains": self.domains.describe(),
            "version": _version(),
        }

    def _shipped(self) -> list[dict[str, Any]]:
        found = []
        for name, path in checkpoint.shipped().items():
            changed = path.stat().st_mtime_ns
            known = self._headers.get(path)
            if known is None or known[0] != changed:
                try:
                    header = checkpoint.read_header(path)
                except PlaygroundError:
                    continue  # a checkpoint that is being written, or damaged, is not offered
                known = self._headers[path] = (changed, describe_checkpoint(name, header))
            found.append(known[1])
        return found

    # ---- runs -------------------------------------------------------------------------------

    async def start(self, owner: str, body: dict[str, Any]) -> dict[str, Any]:
        """Start a run, or queue it; return its view."""
        unknown = [k for k in body if k not in START_FIELDS and k not in IGNORED_FIELDS]
        if unknown:
            raise Rejected(
                t("shell.unknown_fields", names=_listed(unknown), known=", ".join(START_FIELDS)),
                field=str(unknown[0])[:80],
            )
        if not isinstance(body.get("config", {}), dict):
            raise Rejected(t("shell.config_shape"), field="config")
        given = {name: body[name] for name in START_FIELDS if name in body}
        given.setdefault("model", None)
        given.setdefault("dataset", None)
        if self.room is not None:
            self.room.check_start(owner, given)
        run_id = await _in_thread(lambda: self.store.start(owner, **given))
        return self.view(run_id, owner)

    def view(self, run_id: str, viewer: str | None = None) -> dict[str, Any]:
        """Return what the page shows of a run; whoever has its id may look."""
        return self.store.view(run_id, viewer or "")

    def runs(self, owner: str) -> list[dict[str, Any]]:
        """Return the owner's runs, newest first."""
        return list(self.store.list(owner))

    async def delete(self, owner: str, run_id: str) -> None:
        """Stop a run and delete what it left."""
        await _in_thread(lambda: self.store.delete(owner, run_id))

    async def command(self, owner: str, run_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Command a run of the owner."""
        if self.room is not None:
            self.room.check_command(owner, run_id, body)
        await _in_thread(lambda: self.store.command(owner, run_id, body))
        return {"ok": True}

    def events(self, run_id: str, after: int) -> list[Entry]:
        """Return the events after a number."""
        return list(self.store.events(run_id, after))

    async def wait(self, run_id: str, after: int, timeout: float) -> bool:
        """Wait until there are newer events, or the time is over."""
        return await self.store.wait(run_id, after, timeout)

    async def timeline(self, run_id: str, after_step: int) -> bytes:
        """Return the kept frames as JSON bytes."""
        return await _in_thread(lambda: self.store.timeline(run_id, after_step))

    # ---- downloads ----------------------------------------------------------------------------

    async def metrics_csv(self, run_id: str) -> str:
        """Return all metrics as a table."""
        return await _in_thread(lambda: downloads.metrics_csv(self.store.metrics(run_id)))

    async def run_checkpoint(self, run_id: str, step: int | None) -> Path:
        """Return the newest checkpoint of a run at or before a step."""
        return await _in_thread(lambda: self.store.saved(run_id, step))

    async def saved_checkpoint(self, name: str) -> Path:
        """Return a shipped or uploaded checkpoint."""
        return await _in_thread(lambda: self.store.checkpoint_path(name))

    async def script(self, run_id: str) -> str:
        """Return a Python script that repeats the run."""
        changes = [e.meta for e in self.events(run_id, 0) if e.meta["kind"] == "changed"]
        return downloads.script(self.view(run_id), changes)

    async def film(self, run_id: str, view: str) -> bytes:
        """Return the kept pictures of one view as an animated WebP."""
        frames = await self.timeline(run_id, -1)
        return await _in_thread(lambda: film.film(frames, view))

    # ---- exploring ----------------------------------------------------------------------------

    async def explore(self, source: dict[str, Any], view: str, args: dict[str, Any]) -> bytes:
        """Draw a view of a checkpoint or of a run; return its JSON."""
        future = await _in_thread(lambda: self.store.explore(source, view, args))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), EXPLORE_TIMEOUT_S)
        except asyncio.TimeoutError:
            raise NotFound(t("shell.explore_slow", seconds=int(EXPLORE_TIMEOUT_S))) from None

    # ---- what people bring ----------------------------------------------------------------------

    async def add_checkpoint(self, owner: str, name: str, content: bytes) -> dict[str, Any]:
        """Keep an uploaded checkpoint, after checking it; weights of GPT-2 become one."""
        if gpt2_upload.is_gpt2(content):
            async with self._uploading:
                content = await _in_thread(gpt2_upload.converted, content, name)
        added = await _in_thread(lambda: self.store.import_checkpoint(content))
        if added["title"] == added["name"] and name:
            added["title"] = downloads.clean_name(name)
        self._uploads.setdefault(owner, []).append(added)
        return {"checkpoint": added["name"], **added}

    async def add_pictures(
        self, owner: str, files: Iterable[tuple[str, BinaryIO]], options: dict[str, str]
    ) -> dict[str, Any]:
        """Make a data set of uploaded pictures."""
        chosen = _picture_options(options)
        given = [(name, file.read()) for name, file in files]
        if not any(name or content for name, content in given):
            raise Rejected(t("shell.no_pictures"), field="files")
        async with self._uploading:
            added = await _in_thread(self._keep_pictures, given, chosen)
        return self._bring(owner, added)

    async def add_domains(
        self, owner: str, files: list[tuple[str, str, BinaryIO]], options: dict[str, str]
    ) -> dict[str, Any]:
        """Make a data set of two domains of uploaded pictures."""
        return await self.domains.add(owner, files, options, self._uploading)

    async def add_points(self, owner: str, points: Any, name: str) -> dict[str, Any]:
        """Make a data set of drawn points, pairs of numbers."""
        if not isinstance(points, list):
            raise Rejected(t("shell.points_shape"), field="points")
        if not isinstance(name, str):
            raise Rejected(t("shell.points_name"), field="name")
        return self._bring(owner, await _in_thread(self._keep_points, points, name))

    async def add_points_file(
        self, owner: str, file: tuple[str, bytes], name: str
    ) -> dict[str, Any]:
        """Make a data set of a file of points: two numbers a line, or JSON pairs."""
        from engine.data import own_points

        points = await _in_thread(own_points.parse_file, *file)
        shown = name or Path(downloads.clean_name(file[0])).stem
        return self._bring(owner, await _in_thread(self._keep_points, points, shown))

    def _bring(self, owner: str, added: dict[str, Any]) -> dict[str, Any]:
        """Remember whose the data set is; return what the page is told of it."""
        mine = self._brought.setdefault(owner, [])
        if added["key"] not in mine:
            mine.append(added["key"])
        return {"dataset": added["key"], **added}

    def _keep_points(self, points: Any, name: str) -> dict[str, Any]:
        from engine.data import own_points

        shown = downloads.clean_name(name) or t("panel.points_name_default")
        made = own_points.build(points, shown)
        key = own_points.save(made, self.store.root)
        return {**own_points.describe_saved(key, self.store.root), "notes": list(made.notes)}

    def _keep_pictures(
        self, files: list[tuple[str, bytes]], chosen: dict[str, Any]
    ) -> dict[str, Any]:
        from engine.data import pictures

        made = pictures.build(files, **chosen)
        key = pictures.save(made, self.store.root)
        return {**pictures.describe_saved(key, self.store.root), "notes": list(made.notes)}


def describe_model(entry: registry.Entry) -> dict[str, Any]:
    """Return what the page is told of a model."""
    return {
        "key": entry.key,
        "title": entry.title,
        "kind": entry.kind,
        "headline": entry.headline,
        "schema": entry.config_class.schema(),
        "presets": [preset.to_dict() for preset in entry.preset_list],
    }


def _picture_options(options: dict[str, str]) -> dict[str, Any]:
    size, colour = options.get("size", "28"), options.get("colour", "gray")
    if size not in PICTURE_SIZES:
        raise Rejected(t("shell.picture_size", value=size[:40]), field="size")
    if colour not in ("gray", "rgb"):
        raise Rejected(t("shell.picture_colour", value=colour[:40]), field="colour")
    name = downloads.clean_name(options.get("name", "")) or t("panel.pictures_name_default")
    return {"size": int(size), "colour": colour == "rgb", "name": name}


def _listed(names: list[str]) -> str:
    return ", ".join(repr(str(n)[:40]) for n in names[:5])


def _version() -> str:
    try:
        return metadata.version("generative-playground")
    except metadata.PackageNotFoundError:
        return "dev"


async def _in_thread(work: Callable[[], T] | Callable[..., T], *args: Any) -> T:
    return await asyncio.to_thread(work, *args)
