"""Where the key may go, and which variable holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from defendctl.hosts import api_host, hide_secrets, is_listed, is_loopback, secrets_in, without_secrets
from tests.conftest import custom
from tests.hostile.wire import answering, listening

if TYPE_CHECKING:
    from tests.conftest import Json, Project

TOKEN = "ghp_planted_token_0815"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:7f00:1", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("notlocalhost", False),
        ("127.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("128.0.0.1", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.example.com/v1", "api.example.com"),
        ("https://api.example.com:443", "api.example.com"),
        ("https://api.example.com:8443", "api.example.com:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("https://127.0.0.1:80", "127.0.0.1:80"),
        ("http://[::1]:8080/x", "[::1]:8080"),
    ],
)
def test_how_a_host_is_remembered(url: str, host: str) -> None:
    assert api_host(url) == host


@pytest.mark.parametrize(
    ("url", "hosts", "listed"),
    [
        ("https://api.example.com", "api.example.com", True),
        ("https://api.example.com", "other, API.example.com ", True),
        ("https://api.example.com", "api.example.com:443", True),
        ("https://api.example.com:443", "api.example.com", True),
        ("https://api.example.com:8443", "api.example.com:8443", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("https://api.example.com:8443", "api.example.com", False),
        ("https://api.example.com", "api.example.com:8443", False),
        ("https://api.example.com", "example.com", False),
        ("https://api.example.com", "*.example.com", False),
        ("https://api.example.com", ".example.com", False),
        ("https://api.example.com", "*", False),
        ("https://api.example.com", "https://api.example.com", False),
        ("https://api.example.com.", "api.example.com", False),
        ("https://api.example.com", "", False),
        ("https://api.example.com", ",", False),
        ("http://127.0.0.1:8080", "localhost:8080", False),
    ],
)
def test_which_hosts_are_listed(url: str, hosts: str, listed: bool) -> None:
    assert is_listed(url, hosts) is listed


COMMANDS = [["plan"], ["apply", "--yes"], ["drift"], ["show", "a"], ["import", "a", "wkfl_1"]]


@pytest.mark.parametrize("hosts", ["", " ", "api.deeprails.com", "127.0.0.1:1"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_another_host_than_those_allowed_gets_nothing(
    project: Project, command: list[str], hosts: str
) -> None:
    project.declare({"a": custom()})
    project.env["DEFENDCTL_ALLOWED_HOSTS"] = hosts
    host = project.server.url.removeprefix("http://")
    ran = project.ok(*command, code=6)
    assert f"DEFENDCTL_ALLOWED_HOSTS does not allow the API host {host}" in ran.err
    assert f"now: {hosts.strip() or 'none'}" in ran.err
    assert project.server.requests() == []


def test_allowed_hosts(project: Project) -> None:
    project.declare({"a": custom()})
    project.env["DEFENDCTL_ALLOWED_HOSTS"] = (
        f"api.deeprails.com, {project.server.url.removeprefix('http://')}"
    )
    project.apply()
    project.env["DEFENDCTL_ALLOWED_HOSTS"] = ""
    (check,) = [c for c in project.json("doctor", code=6).json["checks"] if c["topic"] == "base URL"]
    assert check["verdict"] == "problem"
    project.ok("validate")
    project.apply("--sandbox")


VARIABLES: list[Json] = ["GITHUB_TOKEN", "DEEPRAILS", "DEEPRAILS_", "XDEEPRAILS_KEY", "deeprails_key"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_other_variable_is_sent(project: Project, variable: str) -> None:
    """A project file that names another variable and another host gets nothing, from any command."""
    with listening(answering(lambda request: b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")) as api:
        project.settings(api={"base_url": api.url, "key_variable": variable})
        project.declare({"a": custom()})
        del project.env["DEEP_RAILS_BASE_URL"]
        project.env |= {variable: TOKEN, "GITHUB_TOKEN": TOKEN}
        ran = project.ok("validate", code=1)
        assert "defendctl.yaml:1:" in ran.out
        assert "begins with `DEEPRAILS_`" in ran.out
        for command in (
            *COMMANDS,
            ["doctor"],
            ["verify", "a"],
            ["test", "--create-canary"],
            ["events", "list", "a"],
        ):
            ran = project.run(*command)
            assert ran.code == 1, ran
            assert TOKEN not in ran.out + ran.err
        assert api.connections == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://me:hunter2@host/a?token=hunter2 now", "at https://host/a now"),
        ("at https://me:hun@ter2@host/a", "at https://host/a"),
        ("at https://me:hun/ter2@host/a", "at https://host/a"),
        ("at https://hunter2@host/a, https://b@host/c", "at https://host/a, https://host/c"),
        ("at https://host:8443/a@b", "at https://host:8443/a@b"),
        ("at https://host/a@b", "at https://host/a@b"),
        ("git@host:a/b.git: is it there", "git@host:a/b.git: is it there"),
        ("wrote to me@host.example", "wrote to me@host.example"),
    ],
)
def test_what_is_shown_of_a_url(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("the key tr0ub4dor&3 is xtr0ub4dor&3x", ["tr0ub4dor&3"], "the key … is x…x"),
        ("that is tr0ub4dor%263, or tr0ub4dor&amp;3", ["tr0ub4dor&3"], "that is …, or …"),
        ("no: a note on _no_ (no) annoys", ["no"], "…: a note on _…_ (…) annoys"),
        ("a=+x+ for +x+y", ["+x+"], "a=… for …y"),
        ("long-one long", ["long", "long-one"], "… …"),
        ("nothing", ["", "other"], "nothing"),
    ],
)
def test_what_is_hidden_of_secrets(text: str, secrets: list[str], shown: str) -> None:
    """A short one is a part of ordinary words, and hidden only where it stands alone."""
    assert hide_secrets(text, secrets) == shown


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://me:hunt%2Fer2@host/a", ["hunt%2Fer2", "hunt/er2", "bWU6aHVudC9lcjI="]),
        ("https://ghp_planted_token_0815@host/a", [TOKEN, TOKEN, "Z2hwX3BsYW50ZWRfdG9rZW5fMDgxNTo="]),
        ("https://git@host/a", []),
        ("ssh://git@host/a", []),
        ("git@host:a", []),
    ],
)
def test_what_of_a_url_may_be_repeated_nowhere(url: str, secrets: list[str]) -> None:
    assert secrets_in(url) == secrets
