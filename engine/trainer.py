"""The only training loop: a generator of events. Hosts differ only in who iterates it.

What is learnt is a function of (config, data, seed, start point, live changes by step);
what is emitted, and when a checkpoint is written, may depend on the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine import checkpoint, commands, events
from engine.config import Config
from engine.data import load as load_dataset
from engine.data.base import indices_at
from engine.device import describe, limit_memory, pick_device, seed_step, synchronize
from engine.errors import CheckpointError, NoSpace, NotFound, PlaygroundError, Rejected
from engine.events import Event
from engine.inbox import Inbox
from engine.journal import Journal
from engine.learner import Finding, Learner
from engine.registry import check_fit, entry
from engine.rng import stream_seed
from engine.spec import RunSpec
from engine.tensors import DataView
from engine.training_parts import (
    Drawing,
    Rate,
    Recorder,
    Safe,
    forget_after,
    is_milestone,
    prune,
)

SYNC_S = 0.1  # metrics and the divergence check, ten times a second
POLL_S = 0.004  # how often the inbox is looked at; far below what a person notices
SAVE_S = 10.0  # a killed run loses at most this much work
TEST_LIMIT = 500  # test images for the live curve
MONITOR_SHARE = 0.03  # of the run's time, at most, for `Learner.monitor`


def train(spec: RunSpec, inbox: Inbox) -> Iterator[Event]:
    """Train one run, yielding events until it ends.

    The last event is a `Status` with state finished, stopped, parked, diverged or failed.
    Errors of the person's making leave as a `failed` status with one sentence.
    """
    try:
        run = Training(spec, inbox)
    except PlaygroundError as error:
        yield events.Status(0, "failed", error.sentence)
        return
    yield from run.events()


def build(model: str, config: Config, data: DataView, device: torch.device, seed: int) -> Learner:
    """Build a Learner with weights that are a function of the seed."""
    family = entry(model).learner_class
    spec = family.spec_of(config, data)
    torch.manual_seed(stream_seed(seed, 0, "initialisation"))
    return family(config, spec, device)


def restore(
    path: Path, data: DataView, device: torch.device, overrides: dict[str, Any] | None = None
) -> tuple[Learner, checkpoint.Header]:
    """Build the Learner of a checkpoint, weights checked against the architecture first.

    `overrides` replace hyperparameters of the checkpoint. Raises `CheckpointError` when it does
    not fit the data set or the architecture, and `Rejected` for a bad override.
    """
    header, tensors = checkpoint.load(path)
    if tuple(header.shape) != tuple(data.spec.shape):
        raise CheckpointError(
            f"{path.name} was trained on examples of shape {tuple(header.shape)}; "
            f"this data set has {tuple(data.spec.shape)}."
        )
    config = entry(header.model).config_class.from_values({**header.config, **(overrides or {})})
    family = entry(header.model).learner_class
    spec = family.spec_of(config, data, tensors)
    torch.manual_seed(stream_seed(header.seed, header.step, "graft"))  # what a fork has anew
    learner = family(config, spec, device)
    old = entry(header.model).config_class.from_values(header.config)
    if config != old:
        tensors = learner.graft(tensors, old)
    tensors = learner.complete(tensors)
    checkpoint.fit(tensors, learner.tensors(optimizers=False), path.name)
    checkpoint.fit_optimizers(tensors, learner.optimizers, path.name)
    learner.load_tensors({k: v.to(device) for k, v in tensors.items()})
    learner.steps = header.step
    return learner, header


def data_view(spec: RunSpec) -> DataView:
    """Read a run's data set; raises `DataError` when it is not for this model."""
    dataset = load_dataset(spec.dataset, spec.data_root)
    check_fit(spec.model, dataset.title, dataset.kind, dataset.models)
    return DataView(dataset, pick_device(spec.device))


class Training:
    """One run under way: the loop's state in one place.

    After a `parked` status the run can be kept as it is and taken up by `go_on`. `stepping`
    says whether a step is being taken just now.
    """

    def __init__(self, spec: RunSpec, inbox: Inbox, data: DataView | None = None) -> None:
        torch.set_num_threads(spec.threads)
        self.spec, self.inbox = spec, inbox
        self.device = pick_device(spec.device)
        limit_memory(self.device, spec.gpu_fraction)
        self.data = data if data is not None else data_view(spec)
        self.history: list[tuple[int, str, Any, Any]] = []
        self.metrics: dict[str, float] = {}
        self.step = self.cursor = 0
        self.seed = spec.seed
        self.note: str | None = None
        if spec.going_on:
            self._go_on_from_disk()
        elif spec.resume is None:
            self.learner = build(
                spec.model, spec.checked_config(), self.data, self.device, spec.seed
            )
        else:
            self._resume(spec.resume)
        self.learner.next_batch = self._next_batch
        self.examples = self.learner.examples(self.data)
        self.config = self.learner.config
        self.recorder = Recorder()
        self.first_loss: float | None = None
        self.drawing = Drawing(self)
        self.monitored_at, self.monitor_spent = -math.inf, 0.0
        self.alerted: set[str] = set()
        self.rate = Rate()
        self.stepping, self.saved_as, self.unsaved = False, "", False
        self._begin_turn(spec)
        self._recall()

    def _begin_turn(self, spec: RunSpec) -> None:
        """Set what belongs to one turn in a worker."""
        self.max_steps = spec.budget.max_steps
        self.began = time.monotonic() - spec.elapsed_s
        self.paused, self.allowance = spec.paused, 0
        # those of earlier steps are in the start point already
        self.changes = sorted(
            (c for c in spec.changes if c[0] >= self.step), key=lambda change: change[0]
        )
        self.ending: events.State | None = None
        self.message: str | None = None
        self.extra: dict[str, Any] = {}
        self.last_sync = self.last_save = time.monotonic()
        self.last_poll = 0.0  # commands given beforehand come before the first step
        self.parking, self.taken = False, 0
        self.safe = self.copied = Safe.of(self, self.last_save)

    def go_on(self, spec: RunSpec, inbox: Inbox) -> None:
        """Take up a parked run that was kept; `events` then yields its next turn."""
        stood = time.monotonic() - self.parked_at
        torch.set_num_threads(spec.threads)
        self.spec, self.inbox, self.note = spec, inbox, None
        self.drawing.began += stood
        self.monitored_at += stood
        self.rate.restart()
        self._begin_turn(spec)

    def put_down(self) -> None:
        """Drop what a parked run does not need until it goes on."""
        del self.safe, self.copied

    def fits(self, spec: RunSpec) -> bool:
        """Say whether this parked run is what `spec` goes on with."""
        old, path = self.spec, spec.resume
        if not spec.going_on or path is None or not self.saved_as:
            return False
        same = (old.model, old.dataset, old.seed, old.device, old.folder)
        if same != (spec.model, spec.dataset, spec.seed, spec.device, spec.folder):
            return False
        try:
            header = checkpoint.read_header(path)
        except PlaygroundError:
            return False
        return header.step == self.step and header.sha256 == self.saved_as

    def _recall(self) -> None:
        """Let the monitor go on where an earlier worker of this run left it."""
        given = self.spec
        if given.folder is None or given.resume is None or not given.previews:
            return
        for event in Journal(given.folder).monitored():
            if event["step"] > self.step:
                continue
            if event["kind"] == "metrics" and event["split"] == "monitor":
                known = {k: v for k, v in event["values"].items() if v is not None}
                self.learner.recall(self.data, event["step"], known)
            elif event["kind"] == "alert":
                self.alerted.add(event["alert"])
            elif event["kind"] == "changed":
                self.alerted.clear()

    def _resume(self, path: Path) -> None:
        held = checkpoint.read_header(path).model
        if held != self.spec.model:
            raise CheckpointError(f"{path.name} holds a model {held}, not {self.spec.model}.")
        self.learner, header = restore(path, self.data, self.device, self.spec.config)
        self.step, self.cursor = header.step, header.cursor
        self.history = [tuple(h) for h in header.history]
        for name, value in self.learner.config.to_dict().items():
            old = header.config.get(name, value)
            if old != value:
                self.history.append((self.step, name, old, value))

    def _go_on_from_disk(self) -> None:
        """Go on from the run's own checkpoint; from an older one when it is damaged."""
        given, newest = self.spec, self.spec.resume
        assert newest is not None
        assert given.folder is not None
        saved = checkpoint.saved_steps(given.folder)
        for path in [newest, *(p for p in reversed(saved.values()) if p < newest)]:
            try:
                self.learner, header = restore(path, self.data, self.device)
            except (CheckpointError, NotFound) as error:
                self.note = f"{error.sentence.rstrip('.')}; the run goes on from an earlier state."
                path.unlink(missing_ok=True)
                continue
            self.step, self.cursor = header.step, header.cursor
            self.history = [tuple(h) for h in header.history]
            tested = (k for k in header.metrics if k.startswith("test/"))
            found = {k.removeprefix("test/"): header.metrics[k] for k in tested}
            self.metrics = {k: v for k, v in found.items() if v is not None}
            if path != newest:
                self.note = f"A checkpoint was damaged; the run goes on from step {self.step}."
            return
        self.note = "A checkpoint was damaged; the run goes on from its start."
        if given.origin is not None:
            self._resume(given.origin)
        else:
            config = given.checked_config()
            self.learner = build(given.model, config, self.data, self.device, given.seed)

    # ------------------------------------------------------------------ the loop

    def events(self) -> Iterator[Event]:
        """Yield the events of the whole run, or of one turn of it."""
        yield events.Status(self.step, "paused" if self.paused else "running", self.note)
        if not self.spec.going_on:
            yield from self._evaluate()
            yield from self.drawing.first()
        while self.ending is None:
            yield from self._take_commands()
            standing = self.paused and self.allowance == 0
            if self.parking and not self.ending and (self.taken or standing):
                yield from self._park()  # a turn brings every run on by a step at least
            if self.ending or standing:
                continue
            if self._spent():
                self.ending = "finished"
                continue
            self._one_step()
            now = time.monotonic()
            stepped_out = self.paused and self.allowance == 0
            if now - self.last_sync >= SYNC_S or stepped_out:
                yield from self._synchronise(now)
            yield from self._milestones(stepped_out)
        yield from self._finish()

    def _next_batch(self) -> tuple[Tensor, Tensor, int]:
        """Return the examples and the number of the coming step, generators seeded for it."""
        size, train = self.learner.examples_per_step, self.examples
        indices = indices_at(self.seed, self.cursor, size, len(train))
        chosen = torch.from_numpy(indices).to(self.device, non_blocking=True)
        seed_step(self.device, stream_seed(self.seed, self.step))
        return train.batch(chosen), train.labels[chosen], self.step

    def _one_step(self) -> None:
        size = self.learner.examples_per_step
        self.stepping = True
        self.recorder.add(self.learner.training_step(*self._next_batch()))
        self.stepping = False
        self.step += 1
        self.taken += 1
        self.cursor += size
        self.rate.count += 1
        if self.allowance:
            self.allowance -= 1

    def _spent(self) -> bool:
        seconds = self.spec.budget.max_seconds
        late = seconds is not None and time.monotonic() - self.began >= seconds
        return self._reached() or late

    def _reached(self) -> bool:
        return self.max_steps is not None and self.step >= self.max_steps

    # ------------------------------------------------------------------ commands

    def _take_commands(self) -> Iterator[Event]:
        now = time.monotonic()
        if self.paused and self.allowance == 0:
            arrived = self.inbox.wait(1.0)
            self.began += time.monotonic() - now  # standing still is not the run's own time
            self.rate.restart()
        elif now - self.last_poll >= POLL_S:
            self.last_poll, arrived = now, self.inbox.poll()
        else:
            arrived = []
        while self.changes and self.changes[0][0] == self.step:
            _, name, value = self.changes.pop(0)
            yield from self._set(commands.Set(name, value))
        for command in arrived:
            yield from self._obey(command)

    def _obey(self, command: commands.Command) -> Iterator[Event]:
        match command:
            case commands.Pause():
                if not self.paused:
                    yield from self._synchronise(time.monotonic())
                    self.paused = True
                    yield from self._save("paused")  # a pause that is told outlives the worker
                    yield events.Status(self.step, "paused")
                    yield from self.drawing.whole()
                self.allowance = 0
            case commands.Resume():
                self.paused, self.allowance = False, 0
                self.rate.restart()
                yield events.Status(self.step, "running")
            case commands.Step(count):
                if self.paused:
                    self.allowance += count
                else:
                    self.paused, self.allowance = True, count
                    yield events.Status(self.step, "paused")
            case commands.Stop(message):
                self.ending, self.message = "stopped", message
            case commands.Park():
                self.parking = True
            case commands.Set():
                yield from self._set(command)
            case commands.Look():
                yield from self._look(command)
            case commands.Save():
                yield from self._save("asked for")
            case commands.RequestPreview():
                yield self._answer(command)

    def _set(self, command: commands.Set) -> Iterator[Event]:
        try:
            changed = self.config.with_live(command.field, command.value)
        except Rejected as error:
            yield events.Refused(self.step, error.sentence, error.field)
            return
        old, new = getattr(self.config, command.field), getattr(changed, command.field)
        if old == new:
            return
        self.config = changed
        self.learner.reconfigure(changed)
        self.history.append((self.step, command.field, old, new))
        self.alerted.clear()
        yield events.Changed(self.step, command.field, old, new)

    def _look(self, command: commands.Look) -> Iterator[Event]:
        """Take over what a live view shows, if it can be drawn so."""
        known = [view.name for view in self.learner.live_views]
        if command.name not in known:
            sentence = f"There is no live view {command.name}; known are {', '.join(known)}."
            yield events.Refused(self.step, sentence, "name")
            return
        old = self.learner.look.get(command.name, {})
        self.learner.look[command.name] = command.args
        try:
            drawn = list(self.drawing.whole(strict=True))
        except (PlaygroundError, RuntimeError, ValueError, TypeError, KeyError) as error:
            self.learner.look[command.name] = old
            sentence = getattr(error, "sentence", f"{command.name} cannot be drawn so: {error}")
            yield events.Refused(self.step, sentence[:300], command.name)
            return
        yield from drawn

    def _answer(self, command: commands.RequestPreview) -> Event:
        try:
            self.drawing.forget_if_moved()
            payload = self.learner.draw(command.name, self.data, command.args)
            answer = events.Answer(self.step, command.request, payload)
        except PlaygroundError as error:
            answer = events.Answer(self.step, command.request, None, error.sentence)
        except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError) as error:
            sentence = f"The view {command.name} could not be drawn: {error}"
            answer = events.Answer(self.step, command.request, None, sentence[:300])
        return answer

    # ------------------------------------------------------------------ reading and showing

    def _synchronise(self, now: float) -> Iterator[Event]:
        """Read the device, say how far and how fast; then save and draw what is due."""
        yield from self._read(now)
        if self.ending:
            return
        if now - self.last_save >= SAVE_S:
            yield from self._save("every ten seconds")
        yield from self.drawing.due(now)
        yield from self._monitor(now)
        self.last_sync = time.monotonic()

    def _read(self, now: float) -> Iterator[Event]:
        """Read what the device recorded, once; look for divergence; say how far and how fast."""
        self.last_sync = now
        window = self.recorder.take()
        if window is None:
            return
        values, bad, first = window
        if self.first_loss is None and math.isfinite(first):
            self.first_loss = abs(first) + 1.0
        known = self.first_loss
        exploded = known is not None and abs(values["loss"]) > self.learner.exploded_at * known
        if bad is not None or exploded:
            yield from self._diverge(self.step - self.recorder.taken + (bad or 0), bad is not None)
            return
        now_values = self.learner.settings_now(self.step)
        yield events.Metrics(self.step, "train", {**values, **now_values})
        yield self._progress()
        if now - self.copied.at >= 1.0:
            # the older copy is safe now: the steps after it went well; the newer one may not be
            self.safe = self.copied
            self.copied = Safe.of(self, now) if self._finite() else replace(self.copied, at=now)

    def _monitor(self, now: float, whole: bool = False) -> Iterator[Event]:
        """Look closer, when it is time and within the monitor's share of the run's time."""
        interval = self.learner.monitor_interval_s
        if interval <= 0 or not self.spec.previews:
            return
        share = self.monitor_spent / max(now - self.drawing.began, 1e-6)
        first = self.monitored_at == -math.inf
        due = now - self.monitored_at >= interval and (share <= MONITOR_SHARE or first)
        if not (due or whole):
            return
        began = time.monotonic()
        self.drawing.forget_if_moved()
        with self.learner.evaluating():
            values, payload, findings = self.learner.monitor(self.data, self.step)
        self.monitored_at = time.monotonic()
        self.monitor_spent += self.monitored_at - began
        if values:
            yield events.Metrics(self.step, "monitor", values)
        if payload is not None:
            yield events.Preview(self.step, "monitor", payload)
        yield from self._tell(findings)

    def _tell(self, findings: list[Finding]) -> Iterator[Event]:
        """Tell each finding once, until a live change gives cause to look again."""
        for found in findings:
            if found.name not in self.alerted:
                self.alerted.add(found.name)
                remedies = tuple(asdict(remedy) for remedy in found.remedies)
                yield events.Alert(
                    self.step,
                    found.name,
                    found.sentence,
                    found.remedy,
                    found.level,
                    remedies,
                    found.since,
                )

    def _progress(self) -> Event:
        size = self.learner.examples_per_step
        rate = self.rate.read()
        elapsed = time.monotonic() - self.began
        remaining = None
        if self.max_steps is not None and rate > 0:
            remaining = max(0.0, (self.max_steps - self.step) / rate)
        return events.Progress(
            self.step,
            self.cursor / len(self.examples),
            rate,
            rate * size,
            elapsed,
            remaining,
            describe(self.device),
            self.drawing.share(),
        )

    def _milestones(self, stepped_out: bool) -> Iterator[Event]:
        """Test metrics, kept pictures and kept checkpoints, at steps that no clock decides."""
        power_of_two = self.step & (self.step - 1) == 0
        if power_of_two or self.step % 100 == 0:
            yield from self._evaluate()
        if is_milestone(self.step):
            yield from self.drawing.keep()
        if power_of_two and self.step >= 64:
            yield from self._save("a power of two")
        if stepped_out:
            yield from self.drawing.whole()

    def _evaluate(self, limit: int | None = TEST_LIMIT) -> Iterator[Event]:
        values = self.learner.evaluate(self.data, seed=self.seed, limit=limit)
        if not all(math.isfinite(v) for v in values.values()):
            return
        self.metrics = values
        yield events.Metrics(self.step, "test", values)
        if self.step < 100:
            return
        yield from self._tell(self.learner.alerts(values))

    # ------------------------------------------------------------------ saving and ending

    def header(self) -> checkpoint.Header:
        """Return the header of a checkpoint of this moment."""
        groups = {
            name: {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
            for name, optimizer in self.learner.optimizers.items()
        }
        finite = {k: v for k, v in self.metrics.items() if math.isfinite(v)}
        return checkpoint.Header(
            model=self.spec.model,
            config=self.config.to_dict(),
            dataset=self.spec.dataset,
            dataset_fingerprint=self.data.dataset.fingerprint,
            shape=self.data.spec.shape,
            class_names=self.data.spec.class_names,
            seed=self.seed,
            step=self.step,
            cursor=self.cursor,
            max_steps=self.max_steps,
            optimizer_groups=groups,
            history=tuple(self.history),
            metrics={f"test/{k}": v for k, v in finite.items()},
            title=self.spec.title,
            command=self.spec.command,
            versions={"torch": torch.__version__},
        )

    def _save(self, reason: str) -> Iterator[Event]:
        self.last_save, self.saved_as = time.monotonic(), ""
        if self.spec.folder is None or not self._finite():
            return  # a state that has broken is no way back; the next reading ends the run
        path = checkpoint.step_path(self.spec.folder, self.step)
        try:
            self.saved_as = checkpoint.save(path, self.header(), self.learner.tensors())
        except NoSpace as error:
            if not self.unsaved:  # once, until it has been saved again
                yield events.Alert(self.step, "not_saved", f"Not saved: {error.sentence}")
            self.unsaved = True
            return
        self.unsaved = False
        prune(self.spec.folder)
        yield events.Saved(self.step, reason)

    def _park(self) -> Iterator[Event]:
        """Give the worker back, unless what was learnt cannot be saved: then go on."""
        self.parking = False
        synchronize(self.device)
        yield from self._read(time.monotonic())
        if self.ending:
            return
        yield from self._save("parked")
        if self.saved_as or self.spec.folder is None:
            self.ending = "parked"

    def _diverge(self, step: int, non_finite: bool) -> Iterator[Event]:
        """Go back to the last finite state, save it, and end with the way back."""
        what = "loss became NaN or infinite" if non_finite else "loss grew a thousandfold"
        lower = self.learner.lower_rates()
        self.safe.put_back(self)
        forget_after(self.spec.folder, self.step)
        yield from self._save("the last finite state")
        self.ending = "diverged"
        rates = " and ".join(f"{k.replace('_', ' ')} {v:.6g}" for k, v in lower.items())
        self.message = (
            f"This run diverged at step {step} ({what}). "
            f"Rewind to step {self.step}{f' with {rates}' if rates else ''}?"
        )
        rewind = {"step": self.step, "learning_rate": lower.get("learning_rate"), "config": lower}
        self.extra = {"rewind": rewind}

    def _finish(self) -> Iterator[Event]:
        state = self.ending or "stopped"
        if state != "diverged":
            synchronize(self.device)
            if state != "parked":
                yield from self._synchronise(time.monotonic())
            if self.ending != "diverged" and not self._finite():
                yield from self._diverge(self.step, True)
            state = self.ending or state
        if state == "finished":  # a person who stops a run does not wait for this
            yield from self._evaluate(limit=None)
            yield from self.drawing.whole()
            yield from self._monitor(time.monotonic(), whole=True)
        if state in ("finished", "stopped"):
            yield from self.drawing.keep()
        if state not in ("diverged", "parked"):
            yield from self._save(state)
        yield self._progress()
        self.parked_at = time.monotonic()
        if state == "parked":
            self.learner.forget()
        yield events.Status(self.step, state, self.message, None, self.extra)

    def _finite(self) -> bool:
        """Say whether weights and optimizer state are finite; reads from the device once."""
        floats = [v for v in self.learner.tensors().values() if v.is_floating_point()]
        return not floats or bool(torch.stack([v.isfinite().all() for v in floats]).all())
