"""The YAML language server that editors run, spoken to over its standard input and output.

It is installed with npm from the lock beside this file, into `.cache/editor`. Where that cannot be done the
reason is printed and the tests are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "editor"
COMMAND = "node_modules/yaml-language-server/bin/yaml-language-server"
Json = Any


def installed() -> Path:
    """The server's program; installed anew only when the lock has changed."""
    lock = (HERE / "package-lock.json").read_bytes()
    done = CACHE / ".installed"
    if done.exists() and done.read_bytes() == lock:
        return CACHE / COMMAND
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the editor's language server cannot be run: {' and '.join(missing)} is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, CACHE / name)
    run = subprocess.run(["npm", "ci"], cwd=CACHE, capture_output=True, text=True, timeout=300, check=False)
    if run.returncode:
        pytest.skip(f"the editor's language server cannot be installed: npm ci said {run.stderr[-500:]}")
    done.write_bytes(lock)
    return CACHE / COMMAND


class Editor:
    """What an editor asks the server. Lines and columns count from 0, as in the protocol."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._count = process, 0
        self._told: dict[str, list[Json]] = {}
        self._settings: Json = {}

    def start(self, schemas: dict[Path, str]) -> None:
        """`schemas`: file of a schema → glob of the files it is for."""
        self._settings = {
            "validate": True,
            "hover": True,
            "completion": True,
            "schemaStore": {"enable": False},
            "schemas": {file.as_uri(): glob for file, glob in schemas.items()},
        }
        snippets = {"completion": {"completionItem": {"snippetSupport": True}}}
        self._ask(
            "initialize", {"processId": None, "rootUri": None, "capabilities": {"textDocument": snippets}}
        )
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": self._settings}})

    def diagnostics(self, path: Path) -> list[Json]:
        """Of a file, once the server has spoken of it."""
        self._told.pop(path.as_uri(), None)
        self.open(path)
        while path.as_uri() not in self._told:
            self._read()
        return sorted(self._told[path.as_uri()], key=lambda each: each["range"]["start"]["line"])

    def open(self, path: Path, text: str | None = None) -> None:
        text = path.read_text(encoding="utf-8") if text is None else text
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})

    def hover(self, path: Path, line: int, column: int) -> str:
        answer = self._ask("textDocument/hover", self._place(path, line, column))
        return str(answer["contents"]["value"]) if answer else ""

    def completions(self, path: Path, text: str) -> dict[str, str]:
        """Label → the text inserted, at the `|` in `text`."""
        before, after = text.split("|")
        self.open(path, before + after)
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        answer = self._ask("textDocument/completion", self._place(path, line, column))
        return {item["label"]: _inserted(item) for item in answer["items"]}

    def _place(self, path: Path, line: int, column: int) -> Json:
        return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}

    def _ask(self, method: str, params: Json) -> Json:
        self._count += 1
        self._send({"id": self._count, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == self._count and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _tell(self, method: str, params: Json) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> Json:
        """The next message; what the server asks of us is answered."""
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the language server has ended"
        message = json.loads(self._process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._told[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    def _answer(self, message: Json) -> Json:
        """The server asks for its settings; everything else it asks is answered with nothing."""
        if message["method"] != "workspace/configuration":
            return None
        sections = [item.get("section") for item in message["params"]["items"]]
        return [self._settings if section == "yaml" else {} for section in sections]


def _inserted(item: Json) -> str:
    edit = item.get("textEdit") or {}
    return str(edit.get("newText") or item.get("insertText") or item["label"])


@contextmanager
def editor(schemas: dict[Path, str]) -> Iterator[Editor]:
    command = ["node", str(installed()), "--stdio"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        speaking = Editor(process)
        speaking.start(schemas)
        yield speaking
    finally:
        process.kill()
        process.wait()
