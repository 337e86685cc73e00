"""What the routes and the public API can do: one engine call each, nothing of HTTP, no torch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from engine import checkpoint, data, gpt2_upload, registry
from engine.errors import DataError, NotFound, PlaygroundError, Rejected
from engine.eventlog import Entry
from engine.rng import MAX_SEED
from engine.runs import RunStore, describe_checkpoint
from engine.spec import MAX_STEPS
from playground import downloads, film
from playground.belongings import Belongings, Bounds, Thing, file_of
from playground.domains import Domains, public_sets_allowed
from playground.own_sets import OwnSets
from playground.rate_limits import Arrivals
from playground.repeats import Repeats
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

    def __init__(self, store: RunStore, device: str = "cpu", local: bool = True) -> None:
        self.store, self.device = store, device
        self.room: Any = None  # a `playground.room.Room` in workshop mode
        self.repeats, self.arrivals = Repeats(), Arrivals()
        self.belongings = Belongings(store.root, store.uses, Bounds.of_server(local))
        self._headers: dict[Path, tuple[int, dict[str, Any]]] = {}
        self._uploading = asyncio.Semaphore(1)  # decoding pictures takes memory: one at a time
        self.domains = Domains(store.root, device, self._bring)
        self.domains.public = public_sets_allowed(local)
        self.own_sets = OwnSets(store.root, self._bring, self._uploading)
        self.texts = Texts(store.root, self._bring, self._uploading)

    # ---- what there is to choose ------------------------------------------------------------

    async def catalogue(self, viewer: str | None = None) -> dict[str, Any]:
        """Return models, data sets, checkpoints, published figures and limits."""
        return await _in_thread(self.describe, viewer)

    def describe(self, viewer: str | None = None) -> dict[str, Any]:
        """Return the catalogue; reads a file header for every checkpoint that is new."""
        mine = self.belongings.of(viewer) if viewer else []
        return {
            "models": [describe_model(entry) for entry in registry.MODELS.values()],
            "datasets": [*data.describe(), *self._own_data(mine)],
            "checkpoints": [*self._shipped(), *self._own_checkpoints(mine)],
            "published": [p.to_dict() for e in registry.MODELS.values() for p in e.published],
            "device": self.device,
            "limits": asdict(Limits()),
            "two_domains": self.domains.describe(),
            "version": _version(),
        }

    def _shipped(self) -> list[dict[str, Any]]:
        found = (self._described(*item) for item in checkpoint.shipped().items())
        return [described for described in found if described is not None]

    def _described(self, name: str, path: Path) -> dict[str, Any] | None:
        """Return what is told of a checkpoint; None for one that is damaged, or not yet whole."""
        try:
            changed = path.stat().st_mtime_ns
            known = self._headers.get(path)
            if known is None or known[0] != changed:
                about = describe_checkpoint(name, checkpoint.read_header(path))
                known = self._headers[path] = (changed, about)
        except (OSError, PlaygroundError):
            return None
        return known[1]

    def _own_checkpoints(self, mine: list[Thing]) -> list[dict[str, Any]]:
        kept = [thing for thing in mine if thing.kind == "checkpoint"]
        found = [(thing, self._described(thing.name, self._path(thing))) for thing in kept]
        return [{**about, "title": thing.title} for thing, about in found if about is not None]

    def _own_data(self, mine: list[Thing]) -> list[dict[str, Any]]:
        found = []
        for thing in mine:
            if thing.kind == "dataset":
                with suppress(DataError):  # it is gone, or damaged
                    entry = data.load_entry(thing.name, self.store.root)
                    found.append({**entry, "title": thing.title})
        return found

    def _path(self, thing: Thing) -> Path:
        return file_of(thing.name, self.store.root)

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
        self._check_start_point(owner, given)
        run_id = await _in_thread(lambda: self.store.start(owner, **given))
        return self.view(run_id, owner)

    def _check_start_point(self, owner: str, given: dict[str, Any]) -> None:
        resume = given.get("resume")
        names = [given["dataset"], resume.get("checkpoint") if isinstance(resume, dict) else None]
        for name in names:
            self.belongings.check(name)
            self.belongings.used(owner, name)

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
        self.belongings.check(name)
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
        self.belongings.check(source.get("checkpoint"))
        future = await _in_thread(lambda: self.store.explore(source, view, args))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), EXPLORE_TIMEOUT_S)
        except asyncio.TimeoutError:
            raise NotFound(t("shell.explore_slow", seconds=int(EXPLORE_TIMEOUT_S))) from None

    # ---- what people bring ----------------------------------------------------------------------

    async def add_checkpoint(self, owner: str, name: str, content: bytes) -> dict[str, Any]:
        """Keep an uploaded checkpoint, after checking it; weights of GPT-2 become one."""
        self.belongings.check_room(len(content))
        if gpt2_upload.is_gpt2(content):
            async with self._uploading:
                content = await _in_thread(gpt2_upload.converted, content, name)
        added = await _in_thread(lambda: self.store.import_checkpoint(content))
        if added["title"] == added["name"] and name:
            added["title"] = downloads.clean_name(name)
        notes = await _in_thread(self.belongings.bring, owner, added["name"], added["title"])
        return {"checkpoint": added["name"], **added, "notes": notes}

    async def add_domains(
        self, owner: str, files: list[tuple[str, str, BinaryIO]], options: dict[str, str]
    ) -> dict[str, Any]:
        """Make a data set of two domains of uploaded pictures."""
        return await self.domains.add(owner, files, options, self._uploading)

    def _bring(self, owner: str, added: dict[str, Any]) -> dict[str, Any]:
        """Remember whose the data set is; return what the page is told of it."""
        went = self.belongings.bring(owner, added["key"], added["title"])
        return {"dataset": added["key"], **added, "notes": [*added.get("notes", []), *went]}


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


def _listed(names: list[str]) -> str:
    return ", ".join(repr(str(n)[:40]) for n in names[:5])


def _version() -> str:
    try:
        return metadata.version("generative-playground")
    except metadata.PackageNotFoundError:
        return "dev"


async def _in_thread(work: Callable[[], T] | Callable[..., T], *args: Any) -> T:
    return await asyncio.to_thread(work, *args)
