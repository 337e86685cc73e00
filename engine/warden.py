"""What the run store does by the clock: limits, idle runs, memory, what is kept and how long.

Everything goes by the monotonic clock, so that a jump of the wall clock ends nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from engine import commands
from engine.events import ACTIVE
from engine.policy import Policy
from engine.run_record import Run
from engine.run_table import RunTable
from engine.turns import Turns

log = logging.getLogger("playground.runs")

ENDING_S = 5.0  # for a run that is being ended to save itself
COLD_S = 120.0  # after which an unwatched ended run's log is put away
MEMORY_EVERY_S = 2.0


class Warden:
    """Look after the runs once a second."""

    def __init__(self, table: RunTable, turns: Turns, policy: Callable[[], Policy]) -> None:
        self.table, self.turns, self.policy = table, turns, policy
        self.measure: Callable[[int], float | None] = private_mb
        self._measured = 0.0

    def tick(self) -> None:
        """Do all of it once."""
        with self.table.lock:
            active = self.table.active()
            for run in active:
                self._limit(run)
                self._finish_ending(run)
            self._go_behind(active)
            self._rest(active)
            self._put_away()
        self._watch_memory()
        self._forget_old()

    def end(self, run: Run, sentence: str) -> None:
        """End a run with a sentence: it is saved where that is possible."""
        if run.state not in ACTIVE or run.sentence is not None:
            return
        if run.handle is None:
            self.turns.drop(run)
            self.table.status(run, "stopped", sentence)
            return
        run.sentence, run.ending_since = sentence, time.monotonic()
        run.handle.send(commands.Stop(sentence))

    def tidy(self, owner: str) -> None:
        """Delete the oldest ended runs of an owner beyond the number that is kept."""
        with self.table.lock:
            runs = self.table.runs.values()
            ended = [r for r in runs if r.owner == owner and r.state not in ACTIVE]
            ended.sort(key=lambda r: r.created)
            self._delete(ended[: max(0, len(ended) - self.policy().max_kept)])

    # ------------------------------------------------------------------ limits

    def _limit(self, run: Run) -> None:
        """End a run that has taken all the time that one may take."""
        most = self.policy().max_seconds
        if most is not None and run.meter.own > most and run.sentence is None:
            self._by_policy(run, "seconds")
            sentence = f"The run was ended after {most:g} seconds: no run may take longer here."
            self.end(run, sentence)

    def _finish_ending(self, run: Run) -> None:
        over = time.monotonic() - run.ending_since > ENDING_S
        if run.sentence is not None and run.handle is not None and over:
            run.handle.kill()

    def _go_behind(self, active: list[Run]) -> None:
        """Let owners who have used up their hour wait until nobody else does."""
        most = self.policy().hour_seconds
        scheduler, now = self.turns.scheduler, time.monotonic()
        owners = {r.owner for r in active} if most is not None else set()
        scheduler.behind = frozenset(o for o in owners if scheduler.hour_s(o, now) > (most or 0))

    def _by_policy(self, run: Run, reason: str) -> None:
        facts = {"event": "run_ended_by_policy", "run": run.id, "reason": reason}
        log.warning("run ended by the policy", extra=facts)

    # ------------------------------------------------------------------ nobody watches

    def _rest(self, active: list[Run]) -> None:
        """Park for good what nobody has watched for long, when others wait."""
        policy, now = self.policy(), time.monotonic()
        for run in active:
            unseen = now - run.seen_at
            if run.handle is None or run.parking or run.watchers:
                continue
            if run.state == "paused" and unseen > policy.idle_release_s:
                self.turns.park(run, "idle")
            elif run.state == "running" and unseen > policy.idle_park_s and self._others_wait(run):
                run.resting = True
                self.turns.park(run, "idle")

    def _others_wait(self, run: Run) -> bool:
        """Say whether somebody waits who is not idle as well."""
        policy, now = self.policy(), time.monotonic()
        return any(
            other is not run
            and self.turns.scheduler.waits(other.id)
            and (now - other.seen_at <= policy.idle_park_s or other.watchers)
            for other in self.table.runs.values()
        )

    def _put_away(self) -> None:
        """Put the logs of runs away that have ended, or stand still, and that nobody watches."""
        policy, now = self.policy(), time.monotonic()
        for run in self.table.runs.values():
            if run.log.cold or run.watchers or run.handle is not None:
                continue
            after = policy.idle_release_s if run.state in ACTIVE else COLD_S
            if now - max(run.seen_at, run.ended_since) > after:
                run.journal.keep_live(run.log.unload())

    # ------------------------------------------------------------------ memory and disk

    def _watch_memory(self) -> None:
        """End runs whose worker has more memory than it may have."""
        most, now = self.policy().memory_mb, time.monotonic()
        if most is None or now - self._measured < MEMORY_EVERY_S:
            return
        self._measured = now
        with self.table.lock:
            busy = [(r, r.turn, r.handle.pid) for r in self.table.active() if r.handle is not None]
        for run, turn, pid in busy:
            found = None if pid is None else self.measure(pid)
            if found is None or found <= most:
                continue
            with self.table.lock:
                if run.turn == turn and run.handle is not None and run.sentence is None:
                    self._by_policy(run, "memory")
                    self.end(
                        run,
                        f"The run was ended: it took {found:.0f} MB of memory, and {most} MB are "
                        "allowed here; choose a smaller batch size or network.",
                    )

    def _forget_old(self) -> None:
        """Delete ended runs after the hours for which they are kept."""
        hours = self.policy().keep_hours
        if hours is None:
            return
        with self.table.lock:
            now = time.monotonic()
            ended = [r for r in self.table.runs.values() if r.state not in ACTIVE]
            old = [r for r in ended if now - r.ended_since > hours * 3600]
            self._delete([r for r in old if not r.watchers])

    def _delete(self, gone: list[Run]) -> None:
        for run in gone:
            del self.table.runs[run.id]
        for run in gone:
            run.journal.delete()


def private_mb(pid: int) -> float | None:
    """Return the private memory of a process in MB; None where that cannot be read."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = [int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon:")]
    return found[0] / 1024 if found else None
