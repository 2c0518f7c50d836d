"""When requests are tried again, and when the run gives up: requests are counted, and time is a number."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.client import DefendApi
from defendctl.api.dialects import DIALECTS
from defendctl.api.outcome import Created, Refused, Unknown, Unsent
from defendctl.api.patience import BUDGET, LONGEST_WAIT, TRIES, WAITED_IN_ALL, NotTried, Patience
from defendctl.diagnostics import ApiError, Interrupted
from defendctl.engine.refresh import refresh
from tests.conftest import KEY, custom
from tests.hostile.wire import Listener, answering, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

NEWEST = DIALECTS["2025-12-07"]
VALUES = {"name": "n", "type": "custom", "metrics": {"completeness": 0.5}, "improvement_action": "none"}


@dataclass
class Clock:
    """Time that passes only where somebody waits. Whoever waits at the same time waits together."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            with self.guard:
                self.waits.append(seconds)
                self.now += seconds
        return event.is_set()

    @property
    def passed(self) -> float:
        return self.now - 1000.0


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff takes its longest."""
    monkeypatch.setattr("random.uniform", lambda least, most: most)


def answer(status: int, *headers: str, body: bytes = b'{"workflow_id": "w", "name": "n"}') -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def speaking(reply: Callable[[bytes], bytes]) -> Iterator[tuple[DefendApi, Listener, Clock]]:
    clock = Clock()
    with listening(answering(reply)) as server:
        patience = Patience(lambda: clock.now, clock.wait)
        api = DefendApi(server.url, KEY, seconds=10, patience=patience)
        try:
            yield api, server, clock
        finally:
            api.close()


def in_turn(*answers: bytes) -> Callable[[bytes], bytes]:
    """The last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def read_all(api: DefendApi, count: int, parallelism: int) -> str:
    """Why not all could be read."""
    with pytest.raises(ApiError) as caught:
        refresh(api, {f"a{n:02}": f"w{n}" for n in range(count)}, parallelism)
    return caught.value.message


# --- a wait that is not worth it ---


@pytest.mark.parametrize(
    "header",
    [
        "Retry-After: 120",
        "Retry-After-Ms: 120000",
        "Retry-After: Tue, 01 Jul 2036 10:02:00 GMT\r\nDate: Tue, 01 Jul 2036 10:00:00 GMT",
        "RateLimit-Remaining: 0\r\nRateLimit-Reset: 120",
        "X-RateLimit-Reset: 120",
        'RateLimit: "default";r=0;t=120',
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_is_told_and_stops_all_others(header: str, status: int) -> None:
    if status == 503 and header.startswith("X-"):
        header += "\r\nX-RateLimit-Remaining: 0"
    with speaking(in_turn(answer(status, header))) as (api, server, clock):
        said = read_all(api, 30, 1)
        assert said == (
            f"a00: reading w0: the API answered {status} and asks to wait 120 s\nnot tried: 29 more"
        )
        assert len(server.received) == 1
        assert clock.passed == 0
        outcome = api.speaking(NEWEST).create(VALUES, lambda: None)
        assert isinstance(outcome, Unsent)
        assert "not tried, because the API asks to wait 120 s" in outcome.why
        assert not outcome.again
        assert len(server.received) == 1


def test_those_under_way_end_and_no_other_begins() -> None:
    """Ten at once: each of them may have been sent before the first answer was there."""
    with speaking(in_turn(answer(429, "Retry-After: 120"))) as (api, server, clock):
        said = read_all(api, 300, 10)
        assert "asks to wait 120 s" in said
        assert len(server.received) <= 10
        assert clock.passed == 0


def test_who_waits_already_is_woken() -> None:
    patience = Patience()
    waiting, ended = threading.Event(), threading.Event()
    patience.hold_back(3600)

    def wait() -> None:
        waiting.set()
        with pytest.raises(NotTried, match="not tried, because so it is"):
            patience.wait_turn("reading w")
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    waiting.wait()
    patience.give_up("so it is")
    assert ended.wait(30)


def test_a_stop_wakes_and_interrupts() -> None:
    patience = Patience()
    patience.stop()
    for seconds in (3600, 0):
        with pytest.raises(Interrupted):
            patience.pause(seconds)
    patience.hold_back(3600)
    with pytest.raises(Interrupted):
        patience.wait_turn("reading w")


@pytest.mark.parametrize("what", ["create", "event", "update", "upload"])
def test_a_long_wait_after_a_write(what: str) -> None:
    sends: dict[str, Callable[[DefendApi], Any]] = {
        "create": lambda api: api.speaking(NEWEST).create(VALUES, lambda: None),
        "event": lambda api: api.submit("w", {}, lambda: None),
        "update": lambda api: api.speaking(NEWEST).update("w", VALUES),
        "upload": lambda api: api.speaking(NEWEST).upload("f.pdf", b"x"),
    }
    with speaking(in_turn(answer(429, "Retry-After: 120"))) as (api, server, clock):
        try:
            outcome = sends[what](api)
        except ApiError as error:
            outcome = Refused(429, error.message)
        assert isinstance(outcome, Refused)
        assert "the API answered 429 and asks to wait 120 s" in outcome.why
        assert outcome.wait is None
        with pytest.raises(NotTried):
            api.read("w")
        assert len(server.received) == 1
        assert clock.passed == 0


# --- storms ---


@pytest.mark.parametrize("parallelism", [1, 10])
@pytest.mark.parametrize("header", ["Retry-After: 50", "Retry-After: 1", "Retry-After: 0", "X: y"])
def test_a_storm_of_429_ends(header: str, parallelism: int) -> None:
    """Thirty workflows, and each answer a refusal."""
    with speaking(in_turn(answer(429, header))) as (api, server, clock):
        said = read_all(api, 30, parallelism)
        assert "the API answered 429" in said
        assert clock.passed <= (WAITED_IN_ALL + LONGEST_WAIT) * parallelism
        assert sum(clock.waits) <= (WAITED_IN_ALL + 8) * parallelism, "each of those who wait together counts"
        assert len(server.received) <= 30 * TRIES


def test_a_storm_over_creates_ends() -> None:
    with speaking(in_turn(answer(429, "Retry-After: 50"))) as (api, server, clock):
        outcomes = []
        for _ in range(30):
            outcome = api.speaking(NEWEST).create(VALUES, lambda: None)
            outcomes.append(outcome)
            if isinstance(outcome, Refused) and outcome.wait is not None:
                api.pause(outcome.wait)
        assert len(server.received) == 3
        assert clock.passed == 100
        assert [type(outcome) for outcome in outcomes[:4]] == [Refused, Refused, Refused, Unsent]
        assert "asks again to wait 50 s" in outcomes[-1].why  # type: ignore[union-attr]


def test_few_answers_between_many_waits_do_not_make_them_endless() -> None:
    """A refusal with 50 s, an answer, and so on."""
    count = 0

    def reply(request: bytes) -> bytes:
        nonlocal count
        count += 1
        return answer(429, "Retry-After: 50") if count % 2 else answer(200)

    with speaking(reply) as (api, server, clock):
        said = read_all(api, 100, 1)
        assert "asks to wait 50 s" in said
        assert "not tried: " in said
        assert clock.passed <= 150
        assert len(server.received) < 10


def test_a_limit_that_lets_enough_through_is_kept_to_the_end() -> None:
    """A hundred a minute, and a thousand to read."""
    left = 100

    def reply(request: bytes) -> bytes:
        nonlocal left
        left = left - 1 if left else 99
        return answer(200, f"RateLimit-Remaining: {left}", "RateLimit-Reset: 60")

    with speaking(reply) as (api, server, clock):
        live = refresh(api, {f"a{n}": "w" for n in range(1000)}, 1)
        assert len(live) == 1000
        assert len(server.received) == 1000
        assert clock.passed == 9 * 60, "before each hundred but the first"


def test_who_says_that_nothing_is_left_is_not_asked_before() -> None:
    replies = in_turn(answer(200, "RateLimit-Remaining: 0", "RateLimit-Reset: 30"), answer(200))
    with speaking(replies) as (api, server, clock):
        api.read("w")
        assert clock.passed == 0
        api.read("w")
        assert clock.passed == 30
        assert api.speaking(NEWEST).create(VALUES, lambda: None) == Created("w")
        assert clock.passed == 30
        assert len(server.received) == 3


@pytest.mark.parametrize("seconds", [61, 86400])
def test_a_far_reset_holds_nobody_back_before_a_refusal(seconds: int) -> None:
    limits = f"RateLimit-Remaining: 0\r\nRateLimit-Reset: {seconds}"
    with speaking(in_turn(answer(200, limits))) as (api, server, clock):
        for _ in range(5):
            api.read("w")
        assert clock.passed == 0
        assert len(server.received) == 5


def test_a_server_that_always_says_that_nothing_is_left_is_believed_for_a_while() -> None:
    with speaking(in_turn(answer(200, "RateLimit-Remaining: 0", "RateLimit-Reset: 60"))) as (
        api,
        server,
        clock,
    ):
        for _ in range(50):
            api.read("w")
        assert len(server.received) == 50
        assert clock.passed <= WAITED_IN_ALL + 50 * 5


def test_a_429_is_waited_out() -> None:
    replies = in_turn(answer(429, "Retry-After: 50"), answer(200))
    with speaking(replies) as (api, server, clock):
        assert api.read("w")
        assert clock.passed == 50
        assert len(server.received) == 2


def test_a_503_that_asks_to_wait_is_waited_out_by_all() -> None:
    replies = in_turn(answer(503, "Retry-After: 50"), answer(200))
    with speaking(replies) as (api, server, clock):
        assert isinstance(api.speaking(NEWEST).create(VALUES, lambda: None), Unknown)
        assert api.read("w")
        assert clock.passed == 50
        assert len(server.received) == 2


def test_no_clock_of_ours_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    dates = "Date: Tue, 01 Jul 2036 10:00:00 GMT", "Retry-After: Tue, 01 Jul 2036 10:00:07 GMT"
    with speaking(in_turn(answer(429, *dates), answer(200))) as (api, _, clock):
        assert api.read("w")
        assert clock.passed == 7


# --- failures ---


def test_a_server_that_only_fails_is_given_up() -> None:
    with speaking(in_turn(answer(500))) as (api, server, clock):
        said = read_all(api, 100, 1)
        assert "the API answered 500 (tried 4 times)" in said
        assert "not tried: " in said
        assert len(server.received) <= BUDGET
        assert clock.passed < 60


def test_a_long_wait_ends_an_apply(project: Project) -> None:
    """At most those creates that run at once are sent; what was not sent is not in doubt."""
    project.declare({f"w{n}": custom() for n in range(9)})
    headers = {"Retry-After": "120"}
    project.server.fault("status", "POST", status=429, times=None, headers=headers)
    ran = project.apply(code=1)
    assert set(ran.results().values()) == {"failed"}
    errors = [result["error"] for result in ran.json["results"]]
    assert "the API answered 429 and asks to wait 120 s" in errors
    assert any(
        "nothing was sent: creating: not tried, because the API asks to wait 120 s" in e for e in errors
    )
    assert project.server.count("POST") <= 3
    project.server.heal()
    assert set(project.apply().results().values()) == {"done"}


def test_a_long_wait_ends_a_plan(project: Project) -> None:
    project.declare({f"w{n}": custom() for n in range(30)})
    project.apply()
    project.server.forget_requests()
    project.server.fault("status", "GET", status=429, times=None, headers={"retry-after": "120"})
    ran = project.ok("plan", "--parallelism", "4", code=1)
    assert "the API answered 429 and asks to wait 120 s" in ran.err
    assert "not tried: " in ran.err
    assert project.server.count("GET") <= 4
