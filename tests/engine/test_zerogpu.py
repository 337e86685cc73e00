"""Runs by GPU turns on an imitated ZeroGPU Space; `zero_space.py` says what is imitated."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from small import Data, assert_same, assert_same_end, few_digits, last, run, spec

pytest.importorskip("spaces")

from engine import checkpoint, commands
from engine.executors import zerogpu
from engine.executors.zerogpu_turn import Letters, command_of, letter_of
from engine.executors.zerogpu_words import refused, seconds_left
from engine.spec import Budget, RunSpec

HERE = Path(__file__).parent
OWNER, OTHER = "owner-ada-0123456789", "owner-bob-0123456789"
TOKEN = ".".join(["e30", base64.urlsafe_b64encode(b'{"user": "ada"}').decode().rstrip("="), "x"])
LONG = 1_000_000


class Space:
    """A visitor's way to the Space: our routes, and the event that asks for a turn."""

    def __init__(self, told: dict[str, str], data: Data) -> None:
        self.address, self.scheduler = told["address"].rstrip("/"), told["scheduler"]
        self.data = data
        self.http = httpx.Client(base_url=f"{self.address}/gradio_api/play/", timeout=60)
        self.turns = 0

    def start(self, steps: int = LONG, owner: str = OWNER) -> str:
        given = spec("vae", self.data)
        body = {"model": "vae", "dataset": self.data.key, "config": given.config}
        answer = self.post("runs", {**body, "seed": 0, "max_steps": steps}, owner)
        return answer["id"]

    def post(self, path: str, body: dict[str, Any], owner: str = OWNER) -> Any:
        answer = self.http.post(path, json=body, headers={"X-Play-Owner": owner})
        assert answer.status_code < 300, answer.text
        return answer.json()

    def tell(self, run_id: str, command: str, **more: Any) -> None:
        self.post(f"runs/{run_id}/commands", {"command": command, **more})

    def view(self, run_id: str) -> dict[str, Any]:
        return self.http.get(f"runs/{run_id}", headers={"X-Play-Owner": OWNER}).json()

    def until(
        self, run_id: str, true: Callable[[dict[str, Any]], Any], timeout_s: float = 60
    ) -> Any:
        """Wait for the run's events until something is true of its view."""
        deadline = time.monotonic() + timeout_s
        while True:
            view = self.view(run_id)
            if found := true(view):
                return found
            assert time.monotonic() < deadline, view
            after = {"after": view["last_seq"]}
            with contextlib.suppress(httpx.ReadTimeout):
                where = f"runs/{run_id}/events"
                with self.http.stream("GET", where, params=after, timeout=1.0) as stream:
                    next(line for line in stream.iter_lines() if line.startswith("data:"))

    def until_state(self, run_id: str, *states: str) -> dict[str, Any]:
        self.until(run_id, lambda view: view["state"] in states)
        return self.view(run_id)

    def turn(self, run_id: str, owner: str = OWNER, token: str | None = TOKEN) -> dict[str, Any]:
        """Send the event as the page does, and wait until Gradio says that it is over."""
        self.turns += 1
        session = f"session{self.turns}"
        config = httpx.get(f"{self.address}/config").json()
        chosen = next(d for d in config["dependencies"] if d["targets"][0][1] == "turn")
        headers = {"x-gradio-user": "app", **({"x-ip-token": token} if token else {})}
        body = {
            "data": [],
            "fn_index": chosen["id"],
            "session_hash": session,
            "event_data": {"run": run_id, "owner": owner},
            "trigger_id": chosen["targets"][0][0],
        }
        joined = httpx.post(f"{self.address}/gradio_api/queue/join", json=body, headers=headers)
        assert joined.status_code == 200, joined.text
        found: dict[str, Any] = {}
        params = {"session_hash": session}
        where = f"{self.address}/gradio_api/queue/data"
        with httpx.stream("GET", where, params=params, timeout=120) as stream:
            for line in stream.iter_lines():
                said = json.loads(line.removeprefix("data: ")) if line else {}
                if said.get("msg") == "process_completed":
                    found = said
                if said.get("msg") in ("process_completed", "close_stream"):
                    break
        return found

    def in_background(self, run_id: str) -> threading.Thread:
        thread = threading.Thread(target=self.turn, args=(run_id,))
        thread.start()
        return thread

    def asked(self, path: str = "/schedule") -> list[dict[str, Any]]:
        return [a for a in httpx.get(self.scheduler).json() if a["path"] == path]

    def refuse(self, **quota: Any) -> None:
        httpx.post(f"{self.scheduler}/refuse", json={"left": 0, "wait": 11_520, **quota})

    def worker(self, run_id: str) -> int:
        """Return the process id of the forked worker: a child that has the run's letters."""
        allowed = self.asked("/allow")
        return int(allowed[-1]["pid"])


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    root = tmp_path_factory.mktemp("space")
    data = few_digits(root)
    env = {**os.environ, "LEASE_S": "9", "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(
        [sys.executable, HERE / "zero_space.py", root],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    assert process.stdout is not None
    told: dict[str, str] = {}
    for line in process.stdout:
        if line.startswith("{"):
            told = json.loads(line)
            break
    assert told, f"the space did not start: {process.wait()}"
    # What `spaces` prints would fill the pipe.
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    reader.start()
    found = Space(told, data)
    yield found
    found.http.close()
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0
    reader.join(20)
    process.stdout.close()


@pytest.mark.slow
def test_a_run_waits_for_its_visitor_and_counts_on_their_quota(
    space: Space, tmp_path: Path
) -> None:
    mine = space.start(200)
    assert space.until_state(mine, "starting")["step"] == 0
    assert space.asked() == []
    assert space.turn(mine)["success"]
    view = space.view(mine)
    assert (view["state"], view["step"]) == ("finished", 200)
    asked = space.asked()[-1]
    assert asked["token"] == TOKEN
    assert asked["durationSeconds"] == "9"
    assert len(space.asked("/release")) == len(space.asked())
    run(spec("vae", space.data, tmp_path, 200))
    assert_same_end(space.data.root / mine, tmp_path)


@pytest.mark.slow
def test_a_run_goes_on_turn_by_turn_and_ends_bit_identical(space: Space, tmp_path: Path) -> None:
    mine = space.start(LONG)
    space.until_state(mine, "starting")
    space.turn(mine)  # its lease runs out: the run is saved, and wants the next turn
    view = space.until_state(mine, "starting")
    first = view["step"]
    assert 0 < first < LONG
    assert max(c["step"] for c in view["checkpoints"]) == first
    turn = space.in_background(mine)
    space.until(mine, lambda v: v["state"] == "running" and v["step"] > first)
    space.tell(mine, "stop")
    turn.join(60)
    end = space.until_state(mine, "stopped")["step"]
    assert end > first
    run(spec("vae", space.data, tmp_path, end))
    left, right = (checkpoint.load(last(f)) for f in (space.data.root / mine, tmp_path))
    assert (left[0].step, left[0].cursor) == (right[0].step, right[0].cursor)
    assert_same(left[1], right[1], "two turns")


@pytest.mark.slow
def test_commands_reach_a_turn_and_a_pause_gives_the_gpu_back(space: Space) -> None:
    mine = space.start()
    space.until_state(mine, "starting")
    turn = space.in_background(mine)
    space.until(mine, lambda v: v["state"] == "running" and v["step"] > 5)
    body = {"source": {"run": mine}, "args": {}}
    assert space.post("explore/reconstructions", body)["type"] == "views"
    space.tell(mine, "set", field="learning_rate", value=2e-4)
    space.tell(mine, "pause")
    turn.join(60)
    assert not turn.is_alive()
    view = space.until_state(mine, "paused")
    assert view["config"]["learning_rate"] == 2e-4
    assert len(space.asked("/release")) == len(space.asked())
    assert space.post("explore/reconstructions", body)["type"] == "views"  # on the CPU, saved
    space.tell(mine, "step", count=3)
    space.until_state(mine, "starting")
    space.turn(mine)
    assert space.until_state(mine, "paused")["step"] == view["step"] + 3
    space.tell(mine, "stop")
    assert space.until_state(mine, "stopped")["step"] == view["step"] + 3


@pytest.mark.slow
def test_a_used_up_quota_is_a_sentence_with_the_time_to_wait(space: Space) -> None:
    mine = space.start(50)
    space.until_state(mine, "starting")
    space.refuse()
    assert not space.turn(mine)["success"]
    view = space.view(mine)
    assert view["state"] == "stopped"
    assert "3 h 12 min" in view["message"]
    space.tell(mine, "continue")
    space.until_state(mine, "starting")
    space.refuse(left=20)  # for less than was asked for: the rest is taken
    space.turn(mine)
    assert space.view(mine)["state"] == "finished"


@pytest.mark.slow
def test_a_worker_that_is_ended_costs_the_work_since_the_last_checkpoint(
    space: Space, tmp_path: Path
) -> None:
    steps = 1000
    mine = space.start(steps)
    space.until_state(mine, "starting")
    turn = space.in_background(mine)
    space.until(mine, lambda v: any(c["step"] >= 128 for c in v["checkpoints"]))
    os.kill(space.worker(mine), signal.SIGKILL)
    turn.join(60)
    view = space.until_state(mine, "starting")
    assert view["step"] == max(c["step"] for c in view["checkpoints"]) >= 128
    while space.until_state(mine, "starting", "finished")["state"] != "finished":
        space.turn(mine)
    run(spec("vae", space.data, tmp_path, steps))
    assert_same_end(space.data.root / mine, tmp_path)


@pytest.mark.slow
def test_only_the_owner_starts_a_turn_and_only_a_run_that_wants_one_gets_it(space: Space) -> None:
    mine = space.start(20)
    space.until_state(mine, "starting")
    before = len(space.asked())
    for run_id, owner in ((mine, OTHER), (mine, ""), ("nothing", OWNER), (None, None), (["x"], {})):
        assert not space.turn(run_id, owner)["success"], (run_id, owner)  # type: ignore[arg-type]
    assert len(space.asked()) == before
    space.turn(mine)
    assert space.view(mine)["state"] == "finished"
    assert space.turn(mine)["success"]  # nothing to do
    assert len(space.asked()) == before + 1


# ---------------------------------------------------------------------- the parts


class Refusal(Exception):
    def __init__(self, title: str, message: str) -> None:
        super().__init__(message)
        self.title, self.message = title, message


@pytest.mark.parametrize(
    ("title", "message", "said"),
    [
        ("ZeroGPU quota exceeded", "You have exceeded your free ZeroGPU quota (55s requested vs. "
         "30s left). Try again in 3:12:05. ", "3 h 12 min"),
        ("ZeroGPU quota exceeded", "You have exceeded … Try again in 0:00:40. ", "40 s"),
        ("ZeroGPU quota exceeded", "Space app has reached its GPU limit.", "later"),
        ("ZeroGPU pending credits exceeded", "You have too many", "later"),
        ("ZeroGPU illegal duration", "The requested GPU duration (99s) is larger", "shorter"),
        ("ZeroGPU queue timeout", "No GPU was available after 60s.", "in a minute"),
        ("ZeroGPU client error", "Expired ZeroGPU proxy token", "reload"),
        ("ZeroGPU worker error", "GPU task aborted", None),
        ("", "anything else", None),
    ],
)  # fmt: skip
def test_what_zerogpu_says_is_one_sentence(title: str, message: str, said: str | None) -> None:
    found = refused(Refusal(title, message))
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert said in found
        assert found.count(".") == 1


def test_what_is_left_of_a_quota_is_read() -> None:
    assert seconds_left(Refusal("", "(55s requested vs. 30s left)")) == 30
    assert seconds_left(Refusal("", "no")) is None


@pytest.mark.parametrize(
    "command",
    [
        commands.Pause(), commands.Step(3), commands.Stop(), commands.Set("beta", 2.5),
        commands.RequestPreview(7, "map", {"extent": [1, 2]}), commands.Look("map", {}),
        commands.Park(), commands.Save(),
    ],
)  # fmt: skip
def test_a_command_crosses_by_letter(command: commands.Command, tmp_path: Path) -> None:
    assert command_of(letter_of(command)) == command
    path = tmp_path / "letters"
    path.touch()
    inbox = Letters(path, until=time.monotonic() + 60)
    assert inbox.poll() == []
    with open(path, "ab") as file:
        file.write(letter_of(command) + letter_of(commands.Resume())[:-5])  # a line on its way
    assert inbox.poll() == [command]
    with open(path, "ab") as file:
        file.write(letter_of(commands.Resume())[-5:])
    assert inbox.wait(1.0) == [commands.Resume()]


def test_a_turn_parks_itself_before_its_lease_is_over(tmp_path: Path) -> None:
    inbox = Letters(tmp_path / "none", until=time.monotonic() - 1)
    assert inbox.poll() == [commands.Park()]
    assert inbox.poll() == []


def test_a_lease_is_no_longer_than_the_run() -> None:
    def seconds(most: float | None, elapsed: float = 0.0) -> int:
        given = RunSpec("vae", "mnist", budget=Budget(max_seconds=most), elapsed_s=elapsed)
        return zerogpu.lease_seconds(given)

    assert seconds(None) == zerogpu.LEASE_S
    assert seconds(3600) == zerogpu.LEASE_S
    assert zerogpu.SHORTEST_S <= seconds(10) < zerogpu.LEASE_S
    assert seconds(60, 59) == max(zerogpu.SHORTEST_S, 13)
