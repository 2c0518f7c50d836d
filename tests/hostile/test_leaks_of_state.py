"""What opens a shared state: no password and no token in any output, any file, or what is kept there.

The servers echo what they were shown, wherever they can. A place that names one is refused: `test_place.py`.
"""

from __future__ import annotations

import base64
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from defendctl.state.register import swaps
from tests.conftest import Project, custom, few_quick
from tests.servers.buckets import at_s3, fake, weed
from tests.servers.postgres import postgres
from tests.servers.weed import SECRET
from tests.state.forge import Forge, run_git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.fake_store import FakeStore
    from tests.servers.postgres import Cluster
    from tests.servers.weed import Weed

__all__ = ["fake", "weed"]

TOKEN = "planted/to@ken-4711"
COMMANDS = (
    "validate",
    "plan -v",
    "plan --format json --out p.json --report html:plan.html",
    "apply --yes -v --new-state",
    "drift --format json",
    "show bot",
    "outputs",
    "outputs --offline",
    "import other wkfl_1 -v",
    "state list",
    "state pull --output pulled.json",
    "state push pulled.json",
    "state versions --format json",
    "state paths",
    "state unlock nobody",
    "state resolve bot --not-created",
    "state migrate --to moved.json",
    "state list --state-url URL",
    "doctor",
    "doctor --format json",
)


def everything(project: Project) -> str:
    """What every command said, and what every file holds but git's own settings."""
    said = []
    for command in COMMANDS:
        ran = project.run_alone(*command.replace("URL", project.env["PLACE"]).split())
        assert ran.code != 64, ran
        said += [command, ran.out, ran.err]
    paths = (path for path in project.root.rglob("*") if path.is_file() and path.name != "config")
    return "\n".join([*said, *(f"{path} {path.read_bytes().decode(errors='replace')}" for path in paths)])


def assert_clean(text: str, secret: str) -> None:
    for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert form not in text, text[max(0, text.index(form) - 300) :][:600]


@contextmanager
def echoing(status: int) -> Iterator[int]:
    """A server of git that refuses everything and says to whom."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            words = (
                f"no entry for {TOKEN}, that is {quote(TOKEN, safe='')}, at http://x:{TOKEN}@host/?t={TOKEN} "
                f"({self.headers['Authorization']})"
            )
            self.send_response(status)
            self.send_header("content-type", "text/plain")
            self.send_header("content-length", str(len(words)))
            self.end_headers()
            self.wfile.write(words.encode())

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def at(project: Project, url: str, **options: str) -> Project:
    project.settings(state={"url": url, **({"options": options} if options else {})})
    project.declare({"bot": custom()})
    project.env["PLACE"] = url
    return project


@pytest.mark.parametrize(
    "shown", few_quick([("bot:{}", 403), ("bot:{}", 401), ("{}", 500), ("b:{}@c", 403)], ("bot:{}", 403))
)
def test_the_token_of_a_remote(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: tuple[str, int]
) -> None:
    """It stands in git's own settings, and git repeats its URL."""
    monkeypatch.setattr(swaps, "pause", lambda seconds: None)
    clone = Project(Forge(tmp_path / "forge").clone(), project.server, project.env)
    form, status = shown
    who = form.format(quote(TOKEN, safe=""))
    with echoing(status) as port:
        run_git(clone.root, "remote", "set-url", "origin", f"http://{who}@127.0.0.1:{port}/acme.git")
        said = everything(at(clone, "git+origin?key=checkout"))
    assert "origin" in said
    assert_clean(said, TOKEN)
    assert base64.b64encode(f"bot:{TOKEN}".encode()).decode() not in said


@pytest.mark.parametrize(
    "header", few_quick(["AUTHORIZATION: basic {}", "X-Token: {}"], "AUTHORIZATION: basic {}")
)
def test_the_token_of_a_header(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    """As a job of GitHub has it: git sends it along, and its URL holds none."""
    monkeypatch.setattr(swaps, "pause", lambda seconds: None)
    clone = Project(Forge(tmp_path / "forge").clone(), project.server, project.env)
    encoded = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    with echoing(403) as port:
        run_git(clone.root, "remote", "set-url", "origin", f"http://127.0.0.1:{port}/acme.git")
        run_git(clone.root, "config", f"http.http://127.0.0.1:{port}/.extraheader", header.format(encoded))
        said = everything(at(clone, "git+origin?key=checkout"))
    assert "no entry for" in said
    assert_clean(said, TOKEN)
    assert encoded not in said


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["none", "echo", "refused"])
def test_the_password_of_a_database(
    project: Project, guarded: Cluster, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    secret = guarded.password or ""
    monkeypatch.setenv("PGPASSWORD", "planted-4711" if fault == "refused" else secret)
    echo = f"raise exception 'who asks with {secret} from postgres://apply:{secret}@host/?password={secret}'"
    guarded.sql(
        f"create or replace function echo() returns trigger language plpgsql as $f$ begin {echo}; end $f$; "
        "drop trigger if exists echo on defendctl.journal"
    )
    if fault == "echo":
        guarded.sql("create trigger echo before insert on defendctl.journal execute function echo()")
    said = everything(at(project, f"{guarded.url('apply')}?key={fault}"))
    assert ("the password was refused" in said) == (fault == "refused")
    assert ("who asks" in said) == (fault == "echo")
    kept = [guarded.sql(f"select * from defendctl.{name}") for name in ("state", "journal", "left_ids")]
    for each in (secret, "planted-4711"):
        assert_clean(said + str(kept), each)


@pytest.mark.parametrize("status", few_quick([400, 403, 503], 400))
@pytest.mark.parametrize("secret", few_quick(["Tr0ub4dor", "k3y&<", "all4"], "Tr0ub4dor", "k3y&<"))
def test_a_short_key_that_a_store_echoes(
    project: Project, fake: FakeStore, monkeypatch: pytest.MonkeyPatch, secret: str, status: int
) -> None:
    """Too short to be known by its length; the words around it stay."""
    monkeypatch.setattr(swaps, "pause", lambda seconds: None)
    place = at_s3(fake.port, monkeypatch)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    code = secret if secret.isalnum() else "InvalidRequest"
    words = f"the key '{escape(secret)}' or {quote(secret, safe='')} is not of all ({escape(secret)})"
    fake.answer = lambda method, path: (
        status,
        f"<Error><Code>{code}</Code><Message>{words}</Message></Error>",
    )
    said = everything(at(project, place.url, **place.options))
    assert "is not of all (…)" in said
    assert_clean(said, secret)
    assert escape(secret) not in said


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    with postgres(scram=True) as cluster:
        yield cluster


@pytest.mark.slow
@pytest.mark.parametrize("who", ["all", "reader", "nobody"])
def test_the_key_of_a_bucket(project: Project, weed: Weed, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    place = at_s3(weed.port, monkeypatch, who)
    said = everything(at(project, place.url, **place.options))
    assert ("are refused" in said) == (who == "nobody")
    assert ("there is no right to" in said) == (who == "reader")
    assert_clean(said, SECRET)


def test_git_shows_what_these_tests_rely_on(tmp_path: Path) -> None:
    """Its own words hold the token, and the server's."""
    with echoing(403) as port:
        url = f"http://bot:{quote(TOKEN, safe='')}@127.0.0.1:{port}/acme.git"
        ran = subprocess.run(
            ["git", "ls-remote", url], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert TOKEN in ran.stderr
