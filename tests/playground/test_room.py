"""A room over its routes: who comes in, who may do what, what everyone is told, what is kept."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from engine.checkpoint import SHIPPED
from engine.errors import Rejected
from engine.eventlog import Entry
from engine.runs import RunStore
from playground.rate_limits import Unlimited
from playground.room import Room
from playground.room_doors import LETTERS, Doors
from playground.room_members import Members, nickname
from playground.room_run import slim
from playground.routes import PREFIX, routes
from playground.security import Guard
from playground.service import Service
from tests.playground.fake import points, sheet
from tests.playground.fake_workers import FakeWorkers

SAMPLE = SHIPPED / "gan2d" / "moons.safetensors"
ADA, BOB, EVE, TEACHER = (f"{name}-token-of-sixteen-letters" for name in ("ada", "bob", "eve", "t"))
RUN = {"model": "gan2d", "dataset": "ring8", "max_steps": 9}
ACTIONS = ("freeze", "resume", "spotlight", "push", "limits", "hide", "end", "rename", "remove",
           "lower", "renew")  # fmt: skip


class Class:
    """A server with a room, and everyone who asks it."""

    def __init__(self, root: Path, workers: int = 2) -> None:
        self.workers = FakeWorkers(SAMPLE, workers)
        self.store = RunStore(root, self.workers)  # type: ignore[arg-type]
        self.service = Service(self.store)
        self.room = self.service.room = Room(self.service, root, "Class 7b")
        app = Starlette(
            routes=routes(self.service, extra=self.room.routes()),
            middleware=[Middleware(Guard, hosts={"testserver"}, limits=Unlimited())],
        )
        self.http = TestClient(app)

    def ask(self, who: str, path: str, body: Any = None, **headers: str) -> Any:
        headers = {"X-Play-Owner": who, **headers}
        method = "GET" if body is None else "POST"
        answer = self.http.request(method, PREFIX + path, headers=headers, json=body)
        assert answer.status_code < 500, answer.text
        return answer

    def join(self, who: str, name: str) -> dict[str, Any]:
        body = {"code": self.room.code, "nickname": name}
        return dict(self.ask(who, "/room/join", body).json())

    def act(self, action: str, **body: Any) -> Any:
        key = {"X-Play-Teacher": self.room.key}
        return self.ask(TEACHER, "/room/act", {"action": action, **body}, **key)

    def wall(self, after: str = "") -> dict[str, Any]:
        self.room.wall._looked = -1e9  # a look now, not the one of a moment ago
        key = {"X-Play-Teacher": self.room.key}
        return dict(self.ask(TEACHER, f"/room/wall?after={after}", **key).json())

    def member(self, name: str) -> str:
        return next(m.id for m in self.room.members if m.nickname == name)

    def train(self, who: str) -> str:
        run = self.ask(who, "/runs", RUN).json()
        self.workers.settle()
        return str(run["id"])

    def end(self) -> None:
        self.store.close()
        self.workers.settle()
        self.workers.close()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[Class]:
    one = Class(tmp_path)
    yield one
    one.end()


# ---- coming in ---------------------------------------------------------------------------------


def test_a_student_joins_by_the_code_and_comes_back_without_it(school: Class) -> None:
    assert len(school.room.code) == 6
    assert set(school.room.code) <= set(LETTERS)
    typed = f" {school.room.code[:3].lower()}-{school.room.code[3:]} "
    told = school.ask(ADA, "/room/join", {"code": typed, "nickname": "  Ada\n L. "}).json()
    assert told["member"] == {"nickname": "Ada L.", "hand": False}
    assert school.ask(ADA, "/room/state").json()["member"]["nickname"] == "Ada L."
    assert school.ask(ADA, "/room/join", {"nickname": "Ada"}).json()["member"]["nickname"] == "Ada"
    assert len(school.room.members) == 1


def test_a_wrong_code_is_one_sentence_and_guessing_ends_soon(school: Class) -> None:
    answer = school.ask(EVE, "/room/join", {"code": "AAAAAA", "nickname": "Eve"})
    assert answer.status_code == 403
    assert answer.json()["error"].count(".") == 1
    codes = [school.ask(EVE, "/room/state?code=BBBBBB").status_code for _ in range(60)]
    assert codes[0] == 403
    assert codes[-1] == 429
    late = school.ask(EVE, "/room/join", {"code": school.room.code, "nickname": "Eve"})
    assert late.status_code == 429  # while the door is shut a right guess is not told from others
    assert int(late.headers["retry-after"]) >= 1


def test_the_right_key_passes_whatever_others_guess() -> None:
    now = [0.0]
    doors = Doors(lambda: now[0])
    key = "k" * 32
    for _ in range(40):
        with pytest.raises(Exception, match=r"wrong tries|not the teacher"):
            doors.check_key("x" * 32, key, "10.0.0.1")
    doors.check_key(key, key, "10.0.0.1")


@pytest.mark.parametrize("name", ["", "   ", "\u202e\u200b", None, 7, "x" * 25, "a" + "\u0301" * 9])
def test_a_nickname_is_a_line_that_can_be_read(name: Any) -> None:
    with pytest.raises(Rejected):
        nickname(name)


def test_nicknames_are_unique_whatever_their_case_and_width() -> None:
    members = Members()
    names = [members.join(f"owner-number-{i:06}", n).nickname
             for i, n in enumerate(["Mina", "mina", "\uff2dina", "<b>Mina</b>"])]  # fmt: skip
    assert names == ["Mina", "mina 2", "\uff2dina 3", "<b>Mina</b>"]
    long = [members.join(f"owner-of-long-{i:06}", "x" * 24).nickname for i in range(11)]
    assert len(set(long)) == 11
    assert all(len(name) <= 24 for name in long)


def test_a_hundred_students_have_a_tile_each_and_an_idle_poll_is_tiny(school: Class) -> None:
    for i in range(100):
        school.join(f"student-token-number-{i:04}", f"S{i}")
    first = school.wall()
    assert len(first["tiles"]) == 100
    assert school.wall(first["cursor"])["tiles"] == []
    cursor = school.ask("student-token-number-0042", "/room/state").json()["cursor"]
    answer = school.ask("student-token-number-0042", f"/room/state?after={cursor}&tab=vae")
    assert answer.json() == {"cursor": cursor}
    assert len(answer.content) < 50


def test_the_room_is_full_at_two_hundred() -> None:
    members = Members()
    for i in range(200):
        members.join(f"student-token-number-{i:04}", f"S{i}")
    with pytest.raises(Exception, match="full"):
        members.join("one-more-token-than-there-is", "S")


# ---- authority ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "x" * 32])
def test_students_reach_nothing_of_the_teacher(school: Class, key: str | None) -> None:
    school.join(ADA, "Ada")
    before = (school.room.folder / "room.json").read_bytes()
    headers = {} if key is None else {"X-Play-Teacher": key}
    asked = [("/room/act", {"action": name, "member": school.member("Ada")}) for name in ACTIONS]
    for path, body in [*asked, ("/room/export", {}), ("/room/wall", None), ("/room/qr", None)]:
        answer = school.ask(ADA, path, body, **headers)
        assert answer.status_code in (403, 429), path
        assert school.room.key not in answer.text
    assert (school.room.folder / "room.json").read_bytes() == before
    assert school.ask(ADA, "/room/export/" + "x" * 32 + ".zip").status_code == 404


def test_the_wall_page_holds_no_secret_and_asks_nothing_outside(school: Class) -> None:
    page = school.http.get(PREFIX + "/wall").text
    assert school.room.key not in page
    assert school.room.code not in page
    assert "http" not in page.replace("http-equiv", "")


def test_no_answer_to_a_student_holds_the_key_or_another_token(school: Class) -> None:
    school.join(ADA, "Ada")
    school.join(BOB, "Bob")
    school.train(BOB)
    school.act("spotlight", member=school.member("Bob"))
    said = school.ask(ADA, "/room/state").text + school.ask(ADA, "/room/spotlight").text
    for secret in (school.room.key, BOB, TEACHER):
        assert secret not in said
    assert BOB not in json.dumps(school.wall())


def test_a_visitor_looks_but_does_not_train(school: Class) -> None:
    answer = school.ask(EVE, "/runs", RUN)
    assert answer.status_code == 403
    assert "Join the room" in answer.json()["error"]
    assert school.ask(EVE, "/catalogue").is_success
    assert school.ask(TEACHER, "/runs", RUN).status_code == 403
    school.wall()  # opened with the key: from now on this browser is the teacher's
    assert school.ask(TEACHER, "/runs", RUN).status_code == 201


def test_who_was_removed_is_told_and_trains_no_more(school: Class) -> None:
    school.join(ADA, "Ada")
    run = school.train(ADA)
    before = school.wall()["cursor"]
    member = school.member("Ada")
    school.act("remove", member=member)
    school.workers.settle()
    assert school.ask(ADA, "/room/state").json()["removed"] is True
    assert school.ask(ADA, "/runs", RUN).status_code == 403
    assert school.ask(ADA, f"/runs/{run}/commands", {"command": "continue"}).status_code == 403
    assert school.ask(ADA, f"/runs/{run}").json()["state"] == "stopped"
    assert school.wall(before)["gone"] == [member]
    assert school.join(ADA, "Ada")["member"]["nickname"] == "Ada"


# ---- what the teacher does -----------------------------------------------------------------------


def test_freeze_stands_over_all_and_resume_lets_go(school: Class) -> None:
    school.join(ADA, "Ada")
    run = school.train(ADA)
    school.act("freeze")
    school.workers.settle()
    assert school.ask(ADA, "/room/state").json()["frozen"] is True
    assert school.ask(ADA, f"/runs/{run}").json()["frozen"] is True
    school.act("resume")
    school.workers.settle()
    assert school.ask(ADA, f"/runs/{run}").json()["state"] == "running"


def test_limits_are_said_and_enforced(school: Class) -> None:
    school.join(ADA, "Ada")
    assert school.act("limits", steps=5, seconds=60, sizes={"batch_size": 64}).is_success
    said = school.ask(ADA, "/room/state").json()["limits"]
    assert said == "In this room a run may have at most 5 steps, 60 seconds, batch size 64."
    assert "Batch size" in school.ask(ADA, "/runs", RUN).json()["error"]
    small = {**RUN, "config": {"batch_size": 64}}
    assert "at most 5 steps" in school.ask(ADA, "/runs", small).json()["error"]
    assert school.ask(ADA, "/runs", {**small, "max_steps": 5}).status_code == 201
    school.act("limits")
    assert school.ask(ADA, "/runs", RUN).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"steps": 0},
        {"steps": True},
        {"seconds": 1.5},
        {"sizes": {"nothing": 3}},
        {"sizes": {"batch_size": "9"}},
        {"sizes": [1]},
    ],
)
def test_limits_that_make_no_sense_are_refused(school: Class, body: dict[str, Any]) -> None:
    assert school.act("limits", **body).status_code == 400


def test_pushes_go_to_all_or_to_one(school: Class) -> None:
    school.join(ADA, "Ada")
    school.join(BOB, "Bob")
    assert school.act("push", model="gan2d", preset="gan2d-first-look").is_success
    told = [school.ask(who, "/room/state").json()["push"] for who in (ADA, BOB)]
    assert told[0] == told[1]
    assert told[0]["preset"] == "gan2d-first-look"
    assert school.act("push", checkpoint="gan2d/moons", to=school.member("Bob")).is_success
    assert school.ask(BOB, "/room/state").json()["push"]["checkpoint"] == "gan2d/moons"
    assert school.ask(ADA, "/room/state").json()["push"] == told[0]
    assert school.act("push", model="gan2d", preset="none").status_code == 400
    assert school.act("push", checkpoint="../../etc/passwd").status_code in (400, 404)


def test_the_checkpoint_of_a_students_run_goes_to_all_and_can_be_trained_on(school: Class) -> None:
    school.join(ADA, "Ada")
    school.join(BOB, "Bob")
    school.train(ADA)
    school.wall()
    assert school.act("push", **{"from": school.member("Ada")}).is_success
    pushed = school.ask(BOB, "/room/state").json()["push"]
    assert pushed["checkpoint"].startswith("upload/")
    assert pushed["title"].startswith("Ada: ")
    body = {**RUN, "resume": {"checkpoint": pushed["checkpoint"]}}
    assert school.ask(BOB, "/runs", body).status_code == 201


def test_spotlight_follows_the_run_and_ends(school: Class) -> None:
    school.join(ADA, "Ada")
    school.join(BOB, "Bob")
    assert school.act("spotlight", member=school.member("Bob")).status_code == 404  # no run yet
    run = school.train(BOB)
    school.act("spotlight", member=school.member("Bob"))
    assert school.ask(ADA, "/room/state").json()["spotlight"]["nickname"] == "Bob"
    shown = school.ask(ADA, "/room/spotlight").json()
    assert (shown["id"], shown["event"]) == (run, None)
    school.act("spotlight", member=None)
    assert school.ask(ADA, "/room/state").json()["spotlight"] is None
    assert school.ask(ADA, "/room/spotlight").status_code == 404


def test_hidden_controls_and_sentences_reach_everyone(school: Class) -> None:
    school.join(ADA, "Ada")
    school.act("hide", hide=["seed", "share"], only=None, tries=["Make  <b>KL</b> zero."])
    told = school.ask(ADA, "/room/state").json()
    assert told["hide"] == ["seed", "share"]
    assert told["tries"] == ["Make <b>KL</b> zero."]
    assert school.act("hide", hide=["a{}b"]).status_code == 400
    assert school.act("hide", tries=["x" * 201]).status_code == 400


def test_hands_go_up_and_down(school: Class) -> None:
    school.join(ADA, "Ada")
    cursor = school.wall()["cursor"]
    assert school.ask(ADA, "/room/hand", {"up": True}).json()["member"]["hand"] is True
    [tile] = school.wall(cursor)["tiles"]
    assert tile["hand"] <= time.time()
    school.act("lower", member=tile["id"])
    assert school.ask(ADA, "/room/state").json()["member"]["hand"] is False
    assert school.ask(EVE, "/room/hand", {"up": True}).status_code == 403


def test_end_and_rename(school: Class) -> None:
    school.join(ADA, "Ada")
    run = school.train(ADA)
    member = school.member("Ada")
    school.act("end", member=member)
    school.workers.settle()
    assert school.ask(ADA, f"/runs/{run}").json()["state"] == "stopped"
    school.act("rename", member=member, nickname="Grace")
    assert school.ask(ADA, "/room/state").json()["member"]["nickname"] == "Grace"
    assert school.act("rename", member="nobody", nickname="x").status_code == 404


def test_a_tile_tells_model_curve_and_preset(school: Class) -> None:
    school.join(ADA, "Ada")
    run = school.train(ADA)
    [tile] = school.wall()["tiles"]
    assert tile["run"]["id"] == run
    assert tile["run"]["state"] == "running"
    assert tile["spark"] == [{"name": "loss", "values": [1.0]}]
    assert tile["here"] is True


# ---- over a restart ------------------------------------------------------------------------------


def restarted(tmp_path: Path, before: Callable[[Class], None]) -> Class:
    first = Class(tmp_path)
    before(first)
    first.end()
    return Class(tmp_path)


def test_the_room_outlives_its_server(tmp_path: Path) -> None:
    kept: dict[str, Any] = {}

    def lesson(school: Class) -> None:
        school.join(ADA, "Ada")
        school.act("freeze")
        school.act("limits", steps=50)
        school.act("hide", hide=["seed"], tries=["Look."])
        kept.update(code=school.room.code, key=school.room.key)

    again = restarted(tmp_path, lesson)
    assert (again.room.code, again.room.key) == (kept["code"], kept["key"])
    told = again.ask(ADA, "/room/state?after=00000000.1").json()
    assert told["member"]["nickname"] == "Ada"
    assert told["frozen"] is True
    assert told["hide"] == ["seed"]
    assert again.store.policy.max_steps == 50
    assert ADA not in (tmp_path / "room.json").read_text()
    assert stat.S_IMODE((tmp_path / "room.key").stat().st_mode) == 0o600
    again.act("renew")
    assert again.room.code != kept["code"]
    assert again.ask(ADA, "/room/state").json()["member"] is None
    again.end()


def test_a_damaged_file_begins_a_new_room(tmp_path: Path) -> None:
    (tmp_path / "room.json").write_text('{"members": [{"id"')
    school = Class(tmp_path)
    assert len(school.room.members) == 0
    school.end()


def test_the_banner_names_the_links(school: Class) -> None:
    text = school.room.banner("http://192.168.1.20:7860/")
    assert f"http://192.168.1.20:7860/?room={school.room.code}" in text
    assert f"/gradio_api/play/wall#key={school.room.key}" in text


def test_the_code_is_drawn_for_the_address_of_the_page(school: Class) -> None:
    key = {"X-Play-Teacher": school.room.key}
    drawn = school.ask(TEACHER, "/room/qr?origin=http://192.168.1.20:7860", **key)
    assert drawn.headers["content-type"].startswith("image/svg")
    assert b"<svg" in drawn.content
    assert school.ask(TEACHER, "/room/qr?origin=javascript:alert(1)", **key).status_code == 400


def test_a_large_picture_is_made_smaller_for_the_wall() -> None:
    event = {"kind": "preview", "step": 1, "name": "map", "payload": points(1.0, 10_000)}
    body = json.dumps(event, separators=(",", ":")).encode()
    sent = slim(Entry(1, {"name": "map"}, body))
    assert len(sent) < 48_000 < len(body)
    assert json.loads(sent)["payload"]["total"] == 2500
    waves = {**event, "payload": {**sheet(40, None, 0.0)}}
    body = json.dumps(waves, separators=(",", ":")).encode()
    assert len(body) > 48_000
    assert len(slim(Entry(1, {"name": "grid"}, body))) < len(body) / 2
