"""How a server is reached, without one: TLS beyond this machine, what the environment says, what is shown."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from defendctl.state.bounded import gunzipped
from defendctl.state.document import LARGEST
from defendctl.state.open import open_backend
from defendctl.state.place import Place, parse_place
from defendctl.state.postgres.backend import PostgresBackend
from defendctl.state.postgres.settings import connection_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGCONNECT_TIMEOUT", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("target", "mode"),
    [
        ("postgres://db.internal/defend", "verify-full"),
        ("postgres://127.0.0.1,db.internal/defend", "verify-full"),
        ("postgres:///defend?hostaddr=10.0.0.7", "verify-full"),
        ("postgres://localhost/defend?hostaddr=10.0.0.7", "verify-full"),
        ("postgres:///defend?service=ours", "verify-full"),
        ("postgres://db.internal/defend?sslmode=require", "require"),
        ("postgres://db.internal/defend?sslmode=prefer", "prefer"),
        ("postgres://127.0.0.1/defend", None),
        ("postgres://[::1],localhost/defend", None),
        ("postgres:///defend?host=/var/run/postgresql", None),
        ("postgres:///defend", None),
    ],
)
def test_beyond_this_machine_the_certificate_is_checked(target: str, mode: str | None) -> None:
    assert connection_settings(target).get("sslmode") == mode


def test_the_environment_may_say_what_the_url_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-ca")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "3")
    settings = connection_settings("postgres://db.internal/defend")
    assert not {"sslmode", "connect_timeout"} & settings.keys()
    services = tmp_path / "services"
    services.write_text("[ours]\nhost=db.internal\nsslmode=require\n[bare]\nhost=db.internal\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.delenv("PGSSLMODE")
    monkeypatch.setenv("PGSERVICE", "ours")
    assert "sslmode" not in connection_settings("postgres:///defend")
    monkeypatch.setenv("PGSERVICE", "bare")
    assert connection_settings("postgres:///defend")["sslmode"] == "verify-full"
    monkeypatch.delenv("PGSERVICE")
    monkeypatch.setenv("PGHOST", "db.internal")
    assert connection_settings("postgres:///defend")["sslmode"] == "verify-full"


def test_a_pooler_is_given_nothing_that_it_refuses() -> None:
    settings = connection_settings("postgres://db.internal/defend")
    assert "options" not in settings
    assert settings["target_session_attrs"] == "primary"


def test_the_place_is_named_without_user_and_parameters(tmp_path: Path) -> None:
    target = "postgres://ci-role@db.internal:6432/defend?sslmode=require&sslcert=/home/ci/cert"
    backend = PostgresBackend(Place("postgres", target, "team/checkout"), tmp_path)
    assert backend.where == "postgres://db.internal:6432/defend?key=team/checkout"
    assert backend.journal == f"the journal of {backend.where}"


def test_a_place_of_postgres_is_opened_without_a_word_to_the_server(tmp_path: Path) -> None:
    backend = open_backend(parse_place("postgresql://db.internal/defend?key=a"), tmp_path)
    assert backend.where == "postgres://db.internal/defend?key=a"


def test_a_bomb_is_not_unpacked_whole() -> None:
    bomb = gzip.compress(bytes(4 * LARGEST), 1)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="larger than 32 MiB"):
            gunzipped(bomb, LARGEST)
        assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST
    finally:
        tracemalloc.stop()


def test_psycopg_is_loaded_for_a_place_that_needs_it_alone() -> None:
    code = (
        "import sys; import defendctl.state.open, "
        "defendctl.state.postgres.tables; print('psycopg' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
