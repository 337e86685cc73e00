"""Views of runs and of saved checkpoints, and checkpoints that people bring."""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

from engine import checkpoint
from engine.errors import Busy, PlaygroundError, Rejected
from engine.executors.base import Executor
from engine.executors.worker import CHECK
from engine.run_record import Run
from engine.starting import describe_checkpoint

CHECK_S = 30  # an uploaded checkpoint is looked at for so long
_UPLOAD = re.compile(r"upload/[A-Za-z0-9_\-]{1,40}")
_PUT_AWAY = (409, 429)  # how a worker answers for a run that has just left it


class Explorations:
    """The part of the run store that draws without training."""

    root: Path
    executor: Executor
    _lock: threading.RLock
    _get: Callable[[Any], Run]

    def saved(self, run_id: str, step: Any = None) -> Path:
        """Return the newest checkpoint of a run at or before `step`, or raise `NotFound`."""
        raise NotImplementedError

    def explore(self, source: Any, view: Any, args: Any) -> Future[bytes]:
        """Draw a view of {"checkpoint": name} or {"run": id}; the answer is JSON bytes."""
        if not isinstance(args, dict) or not isinstance(view, str) or not view:
            raise Rejected("A view needs a name and arguments.", field="args")
        if not isinstance(source, dict):
            raise Rejected('A source is {"checkpoint": name} or {"run": id}.', field="source")
        if "run" in source:
            with self._lock:
                run = self._get(source["run"])
                handle = run.handle
                if handle is not None and run.state in ("running", "paused"):
                    with contextlib.suppress(Busy):  # it has ended: its saved state answers
                        live = handle.request(view, args)
                        return self._or_saved(live, run.id, view, args)
            return self.executor.explore(self.saved(run.id), view, args, self.root)
        path = self.checkpoint_path(source.get("checkpoint"))
        return self.executor.explore(path, view, args, self.root)

    def _or_saved(
        self, live: Future[bytes], run_id: str, view: str, args: dict[str, Any]
    ) -> Future[bytes]:
        """Return the live answer; the saved state's when the run ended before it answered."""
        answer = Future[bytes]()

        def pass_on(source: Future[bytes]) -> None:
            error = source.exception()
            if error is None:
                answer.set_result(source.result())
            else:
                answer.set_exception(error)

        def arrived(source: Future[bytes]) -> None:
            error = source.exception()
            if isinstance(error, PlaygroundError) and error.status in _PUT_AWAY:
                try:
                    saved = self.saved(run_id)
                    self.executor.explore(saved, view, args, self.root).add_done_callback(pass_on)
                    return
                except PlaygroundError:
                    pass  # nothing was saved: the first answer stands
            pass_on(source)

        answer.set_running_or_notify_cancel()
        live.add_done_callback(arrived)
        return answer

    def checkpoint_path(self, name: Any) -> Path:
        """Return the path of a shipped or an uploaded checkpoint, or raise `NotFound`."""
        if isinstance(name, str) and _UPLOAD.fullmatch(name):
            path = self.root / "uploads" / f"{name.removeprefix('upload/')}.safetensors"
            if path.is_file():
                return path
        return checkpoint.find(name)

    def import_checkpoint(self, content: bytes) -> dict[str, Any]:
        """Keep an uploaded checkpoint after checking it; return its name and description.

        The tensors are checked in the exploring worker. Raises `CheckpointError`, `DataError`
        or `Busy`, each with a sentence; the file is then gone again.
        """
        token = secrets.token_urlsafe(9).replace("-", "a").replace("_", "b")
        path = self.root / "uploads" / f"{token}.safetensors"
        checkpoint.write_atomically(path, content)
        try:
            header = checkpoint.read_header(path)
            self.executor.explore(path, CHECK, {}, self.root).result(CHECK_S)
        except FutureTimeout:
            path.unlink(missing_ok=True)
            raise Busy(f"The file could not be checked within {CHECK_S} s; try again.") from None
        except PlaygroundError as error:
            path.unlink(missing_ok=True)
            sentence = error.sentence.replace(path.name, "The file")
            raise type(error)(sentence) from error
        return describe_checkpoint(f"upload/{token}", header)
