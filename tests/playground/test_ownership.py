"""Several people over the routes and the named endpoints: nobody reads, changes or deletes what
another owns, unless it was shared.

Everything that the server tells a person is searched for what that person was never told: other
people's tokens, and the names of their runs, data sets and checkpoints.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import orjson
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from engine.checkpoint import SHIPPED
from engine.errors import PlaygroundError
from engine.runs import RunStore
from playground.api_models import ModelEndpoints
from playground.api_runs import RunEndpoints
from playground.belongings import Belongings, Bounds
from playground.rate_limits import Unlimited
from playground.routes import PREFIX, routes
from playground.security import Guard
from playground.service import Service
from tests.playground.fake_workers import FakeWorkers

SAMPLE = SHIPPED / "gan2d" / "moons.safetensors"
OWNERS = ("ada-ada-ada-ada-ada", "bob-bob-bob-bob-bob", "eve-eve-eve-eve-eve")
READS = ("", "/events?poll=1", "/timeline", "/metrics.csv", "/checkpoint", "/script.py")
COMMANDS = ("pause", "resume", "stop", "save", "step", "continue")
people = st.sampled_from(OWNERS)


class People(RuleBasedStateMachine):
    """What people do; the model is who owns what, and who was told which name."""

    runs, things = Bundle("runs"), Bundle("things")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.workers = FakeWorkers(SAMPLE)
        self.store = RunStore(self.root, self.workers)  # type: ignore[arg-type]
        self.service = Service(self.store)
        app = Starlette(
            routes=routes(self.service),
            middleware=[Middleware(Guard, hosts={"testserver"}, limits=Unlimited())],
        )
        self.http = TestClient(app)
        self.owner_of: dict[str, str] = {}
        self.made_of: dict[str, set[str]] = {}
        self.told: dict[str, set[str]] = {owner: set() for owner in OWNERS}
        self.numbers = itertools.count(1)

    def teardown(self) -> None:
        self.store.close()
        self.workers.settle()
        self.workers.close()
        shutil.rmtree(self.root, ignore_errors=True)

    # ---- asking -------------------------------------------------------------------------------

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        headers = {"X-Play-Owner": who}
        answer = self.http.request(method, PREFIX + path, headers=headers, **more)
        assert answer.status_code < 500, answer.text
        sent = path + unquote(path) + str(more.get("json", ""))
        self.hear(who, answer.content, sent)
        return answer

    def call(self, who: str, work: Any, sent: str) -> Any:
        try:
            found = asyncio.run(work)
        except PlaygroundError as error:
            self.hear(who, error.sentence.encode(), sent)
            return None
        self.hear(who, orjson.dumps(found, default=str), sent)
        return found

    def hear(self, who: str, body: bytes, sent: str) -> None:
        for owner in OWNERS:
            assert owner.encode() not in body
        for name in set(self.owner_of) - self.told[who]:
            assert name in sent or name.encode() not in body, (who, name)

    def own(self, who: str, name: str) -> str:
        assert name not in self.owner_of or not name.startswith("upload/")
        self.owner_of.setdefault(name, who)
        self.told[who].add(name)
        return name

    # ---- what anybody may do ------------------------------------------------------------------

    @rule(target=runs, who=people)
    def start(self, who: str) -> Any:
        return self._started(who, {"model": "gan2d", "dataset": "ring8", "max_steps": 9})

    @rule(target=runs, who=people, thing=things)
    def start_from_a_thing(self, who: str, thing: str) -> Any:
        if thing not in self.told[who]:
            return None
        body: dict[str, Any] = {"model": "gan2d", "max_steps": 9, "dataset": "ring8"}
        if thing.startswith("upload/"):
            body["resume"] = {"checkpoint": thing}
        else:
            body["dataset"] = thing
        return self._started(who, body, {thing})

    @rule(target=runs, who=people, run=runs)
    def fork(self, who: str, run: str | None) -> Any:
        if run not in self.told[who] or run is None:
            return None
        body = {"model": "gan2d", "dataset": "ring8", "resume": {"run": run}, "max_steps": 9}
        return self._started(who, body, {run})

    def _started(self, who: str, body: dict[str, Any], made_of: set[str] = frozenset()) -> Any:  # type: ignore[assignment]
        answer = self.ask(who, "POST", "/runs", json=body)
        if answer.status_code != 201:
            return None
        self.workers.settle()
        run = answer.json()["id"]
        self.made_of[run] = made_of
        return self.own(who, run)

    @rule(target=things, who=people)
    def bring_points(self, who: str) -> str:
        shift = next(self.numbers)
        points = [[i / 30 - 0.5, ((i * shift) % 31) / 31 - 0.5] for i in range(30)]
        answer = self.ask(who, "POST", "/points", json={"points": points, "name": "p"})
        assert answer.status_code == 201, answer.text
        return self.own(who, answer.json()["dataset"])

    @rule(target=things, who=people)
    def bring_checkpoint(self, who: str) -> str:
        files = {"file": ("a.safetensors", SAMPLE.read_bytes())}
        answer = self.ask(who, "POST", "/checkpoints", files=files)
        assert answer.status_code == 201, answer.text
        return self.own(who, answer.json()["checkpoint"])

    @rule(name=runs | things, to=people)
    def share(self, name: str | None, to: str) -> None:
        """Whoever is told of a run is told what it is made of."""
        reach = [name] if name else []
        while reach:
            found = reach.pop()
            self.told[to].add(found)
            reach.extend(self.made_of.get(found, ()))

    @rule(who=people, run=runs, path=st.sampled_from(READS))
    def read(self, who: str, run: str | None, path: str) -> None:
        if run in self.told[who] and run is not None:
            answer = self.ask(who, "GET", f"/runs/{run}{path}")
            assert answer.status_code in (200, 404)
            if path == "" and answer.status_code == 200:
                assert answer.json()["owner_is_you"] is (self.owner_of[run] == who)

    # ---- what nobody may do -------------------------------------------------------------------

    @rule(who=people, run=runs, command=st.sampled_from(COMMANDS))
    def command_what_is_anothers(self, who: str, run: str | None, command: str) -> None:
        if run is None or self.owner_of[run] == who:
            return
        before = self._state(run)
        answer = self.ask(who, "POST", f"/runs/{run}/commands", json={"command": command})
        gone = answer.status_code == 404
        assert gone or answer.status_code == 403
        endpoints = RunEndpoints(self.service)
        assert self.call(who, endpoints.command_run(who, run, command), run) is None
        assert self.call(who, endpoints.delete_run(who, run), run) is None
        assert self.ask(who, "DELETE", f"/runs/{run}").status_code == answer.status_code
        assert self._state(run) == before

    def _state(self, run: str) -> Any:
        try:
            view = self.store.view(run)
        except PlaygroundError:
            return None
        return {k: view[k] for k in ("id", "title", "config", "max_steps", "dataset")}

    @rule(who=people, thing=things)
    def delete_what_is_anothers(self, who: str, thing: str) -> None:
        if self.owner_of[thing] == who:
            return
        before = [t.name for t in self.service.belongings.of(self.owner_of[thing])]
        answer = self.ask(who, "DELETE", f"/belongings/{thing}")
        unknown = self.ask(who, "DELETE", "/belongings/points:0000000000000000")
        assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
        assert [t.name for t in self.service.belongings.of(self.owner_of[thing])] == before

    @rule(who=people, thing=consumes(things))
    def delete_what_is_mine(self, who: str, thing: str) -> None:
        mine = self.owner_of[thing] == who
        answer = self.ask(who, "DELETE", f"/belongings/{thing}")
        assert answer.status_code == (200 if mine else 404)

    @rule(who=people, run=runs)
    def delete_my_run(self, who: str, run: str | None) -> None:
        if run is not None and self.owner_of[run] == who:
            assert self.ask(who, "DELETE", f"/runs/{run}").status_code in (200, 404)

    @rule(who=people, name=runs | things, data=st.data())
    def guess(self, who: str, name: str | None, data: st.DataObject) -> None:
        """What is nearly a name, or a way around it, is nothing."""
        if name is None:
            return
        near = data.draw(st.sampled_from(NEAR))(name)
        if near in self.owner_of:
            return
        path = quote(near, safe="/%" if data.draw(st.booleans()) else "")
        path = path.replace("..", "%2e%2e")  # the client would take it out
        for answer in (
            self.ask(who, "GET", f"/runs/{path}"),
            self.ask(who, "GET", f"/checkpoints/{path}"),
            self.ask(who, "DELETE", f"/belongings/{path}"),
            self.ask(who, "POST", "/explore/map", json={"source": {"run": near}}),
            self.ask(who, "POST", "/explore/map", json={"source": {"checkpoint": near}}),
            self.ask(who, "POST", "/runs", json={"model": "gan2d", "dataset": near}),
        ):
            assert answer.status_code in (400, 404, 405, 307), answer.text
        endpoints = ModelEndpoints(self.service)
        self.call(who, endpoints.explore(near, "map", {}), near)

    @rule(who=people)
    def lists_hold_what_is_mine_alone(self, who: str) -> None:
        mine = {name for name, owner in self.owner_of.items() if owner == who}
        listed = {run["id"] for run in self.ask(who, "GET", "/runs").json()["runs"]}
        assert listed <= mine
        by_name = self.call(who, RunEndpoints(self.service).list_runs(who), "")
        assert {run["id"] for run in by_name} == listed
        things = self.ask(who, "GET", "/belongings").json()["things"]
        assert {thing["name"] for thing in things} <= mine

    @rule(who=people)
    def catalogue(self, who: str) -> None:
        mine = {name for name, owner in self.owner_of.items() if owner == who}
        found = self.ask(who, "GET", "/catalogue").json()
        keys = {d["key"] for d in found["datasets"]} | {c["name"] for c in found["checkpoints"]}
        assert keys & set(self.owner_of) <= mine

    @rule()
    def restart(self) -> None:
        """What people brought is theirs after the server was started again."""
        before = {who: [t.name for t in self.service.belongings.of(who)] for who in OWNERS}
        again = Belongings(self.root, bounds=Bounds())
        assert {who: [t.name for t in again.of(who)] for who in OWNERS} == before


NEAR = (
    lambda name: name[:-1],
    lambda name: name + "0",
    lambda name: name.swapcase() + "x",
    lambda name: name[::-1] + "-",
    lambda name: f"../{name}",
    lambda name: f"{name}/../{name}",
    lambda name: f"{name}\0",
    lambda name: f"upload/{name}",
    lambda name: f"upload/../{name}",
    lambda name: f"/{name}",
    lambda name: name.replace("/", "%2f") + "%00",
    lambda name: "*",
    lambda name: name[:4] + "*",
    lambda name: "A" * 3000,
    lambda name: "upload/" + "A" * 3000,
    lambda name: "points:" + "0" * 16,
)

TestPeople = pytest.mark.filterwarnings("ignore::DeprecationWarning")(People.TestCase)
TestPeople.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    phases=[Phase.generate],  # shrinking would take minutes; the steps are printed as they are
)
