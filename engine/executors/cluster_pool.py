"""The warm actors of one cluster, and the runs on them: what the gate's process does.

There is one actor for each slot of the cluster, and never more are asked for than there are: Ray
would let them wait without a word. When an actor or its machine dies, the server is told at once,
and the run goes to another actor from its last checkpoint; Ray's own restarts are not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine import events
from engine.commands import Command
from engine.errors import NoSpace, PlaygroundError
from engine.executors.cluster_actor import Item, Trainer, code_digest
from engine.executors.cluster_parcel import DATASETS, Parcel, Probe, keep, pack
from engine.spec import RunSpec

LOCAL = "local"  # in the place of an address: a cluster of this machine alone, on loopback
START_S = 180.0  # an actor imports torch: 4 to 18 s, much longer when the disk is cold
TAKE_S = 1.0
SILENCE_S = 12.0  # beyond TAKE_S without an answer, an actor counts as dead
LOOK_S = 2.0
IDLE_LOOK_S = 5.0


@dataclass(frozen=True)
class Options:
    """Which cluster, and how much of it a run takes: `gpu_share` runs on one GPU."""

    address: str
    root: Path
    workers: int | None = None
    gpu_share: int = 4
    look_s: float = LOOK_S
    silence_s: float = SILENCE_S
    shared: bool | None = None  # None finds out whether the machines see the runs folder


@dataclass
class Job:
    """One run on its way: waiting for an actor, or with one."""

    number: int
    spec: RunSpec
    early: list[Command] = field(default_factory=list)
    killed: bool = False
    started: bool = False
    cause: str | None = None  # "stuck" or "device", when it ends badly
    place: Place | None = None


@dataclass
class Place:
    """One actor, and what is known of it; `info` is there once it is warm."""

    actor: Any
    born: float
    info: dict[str, Any] | None = None
    job: Job | None = None
    heard: float = 0.0
    rss_mb: int | None = None
    keeps: list[str] = field(default_factory=list)  # runs that it could take up at once
    files: set[str] = field(default_factory=set)  # data sets that it has been sent
    given: asyncio.Queue[Job] = field(default_factory=asyncio.Queue)


class Gate:
    """The actors of one cluster; everything but reading the pipe happens in one event loop."""

    def __init__(self, pipe: Connection, options: Options) -> None:
        import ray

        self.ray, self.pipe, self.options = ray, pipe, options
        self.probe = Probe(options.root)
        self.places: list[Place] = []
        self.jobs: dict[int, Job] = {}
        self.waiting: deque[Job] = deque()
        self.slots, self.notes = 0, ""
        self.gpus = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Keep the actors and obey the server until the pipe closes."""
        loop, inbox = asyncio.get_running_loop(), asyncio.Queue[Any]()
        threading.Thread(target=self._listen, args=(loop, inbox), daemon=True).start()
        self._in_background(self._keep())
        while (message := await inbox.get()) is not None and message[0] != "close":
            self._obey(*message)

    def end(self) -> None:
        """End the actors; a cluster of this process's own ends with it."""
        for place in self.places:
            self._end(place)
        if self.options.address == LOCAL:
            with contextlib.suppress(Exception):
                self.ray.shutdown()

    def _listen(self, loop: asyncio.AbstractEventLoop, inbox: asyncio.Queue[Any]) -> None:
        message: Any = ()
        while message is not None:
            try:
                message = self.pipe.recv()
            except (EOFError, OSError):
                message = None
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(inbox.put_nowait, message)

    def _obey(self, verb: str, number: int, content: Any = None) -> None:
        if verb == "train":
            self.jobs[number] = job = Job(number, content)
            self.waiting.append(job)
            self._hand_out()
            return
        job_ = self.jobs.get(number)
        if job_ is None:
            return  # it has just ended
        if verb == "kill":
            job_.killed = True
            if job_.place is None:
                self.waiting.remove(job_)
                self._over(job_, "died")
            else:
                self._end(job_.place)
        elif job_.place is None:
            job_.early.append(content)
        else:
            self._tell(job_.place, job_, content)

    def _tell(self, place: Place, job: Job, command: Command) -> None:
        place.actor.tell.options(concurrency_group="commands").remote(job.number, command)

    # ------------------------------------------------------------------ actors

    async def _keep(self) -> None:
        """See now and then how many actors the cluster carries, and have so many."""
        while True:
            try:
                slots = await asyncio.to_thread(self._count)
            except Exception as error:
                self.notes, slots = f"The cluster does not answer ({error!s:.120}).", 0
            if slots != self.slots:
                self.slots = slots
                self._report()
            while len(self.places) < self.slots:
                self._hire()
            await asyncio.sleep(self.options.look_s)

    def _count(self) -> int:
        """Return how many actors there may be: ours that are ready, and what is free now."""
        nodes = [n["Resources"] for n in self.ray.nodes() if n["Alive"]]
        self.gpus = any(n.get("GPU", 0) >= 1 for n in nodes)
        total = sum(self._fit(n) for n in nodes)
        ready = sum(p.info is not None for p in self.places)
        free = self._fit(self.ray.available_resources())
        found = min(total, max(len(self.places), ready + free))
        return found if self.options.workers is None else min(found, self.options.workers)

    def _fit(self, resources: dict[str, float]) -> int:
        runs = math.floor(resources.get("CPU", 0))
        if self.gpus:
            runs = min(runs, math.floor(resources.get("GPU", 0) * self.options.gpu_share + 1e-3))
        return max(0, runs)

    def _hire(self) -> None:
        share = math.floor(10_000 / self.options.gpu_share) / 10_000 if self.gpus else 0
        remote: Any = self.ray.remote
        threads = {"events": 1, "commands": 1}
        actor = (
            remote(concurrency_groups=threads)(Trainer)
            .options(
                num_cpus=1, num_gpus=share, max_restarts=0, max_task_retries=0, max_concurrency=1
            )
            .remote()
        )
        place = Place(actor, time.monotonic())
        self.places.append(place)
        self._in_background(self._live(place))

    async def _live(self, place: Place) -> None:
        """Warm an actor up and give it runs until it dies."""
        try:
            await self._greet(place)
            while True:
                self._report()
                self._hand_out()
                place.job = job = await self._next(place)
                await self._train(place, job)
                place.job = None
                self._over(job, "done")
        except asyncio.CancelledError:  # the server is going
            raise
        except Exception as error:  # every way in which an actor or its machine can be gone
            if place in self.places:
                self.places.remove(place)
            self._end(place)
            why = f"{type(error).__name__}: {error!s:.300}"
            print(f"playground: an actor is gone ({why})", file=sys.stderr, flush=True)
            self.notes = why
            self._report()
            job_ = place.job
            if job_ is None:
                return
            if job_.started or job_.killed:
                self._over(job_, "died")
            else:  # nothing of it has been done yet: the next actor takes it
                job_.place = None
                self.waiting.appendleft(job_)
                self._hand_out()

    async def _next(self, place: Place) -> Job:
        """Wait for a run, and look now and then whether the actor is still there."""
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                return await asyncio.wait_for(place.given.get(), IDLE_LOOK_S)
            await self._answer(place.actor.tell.remote(0, None), self.options.silence_s)

    async def _greet(self, place: Place) -> None:
        hello = place.actor.hello.remote(self.probe.path, self.probe.token)
        info = await self._answer(hello, START_S)
        if info["code"] != code_digest():
            await asyncio.sleep(self.options.look_s * 5)  # someone is updating that machine
            raise PlaygroundError(
                f"{info['machine']} has another version of the playground; update it there and "
                "start its Ray again."
            )
        if self.options.shared is not None:
            info["shared"] = self.options.shared
        place.info, place.heard = info, time.monotonic()

    async def _answer(self, reference: Any, timeout_s: float) -> Any:
        return await asyncio.wait_for(asyncio.wrap_future(reference.future()), timeout_s)

    def _end(self, place: Place) -> None:
        with contextlib.suppress(Exception):  # it is gone already
            self.ray.kill(place.actor, no_restart=True)

    # ------------------------------------------------------------------ runs

    def _hand_out(self) -> None:
        """Give waiting runs to actors that are warm and free; to one that knows the run, first."""
        idle = [p for p in self.places if p.info and p.job is None and p.given.empty()]
        while self.waiting and idle:
            job = self.waiting.popleft()
            name = job.spec.folder.name if job.spec.folder is not None else ""
            job.place = max(idle, key=lambda p: (name in p.keeps, -len(p.keeps)))
            idle.remove(job.place)
            job.place.given.put_nowait(job)

    async def _train(self, place: Place, job: Job) -> None:
        try:
            given = await asyncio.to_thread(self._wrap, place, job.spec)
        except PlaygroundError as error:  # what it goes on from is gone
            self._send_event(job, events.Status(0, "failed", error.sentence).to_wire())
            return
        assert place.info is not None
        await self._answer(place.actor.prepare.remote(job.number), self.options.silence_s)
        running = place.actor.train.remote(job.number, given)
        job.started = True
        for command in job.early:
            self._tell(place, job, command)
        job.early.clear()
        self._report()
        ended = False
        while not ended:
            take = place.actor.take.options(concurrency_group="events")
            asked = take.remote(job.number, TAKE_S)
            try:
                items, ended, health = await self._answer(asked, TAKE_S + self.options.silence_s)
            except asyncio.TimeoutError:
                job.cause = "stuck"
                raise
            place.heard, place.rss_mb = time.monotonic(), health["rss_mb"]
            for item in items:
                await self._pass_on(job, item)
            place.keeps = health["keeps"]
            if health["stuck"] and not ended:
                job.cause = "stuck"
                raise TimeoutError("no step for far too long")
        await self._answer(running, self.options.silence_s)

    def _wrap(self, place: Place, spec: RunSpec) -> RunSpec | Parcel:
        """Return the run as it is where the folder is shared, else with all that it needs."""
        assert place.info is not None
        here = spec.resume is None or self.options.root in spec.resume.parents
        if place.info["shared"] and here:
            return spec
        parcel = pack(spec, frozenset(place.files))
        place.files |= {name for name in parcel.files if name.startswith(f"{DATASETS}/")}
        return parcel

    async def _pass_on(self, job: Job, item: Item) -> None:
        """Keep a checkpoint that came along, then tell the server of the event."""
        meta, body, content = item
        if meta["kind"] == "sick":
            job.cause = "device"
            raise RuntimeError("an error of the graphics card")
        folder = job.spec.folder
        if content is not None and folder is not None and not job.killed:
            try:
                await asyncio.to_thread(keep, folder, meta["step"], content)
            except NoSpace as error:
                alert = events.Alert(meta["step"], "not_saved", f"Not saved: {error.sentence}")
                self._send_event(job, alert.to_wire())
                return
        self._send("event", job.number, meta, body)

    # ------------------------------------------------------------------ the server

    def _over(self, job: Job, how: str) -> None:
        if self.jobs.pop(job.number, None) is not None:
            self._send(how, job.number, job.cause)

    def _send_event(self, job: Job, wire: dict[str, Any]) -> None:
        self._send("event", job.number, wire, json.dumps(wire).encode())

    def _report(self) -> None:
        """Tell the server how many actors are warm, and who they are."""
        warm = [p for p in self.places if p.info is not None]
        self._send("state", {"slots": self.slots, "notes": self.notes, "ready": len(warm),
                             "workers": [_described(p) for p in warm]})  # fmt: skip

    def _send(self, *message: Any) -> None:
        with contextlib.suppress(OSError):  # the server is gone: the reading thread sees it too
            self.pipe.send(message)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _described(place: Place) -> dict[str, Any]:
    info, job = place.info or {}, place.job
    folder = job.spec.folder if job is not None else None
    return {
        "pid": info.get("pid"),
        "machine": info.get("machine"),
        "gpu": info.get("gpu"),
        "job": None if job is None else job.number,
        "run": None if folder is None else folder.name,
        "model": None if job is None else job.spec.model,
        "state": "idle" if job is None else "training",
        "rss_mb": place.rss_mb,
        "device": info.get("gpu") or "cpu",
        "heard": place.heard,
    }
