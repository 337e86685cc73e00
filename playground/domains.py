"""Two domains as the page brings them: uploads, and public sets that a thread fetches."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from engine.data import public_sets, two_domains
from engine.data.base import Dataset
from engine.errors import Busy, Forbidden, NotFound, PlaygroundError, Rejected
from playground.strings import t

log = logging.getLogger("playground")
GPU_SIZE = 256  # pictures of this size need a GPU to train on
FIELDS = ("a", "b", "both")

Added = dict[str, Any]
Bring = Callable[[str, Added], Added]  # remembers whose a data set is


def public_sets_allowed(local: bool) -> bool:
    """Whether visitors may make this server fetch public sets: PLAY_PUBLIC_SETS, else if local."""
    said = os.environ.get("PLAY_PUBLIC_SETS", "")
    return said == "1" or (local and said != "0")


@dataclass
class Job:
    """A public set on its way; `stage` is fetching, reading, ready, failed or stopped."""

    owner: str
    key: str
    stage: str = "fetching"
    done: int = 0
    total: int | None = None
    error: str | None = None
    added: Added | None = None
    halt: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it is still on its way."""
        return self.stage in ("fetching", "reading")

    def report(self, stage: str, done: int, total: int | None) -> None:
        """Take note of how far it is."""
        self.stage, self.done, self.total = stage, done, total

    def describe(self, viewer: str) -> dict[str, Any]:
        """Return what the page shows; what became of it is shown to its owner only."""
        mine = viewer == self.owner
        return {
            "key": self.key,
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "mine": mine,
            "error": self.error if mine else None,
            "added": self.added if mine else None,
        }


class Domains:
    """Keep what people bring, under the server's root; `bring` remembers whose it is."""

    def __init__(self, root: Path, device: str, bring: Bring) -> None:
        self.root, self._bring = root, bring
        self.sizes = tuple(s for s in two_domains.SIZES if s < GPU_SIZE or device != "cpu")
        self.public = True  # whether visitors may fetch public sets; a teacher may say so too
        self._job: Job | None = None
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """Return the sizes that may be chosen, and the public sets."""
        sets = [one.describe() for one in public_sets.SETS]
        return {"sizes": self.sizes, "sets": sets, "public": self.public}

    # ---- uploads ------------------------------------------------------------------------------

    async def add(
        self,
        owner: str,
        files: list[tuple[str, str, BinaryIO]],
        options: Mapping[str, str],
        turn: asyncio.Semaphore,
    ) -> Added:
        """Make a data set of uploaded files, (field, name, file) each, when it is its turn."""
        chosen = self._options(options)
        sent: dict[str, list[tuple[str, BinaryIO]]] = {name: [] for name in FIELDS}
        for where, name, file in files:
            if where not in sent:
                raise Rejected(t("domains.field", value=where[:40]), field="files")
            if name or file.seek(0, 2):
                file.seek(0)
                sent[where].append((name, file))

        def work() -> Added:
            given: dict[str, two_domains.Files] = {
                where: [(name, file.read()) for name, file in of_one]
                for where, of_one in sent.items()
            }
            return self._keep(owner, two_domains.build(**given, **chosen))

        async with turn:  # nobody's files are in memory before
            return await asyncio.to_thread(work)

    def _keep(self, owner: str, made: Dataset) -> Added:
        key = two_domains.save(made, self.root)
        entry = two_domains.describe_saved(key, self.root)
        return self._bring(owner, {**entry, "title": made.title, "notes": list(made.notes)})

    def _options(self, options: Mapping[str, str]) -> dict[str, Any]:
        paired = options.get("paired", "no")
        if paired not in ("yes", "no"):
            raise Rejected(t("domains.paired_shape", value=paired[:40]), field="paired")
        return {
            **self._square(options.get("size", str(two_domains.SIZES[0])), options.get("fit")),
            "paired": paired == "yes",
            "name": options.get("name", ""),
            "names": (options.get("name_a", ""), options.get("name_b", "")),
        }

    def _square(self, size: Any, fit: Any) -> dict[str, Any]:
        sizes = {str(side): side for side in two_domains.SIZES}
        side = sizes.get(str(size))
        if side not in self.sizes:
            allowed = ", ".join(map(str, self.sizes))
            key = "domains.size" if side is None else "domains.size_gpu"
            raise Rejected(t(key, value=str(size)[:40], allowed=allowed), field="size")
        fit = two_domains.FITS[0] if fit is None else fit
        if fit not in two_domains.FITS:
            raise Rejected(t("domains.fit_shape", value=str(fit)[:40]), field="fit")
        return {"size": side, "fit": fit}

    # ---- public sets --------------------------------------------------------------------------

    def fetch(self, owner: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin to fetch a public set; raises `Busy` while another is on its way."""
        if not self.public:
            raise Forbidden(t("security.public_sets"))
        key = public_sets.known(body.get("set")).key
        square = self._square(body.get("size", two_domains.SIZES[0]), body.get("fit"))
        with self._lock:
            if self._job and self._job.active:
                raise Busy(t("domains.busy", name=self._job.key))
            job = self._job = Job(owner, key)
        work = threading.Thread(
            target=self._work, args=(job, square), name="public-set", daemon=True
        )
        work.start()
        return job.describe(owner)

    def progress(self, viewer: str) -> dict[str, Any]:
        """Return how far the set is that was asked for last."""
        job = self._job
        return {"job": job.describe(viewer) if job else None}

    def stop(self, owner: str) -> dict[str, Any]:
        """Stop what the owner asked for; what has come is kept."""
        job = self._job
        if job is None or not job.active or job.owner != owner:
            raise NotFound(t("domains.nothing_to_stop"))
        job.halt.set()
        return job.describe(owner)

    def _work(self, job: Job, square: dict[str, Any]) -> None:
        try:
            made = public_sets.build(
                job.key, self.root, **square, report=job.report, stopped=job.halt.is_set
            )
            job.added = self._keep(job.owner, made)
            job.stage = "ready"
        except PlaygroundError as error:
            job.error, job.stage = error.sentence, "stopped" if job.halt.is_set() else "failed"
        except Exception:
            log.exception("The public set %s could not be made", job.key)
            job.error, job.stage = t("shell.unforeseen"), "failed"
