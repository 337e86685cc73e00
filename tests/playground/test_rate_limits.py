from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground import rate_limits
from playground.origins import Origins
from playground.rate_limits import ASK, PLAY, START, UPLOAD, Arrivals, Buckets, RateLimits, Refusal
from playground.security import Guard

OWNER = {"x-play-owner": "ada-ada-ada-ada-ada"}
HERE = "192.0.2.7"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> RateLimits:
    return RateLimits(clock)


def owner(number: int) -> dict[str, str]:
    return {"x-play-owner": f"owner-number-{number:08}"}


def upload(limits: RateLimits, who: dict[str, str], address: str = HERE) -> Refusal | None:
    return limits.check("POST", f"{PLAY}/pictures", who, address)


def test_ten_uploads_a_minute(limits: RateLimits, clock: Clock) -> None:
    assert [upload(limits, OWNER) for _ in range(10)] == [None] * 10
    refused = upload(limits, OWNER)
    assert refused is not None
    assert refused.seconds == 6
    assert refused.sentence.endswith("6 s.")
    assert upload(limits, owner(2)) is None
    clock.now += 6
    assert upload(limits, OWNER) is None
    assert upload(limits, OWNER) is not None


def test_fifteen_starts_at_once_and_thirty_a_minute(limits: RateLimits, clock: Clock) -> None:
    def start() -> Refusal | None:
        return limits.check("POST", f"{PLAY}/runs", OWNER, HERE)

    assert sum(start() is None for _ in range(30)) == START.owner.burst
    clock.now += 60
    assert sum(start() is None for _ in range(60)) == START.owner.burst
    clock.now += 2
    assert start() is None


def test_the_page_never_reaches_its_limit(limits: RateLimits, clock: Clock) -> None:
    """Eight tabs that poll, a room that is polled, and sixty pictures a second while dragging."""
    for tick in range(60 * 60):
        clock.now += 1 / 60
        assert limits.check("POST", f"{PLAY}/explore/point", OWNER, HERE) is None
        if tick % 40 == 0:
            for _ in range(8):
                assert limits.check("GET", f"{PLAY}/runs/x/events", OWNER, HERE) is None
        if tick % 120 == 0:
            assert limits.check("GET", f"{PLAY}/room/state", OWNER, HERE) is None


def test_a_class_behind_one_address_fits(limits: RateLimits, clock: Clock) -> None:
    for second in range(30):
        clock.now += 1
        for student in range(100):
            for _ in range(2):
                assert limits.check("GET", f"{PLAY}/runs/x/events", owner(student), HERE) is None
            if second == 0:
                assert limits.check("POST", f"{PLAY}/runs", owner(student), HERE) is None
                assert upload(limits, owner(student)) is None
            if student < 20:
                for _ in range(20):
                    assert limits.check("POST", f"{PLAY}/explore/x", owner(student), HERE) is None


def test_new_tokens_do_not_help_one_address(limits: RateLimits) -> None:
    let = sum(upload(limits, owner(n)) is None for n in range(400))
    assert let == UPLOAD.address.burst
    assert upload(limits, owner(999), "192.0.2.8") is None
    refused = upload(limits, owner(998))
    assert refused is not None
    assert "network" in refused.sentence


def test_static_files_are_free_and_gradio_is_counted(limits: RateLimits) -> None:
    for _ in range(2 * int(ASK.address.burst)):
        assert limits.check("GET", f"{PLAY}/web/v-1/store.js", {}, HERE) is None
    for path, kind in (
        ("/gradio_api/upload", rate_limits.FILE),
        ("/gradio_api/call/start_run", rate_limits.CALL),
        ("/gradio_api/queue/join", rate_limits.CALL),
        ("/gradio_api/queue/data", rate_limits.CALL),
    ):
        assert rate_limits.kind_of("POST", path) is kind
    files = [limits.check("POST", "/gradio_api/upload", {}, HERE) for _ in range(101)]
    assert files[:100] == [None] * 100
    assert files[100] is not None


def test_a_short_token_is_no_owner(limits: RateLimits) -> None:
    for _ in range(50):
        assert upload(limits, {"x-play-owner": "short"}) is None
    assert len(limits._owners) == 0


def test_memory_is_bounded() -> None:
    clock = Clock()
    buckets = Buckets(50, clock)
    for number in range(500):
        assert buckets.take("ask", str(number), ASK.owner) == 0.0
    assert len(buckets) == 50


def test_a_clock_that_goes_back_gives_nothing(limits: RateLimits, clock: Clock) -> None:
    for _ in range(10):
        upload(limits, OWNER)
    clock.now -= 3600
    assert upload(limits, OWNER) is not None


def test_uploads_at_once() -> None:
    arrivals = Arrivals(of_one=2, in_all=3)
    with arrivals.one("a"), arrivals.one("a"):
        with pytest.raises(rate_limits.TooMany) as refused, arrivals.one("a"):
            pass
        assert refused.value.status == 429
        with (
            arrivals.one("b"),
            pytest.raises(rate_limits.TooMany, match="people"),
            arrivals.one("c"),
        ):
            pass
        with arrivals.one("b"):
            pass
    assert not arrivals._now


def test_the_guard_answers_429_with_a_time() -> None:
    async def taken(request: Request) -> PlainTextResponse:
        return PlainTextResponse("taken")

    app = Starlette(
        routes=[Route(f"{PLAY}/pictures", taken, methods=["POST"])],
        middleware=[Middleware(Guard, hosts={"testserver"})],
    )
    http = TestClient(app)
    answers = [http.post(f"{PLAY}/pictures", headers=OWNER) for _ in range(11)]
    assert [a.status_code for a in answers] == [200] * 10 + [429]
    said = answers[-1].json()
    assert int(answers[-1].headers["retry-after"]) == said["retry_s"] >= 1
    assert said["error"].endswith(".")


# ---- whose address it is -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "peer"),
    [
        (0, "198.51.100.9", "10.0.0.1"),
        (0, "", "10.0.0.1"),
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "1.2.3.4, 198.51.100.9", "198.51.100.9"),
        (2, "1.2.3.4, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        (2, "198.51.100.9", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "nonsense", "unknown"),
        (-1, "6.6.6.6, 8.8.8.8, 10.1.2.3", "8.8.8.8"),
        (-1, "10.1.2.3", "10.0.0.1"),
        (-1, "2001:4860:4860::8888", "2001:4860:4860::/64"),
    ],
)
def test_a_forwarded_address_counts_where_it_is_configured(
    proxies: int, forwarded: str, peer: str
) -> None:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert Origins((), proxies).peer(("10.0.0.1", 5), headers) == peer


def test_addresses_as_keys() -> None:
    origins = Origins(())
    assert origins.peer(None, {}) == "unknown"
    assert origins.peer(("::ffff:192.0.2.7", 1), {}) == "192.0.2.7"
    assert origins.peer(("2001:db8::1", 1), {}) == origins.peer(("2001:db8::2", 1), {})
    assert origins.peer(("fe80::1%eth0", 1), {}) == "fe80::/64"
