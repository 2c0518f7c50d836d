"""A server that makes something else of what is written: it trims, composes, ends lines anew, or rounds.

It stands before a real sandbox, and changes what requests bring.
"""

from __future__ import annotations

import json
import struct
import threading
import unicodedata
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import custom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

Json = Any
NFD = "cafe\u0301"
CONSOLE = "changed in the console"
SAID = "the API did not take it as written"


def single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def texts(made: Callable[[str], str]) -> Callable[[Json], Json]:
    return lambda body: {k: made(v) if k in ("name", "description") else v for k, v in body.items()}


def numbers(made: Callable[[float], float]) -> Callable[[Json], Json]:
    key = "custom_hallucination_threshold_values"
    return lambda body: {**body, key: {name: made(value) for name, value in body[key].items()}}


@contextmanager
def remaking(url: str, remake: Callable[[Json], Json]) -> Iterator[str]:
    """The URL of a server that asks `url`, with every body made anew."""
    client = httpx.Client(base_url=url, trust_env=False)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            made = json.dumps(remake(json.loads(body))).encode() if body else None
            headers = {"authorization": self.headers["authorization"], "content-type": "application/json"}
            told = client.request(self.command, self.path, content=made, headers=headers)
            self.send_response(told.status_code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(told.content)))
            self.end_headers()
            self.wfile.write(told.content)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()


@pytest.fixture
def before(project: Project) -> Iterator[Callable[[Callable[[Json], Json]], None]]:
    """Puts such a server before the sandbox of `project`."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def put(remake: Callable[[Json], Json]) -> None:
            project.env["DEEP_RAILS_BASE_URL"] = stack.enter_context(remaking(project.server.url, remake))

        yield put


TEXTS = [
    ("trimmed", str.strip, "Answers questions.\n", r'"Answers questions." -> "Answers questions.\n"'),
    ("composed", lambda t: unicodedata.normalize("NFC", t), NFD, r'"caf\u00e9" -> "cafe\u0301"'),
    ("lines", lambda t: t.replace("\r\n", "\n"), "a\r\nb", r'"a\nb" -> "a\r\nb"'),
]


def told_and_empty(project: Project, shown: str) -> None:
    """Nobody changed it: there is nothing to apply and no drift, and plan says why it is not as declared."""
    ran = project.plan("--detailed-exitcode")
    assert (ran.change("a")["action"], ran.json["summary"]["drift"]) == ("none", 0)
    assert ran.field("a", "description")["origin"] == "pending"
    for form in ("text", "markdown"):
        out = project.ok("plan", "--format", form).out
        assert SAID in out
        assert CONSOLE not in out
        assert "Nothing to apply, but 1 workflow not as declared" in out
    assert shown in project.ok("plan").out
    assert project.json("drift").json["drifted"] is False
    assert project.apply().json["results"] == []


@pytest.mark.parametrize(("made", "text", "shown"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_a_text_that_comes_out_in_another_form(
    project: Project, before: Any, made: Callable[[str], str], text: str, shown: str
) -> None:
    before(texts(made))
    project.declare({"a": custom(description=text)})
    result = project.apply(code=1).result("a")
    assert result["outcome"] == "failed"
    assert f"{SAID}: description (" in result["error"]
    told_and_empty(project, shown)

    project.declare({"a": custom(description="x" + text)})
    result = project.apply(code=1).result("a")
    assert f"{SAID}: description (" in result["error"]
    told_and_empty(project, shown.replace('"', '"x', 1).replace('-> "', '-> "x'))

    project.declare({"a": custom(description="x" + text, max_retries=3)})
    assert project.plan().change("a")["action"] == "update"
    assert project.apply().results() == {"a": "done"}, "what is known is not said again as a failure"
    told_and_empty(project, shown.replace('"', '"x', 1).replace('-> "', '-> "x'))

    project.declare({"a": custom(description=made("x" + text), max_retries=3)})
    assert project.plan().json["changes"] == [], "written as it is live"


def test_an_edit_in_the_console_is_still_one(project: Project, before: Any) -> None:
    before(texts(str.strip))
    project.declare({"a": custom(description="text\n")})
    project.apply(code=1)
    project.server.edit(project.bound("a"), description="another text")
    assert CONSOLE in project.ok("plan").out
    assert project.json("drift", code=2).json["drifted"] is True


def test_numbers_of_single_precision_are_equal(project: Project, before: Any) -> None:
    before(numbers(single))
    project.settings(policy={"rules": [{"id": "r", "level": "deny", "no_loosening": True}]})
    project.declare({"a": custom(metrics={"completeness": 0.3, "correctness": 0.7})})
    assert project.apply().results() == {"a": "done"}
    [live] = project.server.workflows()
    assert live["metrics"] == {"completeness": 0.30000001192092896, "correctness": 0.699999988079071}
    assert project.plan("--detailed-exitcode").json["changes"] == []
    assert project.json("drift").json["drifted"] is False
    rows = {row["path"]: row["live"] for row in project.json("show", "a").json["fields"]}
    assert rows["metrics.completeness"] == 0.3
    project.declare({"a": custom(metrics={"completeness": 0.4, "correctness": 0.7})})
    assert project.plan().field("a", "metrics.completeness")["before"] == 0.3
    assert project.apply().results() == {"a": "done"}


def test_a_number_that_is_rounded_further_is_told_truly(project: Project, before: Any) -> None:
    """A console could have set it too, so it is drift; but nobody is accused."""
    before(numbers(lambda value: round(value + 1e-9, 2)))
    project.declare({"a": custom(metrics={"completeness": 0.7})})
    project.apply()
    project.declare({"a": custom(metrics={"completeness": 0.855})})
    error = project.apply(code=1).result("a")["error"]
    assert error == f"{SAID}: metrics.completeness (0.855 became 0.86); declare it as it is live"
    out = project.ok("plan").out
    assert "0.86 -> 0.855" in out
    assert f"{SAID}, or it was changed in the console; git wins" in out
    assert project.json("drift", code=2).json["drifted"] is True


def test_show_tells_texts_apart_that_look_alike(project: Project, before: Any) -> None:
    before(texts(lambda t: unicodedata.normalize("NFC", t)))
    project.declare({"a": custom(description=NFD)})
    project.apply(code=1)
    [row] = [line for line in project.ok("show", "a").out.splitlines() if "description" in line]
    assert row.split()[1:4] == [r'"cafe\u0301"', r'"caf\u00e9"', r'"cafe\u0301"']
