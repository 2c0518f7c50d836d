"""What a store answers, and what is made of it: no absence that is not certain, no word as it is.

The answers are those of the stores' documentation, given by a store of the tests' own.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.backend import Unreachable
from defendctl.state.document import DamagedState
from defendctl.state.register.engine import Lost
from defendctl.state.register.objects import Objects
from defendctl.state.register.refusal import Refusal
from tests.servers.buckets import at_google, at_s3
from tests.servers.weed import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.state.place import Place
    from tests.servers.fake_store import FakeStore

    At = Callable[[int, pytest.MonkeyPatch], Place]

HOSTILE = f"\x1b[31m::error:: see https://evil.example/ or x://evil?{SECRET} or {SECRET}"


def said(code: str, sentence: str = "No.") -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{sentence}</Message></Error>"


@pytest.fixture
def engine(fake: FakeStore, monkeypatch: pytest.MonkeyPatch) -> Objects:
    return Objects(at_s3(fake.port, monkeypatch))


def answering(fake: FakeStore, status: int, body: str, method: str = "GET") -> None:
    fake.answer = lambda asked, path: (status, body) if asked == method else None


def test_only_the_word_for_a_missing_object_means_that_nothing_is_there(
    fake: FakeStore, engine: Objects
) -> None:
    assert engine.read() is None
    for body in ("", "<html>not found</html>", said("NoSuchUpload"), said("NoSuchBucket")):
        answering(fake, 404, body)
        with pytest.raises(DefendctlError):
            engine.read()
        with pytest.raises(DefendctlError):
            engine.fetch("states/1")


@pytest.mark.parametrize(
    ("status", "body", "message", "hint"),
    [
        (
            403,
            said("AccessDenied"),
            "may not be read, or it is not there (403: AccessDenied: No.)",
            "ListBucket",
        ),
        (403, "", "may not be read, or it is not there (403)", "grant s3:GetObject and s3:ListBucket"),
        (404, said("NoSuchBucket"), 'there is no bucket "states"', "create it"),
        (403, said("SignatureDoesNotMatch"), "the credentials are refused", "AWS_SECRET_ACCESS_KEY"),
        (403, said("InvalidAccessKeyId"), "the credentials are refused", "AWS_SECRET_ACCESS_KEY"),
        (400, said("ExpiredToken"), "the credentials are refused", "AWS_SESSION_TOKEN"),
        (401, "", "the credentials are refused (401)", "AWS_ACCESS_KEY_ID"),
        (301, said("PermanentRedirect"), "the bucket is in another region", "options.region"),
        (400, said("AuthorizationHeaderMalformed"), "the bucket is in another region", "AWS_REGION"),
        (400, said("InvalidRequest", HOSTILE), "refuses to read (400: InvalidRequest:", ""),
        (418, f"<html>{HOSTILE}</html>", "refuses to read (418: ", ""),
    ],
)
def test_a_refusal_that_stays_is_told_with_what_to_do(
    fake: FakeStore, engine: Objects, status: int, body: str, message: str, hint: str
) -> None:
    answering(fake, status, body)
    with pytest.raises(DefendctlError) as error:
        engine.read()
    told = f"{error.value.message} {error.value.hint}"
    assert error.value.message.startswith(engine.where)
    assert message in error.value.message
    assert hint in (error.value.hint or "")
    assert told.isprintable()
    assert "evil" not in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("method", "right"), [("PUT", "s3:PutObject"), ("DELETE", "s3:DeleteObject"), ("GET", "s3:ListBucket")]
)
def test_the_right_that_is_missing_is_named(
    fake: FakeStore, engine: Objects, method: str, right: str
) -> None:
    answering(fake, 403, said("AccessDenied"), method)
    with pytest.raises(DefendctlError) as error:
        engine.probe()
    assert right in (error.value.hint or "")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_may_pass_is_said_to_be_unreachable(fake: FakeStore, engine: Objects, status: int) -> None:
    answering(fake, status, said("SlowDown", HOSTILE))
    with pytest.raises(Unreachable, match=f"{status}: SlowDown") as error:
        engine.read()
    assert SECRET not in str(error.value)
    assert "evil" not in str(error.value)
    answering(fake, status, said("SlowDown"), "PUT")
    with pytest.raises(Unreachable):
        engine.swap(b"1", None, {}, ())
    with pytest.raises(Unreachable):
        engine.put("op", b"1")


@pytest.mark.parametrize(
    ("status", "code"), [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")]
)
def test_a_swap_that_is_refused_is_lost_and_whoever_asked_looks(
    fake: FakeStore, engine: Objects, status: int, code: str
) -> None:
    version = engine.swap(b"1", None, {}, ())
    answering(fake, status, said(code), "PUT")
    for expected in (None, version):
        with pytest.raises(Lost):
            engine.swap(b"2", expected, {}, ())
    assert engine.read() == (b"1", version)


def test_a_bucket_that_is_gone_is_no_lost_swap(fake: FakeStore, engine: Objects) -> None:
    version = engine.swap(b"1", None, {}, ())
    answering(fake, 404, said("NoSuchBucket"), "PUT")
    for expected in (None, version):
        with pytest.raises(DefendctlError, match='there is no bucket "states"'):
            engine.swap(b"2", expected, {}, ())


def test_a_port_where_nobody_listens(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match="no connection could be made"):
        Objects(at_s3(unused_port, monkeypatch)).read()


def test_the_size_is_asked_before_a_body_is_read(fake: FakeStore, engine: Objects) -> None:
    """The body breaks off; whoever read it would not be told of its size."""
    fake.claims = 33 << 20
    engine.swap(b"1", None, {"states/1": b"1"}, ["states/1"])
    with pytest.raises(DamagedState, match="larger than 32 MiB"):
        engine.read()
    with pytest.raises(DamagedState, match="larger than 32 MiB"):
        engine.fetch("states/1")


def test_an_answer_that_breaks_off_is_none(fake: FakeStore, engine: Objects) -> None:
    engine.put("op", b"bytes")
    fake.claims = 50
    with pytest.raises(Unreachable, match="broke off"):
        engine.loose()


def test_what_is_gone_since_it_was_listed_was_not_left(fake: FakeStore, engine: Objects) -> None:
    engine.put("op", b"bytes")
    fake.answer = lambda asked, path: (404, said("NoSuchKey")) if path.endswith("/op") else None
    assert engine.loose() == {}


def test_a_store_that_gives_no_version_is_refused(fake: FakeStore, engine: Objects) -> None:
    answering(fake, 200, "a register")
    with pytest.raises(Precondition, match="gives its objects no version"):
        engine.read()


def test_credentials_that_cannot_be_had_are_told_apart(fake: FakeStore, engine: Objects) -> None:
    """Never had any is an error that stays; not renewed is one that passes."""
    elsewhere = Refusal("http://169.254.169.254/latest", None, "", "no route")
    assert isinstance(first := engine._refused(elsewhere, "read"), DefendctlError)
    assert "no credentials were found (no route)" in str(first)
    engine.read()
    assert isinstance(then := engine._refused(elsewhere, "read"), Unreachable)
    assert "could not be renewed" in str(then)


def test_the_client_asks_once(fake: FakeStore, engine: Objects) -> None:
    """Its own repeats would be refused for what it wrote itself."""
    answering(fake, 503, "", "PUT")
    with pytest.raises(Unreachable):
        engine.swap(b"1", None, {}, ())
    assert [asked.split("/")[0] for asked in fake.asked] == ["PUT "]


def test_the_probe_refuses_a_store_that_reads_another_version_than_it_wrote(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a lost answer was a write that landed could not be told."""
    fake.confuses = True
    with pytest.raises(Precondition, match="one version for a write and another"):
        Objects(at_google(fake.port, monkeypatch)).probe()


def test_a_signal_is_heard_while_an_answer_is_waited_for(fake: FakeStore, engine: Objects) -> None:
    """The store answers once it was; whoever waits deaf is told that no answer came."""
    asked, heard = threading.Event(), threading.Event()

    def answer(method: str, path: str) -> None:
        asked.set()
        heard.wait(60)

    def interrupt() -> None:
        asked.wait()
        for _ in range(600):  # one that comes between two instructions is heard with the next
            os.kill(os.getpid(), signal.SIGUSR1)
            if heard.wait(0.1):
                return

    fake.answer = answer
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.set())
    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    try:
        assert engine.read() is None
    finally:
        interrupting.join()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("at", [at_s3, at_google])
@pytest.mark.parametrize("ignored", ["if-match", "if-none-match", "x-goog-if-generation-match", "pause"])
def test_the_probe_refuses_a_store_that_is_unsound(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch, at: At, ignored: str
) -> None:
    """Google compares a number that each write draws anew, and S3 a tag of the bytes."""
    engine = Objects(at(fake.port, monkeypatch))
    mine = (
        ("pause", "x-goog-if-generation-match") if at is at_google else ("pause", "if-match", "if-none-match")
    )
    fake.pause, fake.ignored = (0.02, ()) if ignored == "pause" else (0.0, (ignored,))
    if ignored in mine:
        with pytest.raises(Precondition, match="two writers won where one may"):
            engine.probe()
    else:
        engine.probe()
    assert not fake.objects, "what was tried with is removed"
