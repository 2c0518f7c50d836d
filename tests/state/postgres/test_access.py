"""Who may do what, what is said where it may not, and that no password is in what is said."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError
from defendctl.state.backend import Unreachable
from defendctl.state.place import Place
from defendctl.state.postgres.backend import PostgresBackend
from defendctl.state.postgres.tables import RIGHTS, schema_sql
from tests.servers.installing import with_apt
from tests.servers.postgres import postgres
from tests.state.postgres.door import Door
from tests.state.postgres.given import leased
from tests.state.test_backend_contract import HEAD, OLD, owner, record, refuse_to_warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.postgres import Cluster

pytestmark = pytest.mark.slow


def said(error: BaseException) -> str:
    """All that a user is shown, and what stands behind it."""
    told = f"{error} {getattr(error, 'hint', '')}"
    return told + (said(error.__cause__) if error.__cause__ else "")


@pytest.fixture
def written(door: Door) -> Door:
    """A state that a run has left, with a journal and an id."""
    with leased(door.open()) as lease:
        lease.replace(OLD)
        lease.append([HEAD, record(0)])
    door.open().leave("0123abcd", "wkfl_1")
    return door


def test_a_role_that_may_only_read_reads_everything(written: Door) -> None:
    reader = written.open("plan")
    stored = reader.read()
    assert stored.document == OLD
    assert stored.journal
    assert reader.left(["0123abcd"]) == {"0123abcd": "wkfl_1"}
    assert reader.left([]) == {}
    assert reader.held() is None
    with leased(written.open()):
        assert reader.held()
    assert reader.newest(None) is None
    assert [*reader.versions()] == []


def test_a_role_that_may_only_read_writes_nothing(written: Door) -> None:
    reader = written.open("plan")
    for write in (
        lambda: reader.lock(owner("alice"), refuse_to_warn),
        lambda: reader.forget_left("0123abcd"),
        reader.probe,
    ):
        with pytest.raises(DefendctlError, match="read-only"):
            write()
    assert written.open().held() is None


@pytest.mark.parametrize(("table", "right"), [(t, right) for t, do in RIGHTS.items() for right in do])
def test_the_probe_names_each_right_that_is_missing(door: Door, table: str, right: str) -> None:
    door.open().probe()
    door.sql(f"revoke {right} on defendctl.{table} from defendctl_writer")
    try:
        with pytest.raises(DefendctlError, match=rf"lacks {right} on defendctl\.{table}$") as refused:
            door.open().probe()
        assert "defendctl_writer" in (refused.value.hint or "")
    finally:
        door.sql(f"grant {right} on defendctl.{table} to defendctl_writer")


@pytest.mark.parametrize("user", ["stranger", "apply"])
def test_a_right_that_is_missing_is_said(door: Door, user: str) -> None:
    if user == "apply":
        with leased(door.open()) as lease:
            door.sql("revoke insert on defendctl.journal from defendctl_writer")
            try:
                with pytest.raises(Unreachable, match="lacks a right"):
                    lease.append([HEAD])
            finally:
                door.sql("grant insert on defendctl.journal to defendctl_writer")
    else:
        with pytest.raises(DefendctlError, match="lacks a right") as refused:
            door.open(user).read()
        assert "state schema" in (refused.value.hint or "")
        with pytest.raises(DefendctlError, match=r"lacks .*USAGE on schema defendctl"):
            door.open(user).probe()


def test_where_the_tables_are_missing_their_command_is_named(door: Door) -> None:
    backend = door.open(database="bare")
    for ask in (backend.read, backend.probe, lambda: backend.lock(owner("alice"), refuse_to_warn)):
        with pytest.raises(DefendctlError, match="tables of the state are missing") as refused:
            ask()
        assert "defendctl state schema" in (refused.value.hint or "")


def test_what_makes_the_tables_may_be_run_again(written: Door) -> None:
    written.sql(schema_sql())
    assert written.open().read().document == OLD


@pytest.mark.parametrize(
    ("user", "database", "words"),
    [("apply", "nowhere", "no such database"), ("nobody", "defend", "the role was refused")],
)
def test_a_database_or_a_role_that_is_not_there_is_said(
    door: Door, user: str, database: str, words: str
) -> None:
    with pytest.raises(DefendctlError, match=words):
        door.open(user, database=database).read()


def test_a_server_that_acknowledges_too_early_is_refused(door: Door) -> None:
    door.sql("create role hasty login in role defendctl_writer")
    door.sql("alter role hasty set synchronous_commit = off")
    backend = door.open("hasty")
    for ask in (backend.probe, lambda: backend.lock(owner("alice"), refuse_to_warn)):
        with pytest.raises(DefendctlError, match="synchronous_commit is off"):
            ask()
    assert door.open().held() is None
    door.sql("drop role hasty")


@contextmanager
def following(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Somebody who receives what is written, and whom the server waits for where it is told to."""
    program = with_apt("pg_receivewal", "postgresql-client", "usr/lib/postgresql/*/bin")
    command = [
        program,
        "-D",
        str(folder),
        "-d",
        cluster.url("postgres", "postgres"),
        "--no-loop",
        "--synchronous",
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not cluster.sql("select 1 from pg_stat_replication where state = 'streaming'"):
            assert process.poll() is None
        yield
    finally:
        process.kill()
        process.wait()


def test_a_replica_that_nobody_waits_for_is_told(tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    with postgres() as cluster, following(cluster, tmp_path / "wal"):
        door = Door(cluster, tmp_path)
        assert "a fail-over may lose what was acknowledged" in (door.open().probe() or "")
        cluster.sql("alter system set synchronous_standby_names = '*'")
        cluster.sql("select pg_reload_conf()")
        while not cluster.sql("select 1 from pg_stat_replication where sync_state = 'sync'"):
            continue
        assert door.open().probe() is None


def test_a_read_replica_is_not_the_state(tmp_path: Path) -> None:
    """It may be behind, and what it lacks would be created again."""
    with postgres() as cluster:
        door = Door(cluster, tmp_path)
        door.open().probe()
        cluster.stop()
        cluster.become_replica()
        cluster.start()
        backend = door.open()
        backend.patience = 0.1
        for ask in (backend.read, backend.probe, lambda: backend.lock(owner("alice"), refuse_to_warn)):
            with pytest.raises(DefendctlError, match="read replica"):
                ask()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    with postgres(scram=True) as cluster:
        yield cluster


@contextmanager
def with_password(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.delenv("PGPASSWORD", raising=False)
        patch.setenv("PGPASSFILE", "/nonexistent")
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


def test_the_password_comes_as_libpq_has_it(
    guarded: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, secret = Door(guarded, tmp_path), guarded.password or ""
    passfile, services = tmp_path / "pass", tmp_path / "services"
    passfile.write_text(f"127.0.0.1:{guarded.port}:defend:apply:{secret}\n")
    passfile.chmod(0o600)
    services.write_text(f"[ours]\npassword={secret}\n")
    for variables in (
        {"PGPASSWORD": secret},
        {"PGPASSFILE": str(passfile)},
        {"PGSERVICEFILE": str(services), "PGSERVICE": "ours"},
    ):
        with with_password(monkeypatch, **variables):
            assert door.open().read().document is None


def test_no_password_is_in_any_message(
    guarded: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one that is refused, nor one that a server says, as a trigger does here."""
    door, secret = Door(guarded, tmp_path), guarded.password or ""
    echo = f"raise exception 'who asks with {secret} from postgres://apply:{secret}@host/?'"
    guarded.sql(
        f"create function echo() returns trigger language plpgsql as $f$ begin {echo}; end $f$; "
        "create trigger echo before insert on defendctl.journal execute function echo()"
    )
    planted = "planted-4711"
    refusal = pytest.raises(DefendctlError, match="the password was refused")
    with with_password(monkeypatch, PGPASSWORD=planted), refusal as refused:
        door.open().read()
    assert planted not in said(refused.value)
    with with_password(monkeypatch), pytest.raises(DefendctlError, match="asks for a password"):
        door.open().read()
    passfile = tmp_path / "pass"
    passfile.write_text(f"*:*:*:apply:{secret}\n")
    passfile.chmod(0o600)
    for variables in ({"PGPASSWORD": secret}, {"PGPASSFILE": str(passfile)}):
        with with_password(monkeypatch, **variables), leased(door.open()) as lease:
            with pytest.raises(Unreachable, match="who asks") as echoed:
                lease.append([HEAD])
            assert secret not in said(echoed.value)


@pytest.mark.parametrize("target", ["postgres://apply@host/db?s3cret=1", "postgres://apply@[s3cret/db"])
def test_a_url_that_libpq_does_not_take_is_not_repeated(target: str, tmp_path: Path) -> None:
    with pytest.raises(DefendctlError, match="is not a URL") as refused:
        PostgresBackend(Place("postgres", target, "key"), tmp_path)
    assert "s3cret" not in said(refused.value)


def test_where_psycopg_is_missing_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from defendctl.state.open import open_backend\n"
        "from defendctl.state.place import parse_place\n"
        "from defendctl.diagnostics import DefendctlError\n"
        "try: open_backend(parse_place('postgres://host/db?key=a'), Path())\n"
        "except DefendctlError as error: print(error.exit_code, error.hint)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == (
        f"1 `{sys.executable} -m pip install 'defendctl[postgres]'` adds it to this installation; "
        "https://defendctl.github.io/defendctl/0.1/install/ says how to pin it\n"
    )
