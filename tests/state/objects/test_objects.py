"""A state in an object store: what is kept and for how long, and what becomes of it when answers get lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from defendctl.diagnostics import DefendctlError
from defendctl.state.lines import head
from defendctl.state.open import open_backend
from defendctl.state.owner import this_run
from tests.servers.buckets import at_azure, at_s3
from tests.servers.proxy import proxied
from tests.servers.weed import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.state.backend import Backend, Lease
    from defendctl.state.place import Place
    from tests.servers.azurite import Azurite
    from tests.servers.fake_store import FakeStore
    from tests.servers.proxy import Loss
    from tests.servers.weed import Weed

    Server = Callable[[pytest.FixtureRequest, pytest.MonkeyPatch], Place]

DAY: Final = timedelta(days=1)


def opened(place: Place) -> Backend:
    return open_backend(place, Path())


def lock(backend: Backend) -> Lease:
    return backend.lock(this_run(), pytest.fail)


def document(serial: int) -> bytes:
    """What a place may want to know of one without parsing it."""
    head = {"lineage": "l", "serial": serial, "writer": f"w{serial}"}
    return (json.dumps(head, indent=2, sort_keys=True) + "\n").encode()


def written(place: Place, *serials: int) -> None:
    lease = lock(opened(place))
    for serial in serials:
        lease.replace(document(serial))
    lease.release()


def states(fake: FakeStore) -> list[int]:
    """Serials of the documents that are there."""
    return sorted(
        int(path.split("/")[-1].split("-")[0]) for path in fake.objects if "/_beside/states/" in path
    )


def test_ten_old_states_are_kept_and_older_ones_for_a_day(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at_s3(fake.port, monkeypatch)
    other = replace(place, key=f"{place.key}/below")
    fake.age = 3 * DAY
    written(other, 1)
    written(place, *range(1, 16))
    assert states(fake) == sorted([1, *range(1, 16)]), "none of them is older than a day beside the newest"
    fake.age = 1.5 * DAY
    written(place, 16)
    kept = [version.serial for version in opened(place).versions()]
    assert kept == [*range(16, 6, -1)]
    assert states(fake) == [1, *range(7, 17)], "what no register names and is older than a day is gone"
    fake.age = 1.0 * DAY
    written(place, *range(17, 30))
    written(place, 30)
    assert states(fake) == [1, *range(16, 31)], "what was put less than a day ago is there for its readers"
    assert opened(other).read().document == document(1), "what lies below another key is its own"


def test_a_store_that_forbids_to_remove_keeps_all_and_the_run_goes_on(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at_s3(fake.port, monkeypatch)
    fake.age = 3 * DAY
    written(place, *range(1, 15))
    fake.age = timedelta()
    fake.answer = lambda method, path: (403, "") if method == "DELETE" else None
    written(place, 15)
    assert states(fake) == [*range(1, 16)]
    assert opened(place).read().document == document(15)


def test_a_document_that_goes_while_it_is_read_is_read_anew(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at_s3(fake.port, monkeypatch)
    written(place, 1)
    seen: list[str] = []

    def meanwhile(method: str, path: str) -> None:
        if method == "GET" and "/_beside/states/00000001-" in path and not seen:
            seen.append(path)
            written(place, 2)
            del fake.objects[path]

    fake.answer = meanwhile
    assert opened(place).read().document == document(2)
    assert seen


def test_two_writes_of_the_same_bytes_are_two_versions(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ETag is the MD5 of the bytes: without something drawn anew, a lock taken twice would be one lock."""
    place = at_s3(fake.port, monkeypatch)
    me, tags = this_run(), []
    for _ in range(3):
        lease = opened(place).lock(me, pytest.fail)
        tags.append(next(kept.etag for path, kept in fake.objects.items() if path.endswith("_register")))
        lease.release()
    assert len({*tags}) == 3


def test_what_a_restore_needs_is_a_command_of_the_stores_own_tool(
    fake: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at_s3(fake.port, monkeypatch)
    written(place, 1, 2)
    command = opened(place).versions()[1].restore
    path = next(path for path in fake.objects if "/_beside/states/00000001-" in path)
    assert f"aws s3 cp s3:/{path} - --endpoint-url {place.options['endpoint']}" in command


def weed_place(request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> Place:
    return at_s3(request.getfixturevalue("weed").port, patch)


def azure_place(request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> Place:
    return at_azure(request.getfixturevalue("azure").port, patch)


@pytest.mark.slow
@pytest.mark.parametrize("server", [weed_place, azure_place])
def test_the_probe_passes_where_one_wins_and_leaves_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    backend = opened(server(request, monkeypatch))
    backend.probe()
    assert backend.read().document is None
    assert backend.engine._list("_probe", 1) == []  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["before", "after"])
@pytest.mark.parametrize("server", [weed_place, azure_place])
def test_an_answer_that_gets_lost_is_settled_whichever_it_is(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, server: Server, loss: Loss
) -> None:
    """A whole run, of which each question in turn does not arrive, or is not answered."""
    origin = server(request, monkeypatch)
    port, losses = _port(origin), 0
    with proxied(port) as proxy:
        through = {"endpoint": origin.options["endpoint"].replace(str(port), str(proxy.port))}
        while True:
            place = replace(origin, key=f"{origin.key}/{losses}", options=through)
            proxy.lose_next(loss, losses + 1)
            begun = proxy.questions
            _run(opened(place))
            proxy.lose = lambda number: None
            if proxy.questions - begun <= losses:
                break
            losses += 1
            backend = opened(place)
            assert backend.read().document == document(3)
            assert backend.read().journal is None
            assert backend.held() is None
            assert [version.serial for version in backend.versions()] == [3, 2, 1]
            assert backend.left(["op"]) == {"op": "wkfl_1"}
    assert losses > 10


def _run(backend: Backend) -> None:
    """Everything that a run asks of a place, with records that are sealed."""
    lease = lock(backend)
    lease.replace(document(1))
    lease.append([head("j", ("l", 1, "w1", None)), _moved(0)])
    lease.append([_moved(number) for number in range(1, 500)])
    lease.append([_moved(500)])
    journal = backend.read().journal
    assert journal
    assert [*journal.records] == [_moved(number) for number in range(501)]
    lease.replace(document(2))
    lease.beat()
    assert backend.leave("op", "wkfl_1")
    lease.replace(document(3))
    lease.release()


def _moved(number: int) -> dict[str, str]:
    return {"do": "moved", "address": f"to{number}", "from": f"from{number}" + 60 * "x"}


def _port(place: Place) -> int:
    return int(place.options["endpoint"].split(":")[2].split("/")[0])


@pytest.mark.slow
def test_a_store_in_earnest_says_what_is_missing(
    weed: Weed, azure: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words as of the store of the tests' own, from real ones."""
    reader = opened(at_s3(weed.port, monkeypatch, "reader"))
    assert reader.read().document is None
    other = "c2VjcmV0"
    s3, az = partial(at_s3, weed.port, monkeypatch), partial(at_azure, azure.port, monkeypatch)
    for place, message in (
        (partial(s3, "reader"), "there is no right to write (403: AccessDenied"),
        (partial(s3, "nobody"), "the credentials are refused (403: InvalidAccessKeyId"),
        (partial(s3, bucket="missing"), 'there is no bucket "missing"'),
        (partial(az, other), "the credentials are refused (403: AuthorizationFailure"),
        (partial(az, container="missing"), 'there is no container "missing"'),
    ):
        with pytest.raises(DefendctlError) as error:
            lock(opened(place()))
        told = f"{error.value.message} {error.value.hint}"
        assert message in told
        assert SECRET not in told
        assert other not in told


@pytest.mark.slow
def test_a_key_that_may_not_be_read_is_not_empty(weed: Weed, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = opened(at_s3(weed.port, monkeypatch, "stranger"))
    for ask in (backend.read, backend.held, backend.versions, lambda: lock(backend)):
        with pytest.raises(DefendctlError, match="may not be read, or it is not there") as error:
            ask()
        assert "s3:ListBucket" in (error.value.hint or "")
