"""A project on disk, the real command line, and a real sandbox on a loopback port.

`world()` gives a `Project` that speaks to a sandbox of its own; `project` is one of the newest generation.
Commands run in this process where the test is not about processes; `Project.spawn` starts a real one.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, settings

from defendctl.cli.main import run
from defendctl.process import stop_signals
from defendctl.project.load import load_project
from defendctl.sandbox.server import embedded
from tests.servers.tried import pytest_unconfigure as pytest_unconfigure

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

Json = Any
KEY = "sk_planted_key_4711"
GENERATIONS = ("2025-10-07", "2025-10-22", "2025-11-10", "2025-12-07")
CAN_UPDATE_ALL = "2025-12-07"
TRACEBACK = re.compile(r"Traceback|this is a defect of defendctl")


# No test is a job of the pipeline that runs the tests.
for _name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_", "CI_"))]:
    del os.environ[_name]

# Users' streams are buffered, and what is written late can fail late.
os.environ.pop("PYTHONUNBUFFERED", None)

# Every run is the same.
settings.register_profile(
    "defendctl",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("defendctl")


def pytest_configure() -> None:
    """Thousands of tests are collected and none is let go: to look for garbage among them finds nothing."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        return json.loads(self.out)

    def results(self) -> dict[str, str]:
        """Address → outcome, of `apply --format json`."""
        return {result["address"]: result["outcome"] for result in self.json["results"]}

    def result(self, address: str) -> Json:
        return next(each for each in self.json["results"] if each["address"] == address)

    def actions(self) -> dict[str, str]:
        """Address → action, of `plan --format json`."""
        return {change["address"]: change["action"] for change in self.json["changes"]}

    def change(self, address: str) -> Json:
        return next(each for each in self.json["changes"] if each["address"] == address)

    def field(self, address: str, path: str) -> Json:
        return next(each for each in self.change(address)["fields"] if each["path"] == path)


@dataclass(frozen=True)
class Server:
    """The sandbox from behind: the truth, the request log, the console and the faults."""

    url: str
    client: httpx.Client
    key: str = KEY

    def workflows(self) -> list[Json]:
        return list(self._ask("GET", "workflows"))

    def files(self) -> list[Json]:
        """All that is known of what was uploaded, the oldest first."""
        return list(self._ask("GET", "files"))

    def workflow(self, workflow_id: str) -> Json:
        return next(each for each in self.workflows() if each["workflow_id"] == workflow_id)

    def names(self) -> list[str]:
        return sorted(each["name"] for each in self.workflows())

    def requests(self, method: str | None = None) -> list[Json]:
        return [each for each in self._ask("GET", "requests") if method in (None, each["method"])]

    def count(self, method: str) -> int:
        return len(self.requests(method))

    def forget_requests(self) -> None:
        self._ask("DELETE", "requests")

    def fault(self, kind: str, method: str | None = None, **options: Any) -> None:
        self._ask("POST", "faults", {"kind": kind, "method": method, **options})

    def heal(self) -> None:
        self._ask("DELETE", "faults")

    def add(self, **values: Any) -> str:
        return str(self._ask("POST", "workflows", values)["workflow_id"])

    def edit(self, workflow_id: str, **values: Any) -> None:
        self._ask("PATCH", f"workflows/{quote(workflow_id, safe='')}", values)

    def remove(self, workflow_id: str) -> None:
        self._ask("DELETE", f"workflows/{quote(workflow_id, safe='')}")

    def give(self, workflow_id: str, *events: Json) -> None:
        """Finished events, as defendctl/sandbox/given.py describes them."""
        self._ask("POST", "events", {"workflow_id": workflow_id, "events": events})

    def events(self, workflow_id: str) -> list[Json]:
        """As they are stored, the oldest first."""
        return list(self._ask("GET", f"events?workflow_id={quote(workflow_id, safe='')}"))

    def _ask(self, method: str, what: str, content: Json = None) -> Json:
        headers = {"Authorization": f"Bearer {self.key}"}
        url = f"{self.url}/_sandbox/{what}"
        answer = self.client.request(method, url, json=content, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Project:
    """A folder with manifests, and commands that run in it."""

    root: Path
    server: Server
    env: dict[str, str] = field(default_factory=dict)

    @property
    def state_file(self) -> Path:
        return self.root / "defendctl.state.json"

    @property
    def journal(self) -> Path:
        return self.root / "defendctl.state.json.journal"

    @property
    def state(self) -> Json:
        return json.loads(self.state_file.read_text())

    def settings(self, **keys: Any) -> None:
        """Write the project file. JSON is YAML. The lineage of a state that is there is pinned."""
        if not {"state", "environments"} & keys.keys() and self.state_file.exists():
            keys["state"] = {"lineage": self.state["lineage"]}
        (self.root / "defendctl.yaml").write_text(json.dumps({"version": 1, **keys}))

    def pin(self, generation: str) -> None:
        self.settings(api={"generation": generation})

    def declare(self, workflows: dict[str, Json], name: str = "workflows/all.yaml") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 1, "workflows": workflows}))

    def run(self, *arguments: str) -> Ran:
        """Runs a command here, in this process. One that writes the first state is told that it may."""
        return self.run_alone(*arguments, *self._beginning(arguments))

    def run_alone(self, *arguments: str) -> Ran:
        """Exactly this command. None may end in a traceback."""
        out, err = _stream(), _stream()
        with (
            _environment(self.env),
            _folder(self.root),
            _signals(),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(list(arguments))
        ran = Ran(code, _text(out), _text(err))
        assert not TRACEBACK.search(ran.out + ran.err), ran
        return ran

    def ok(self, *arguments: str, code: int = 0) -> Ran:
        ran = self.run(*arguments)
        assert ran.code == code, ran
        return ran

    def json(self, *arguments: str, code: int = 0) -> Ran:
        """The same with `--format json`, whatever the code: stdout is one JSON document."""
        ran = self.ok(*arguments, "--format", "json", code=code)
        assert ran.json["format_version"] in ("1.0", "1.1")
        return ran

    def apply(self, *arguments: str, code: int = 0) -> Ran:
        return self.json("apply", "--yes", *arguments, code=code)

    def plan(self, *arguments: str, code: int = 0) -> Ran:
        return self.json("plan", *arguments, code=code)

    def assert_settled(self) -> None:
        """Apply, then plan, is empty."""
        ran = self.plan("--detailed-exitcode")
        assert ran.json["changes"] == []

    def _beginning(self, arguments: tuple[str, ...]) -> list[str]:
        writes = {"apply", "import", "--create-canary"} & {*arguments}
        return ["--new-state"] if writes and self._is_first(arguments) else []

    def _is_first(self, arguments: tuple[str, ...]) -> bool:
        """Whether nothing tells of a state in the environment that is named."""
        named = arguments.index("--env") + 1 if "--env" in arguments else None
        environment = arguments[named] if named else self.env.get("DEFENDCTL_ENV")
        project, wrong = load_project(None, self.root)
        project = project.environments.get(environment or "", project)
        kept = (self.root / ".defendctl").rglob(f"backups/{project.state_path.name}/*.json")
        return not (wrong or project.lineage or project.state_path.exists() or any(kept))

    def spawn(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """A real process."""
        return subprocess.Popen(
            [sys.executable, "-m", "defendctl", *arguments, *self._beginning(arguments)],
            cwd=self.root,
            env={**os.environ, **self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def bound(self, address: str) -> str:
        """The id that `outputs` tells."""
        return str(self.json("outputs").json["outputs"][address])

    def files(self) -> dict[str, bytes]:
        """Everything that is on disk, lock files aside."""
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {str(p.relative_to(self.root)): p.read_bytes() for p in paths if ".lock" not in p.name}

    def state_bytes(self) -> tuple[bytes | None, bytes | None]:
        return _bytes(self.state_file), _bytes(self.journal)

    def age_intent(self, minutes: float) -> None:
        """Make every unresolved create this much older, as if the time had passed."""
        from datetime import datetime, timedelta

        from defendctl.model import Intent
        from defendctl.state.document import from_text, to_text

        state = from_text(self.state_file.read_text())
        for address, intent in state.unresolved.items():
            at = datetime.fromisoformat(intent.at) - timedelta(minutes=minutes)
            state.unresolved[address] = Intent(
                intent.op, at.isoformat(), intent.sent, intent.replaces, intent.why
            )
        self.state_file.write_text(to_text(state))


def custom(**changes: Any) -> Json:
    """A workflow as a manifest declares it."""
    return {"type": "custom", "metrics": {"completeness": 0.8}, "improvement_action": "fixit", **changes}


def automatic(**changes: Any) -> Json:
    return {
        "type": "automatic",
        "tolerance": "low",
        "metrics": ["completeness", "correctness"],
        "improvement_action": "none",
        **changes,
    }


World = Callable[..., Project]
Case = TypeVar("Case")


def few_quick(every: Iterable[Case], *quick: Case) -> list[Case | ParameterSet]:
    """The cases of a table that starts processes: these in `make test`, the others in `make test-slow`."""
    every = list(every)
    assert all(each in every for each in quick), quick
    return [each if each in quick else pytest.param(each, marks=pytest.mark.slow) for each in every]


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        yield client


@pytest.fixture
def world(tmp_path: Path, http: httpx.Client) -> Iterator[World]:
    """Starts a sandbox with the given options, and makes an empty project that speaks to it."""
    with ExitStack() as stack:
        count = 0

        def make(**options: Any) -> Project:
            nonlocal count
            count += 1
            root = tmp_path / f"project-{count}"
            (root / "workflows").mkdir(parents=True)
            url = stack.enter_context(embedded(":memory:", **options))
            server = Server(url, http, options.get("api_key") or KEY)
            return Project(root, server, environment_for(server.url))

        yield make


@pytest.fixture
def project(world: World) -> Project:
    return world()


@pytest.fixture
def offline(tmp_path: Path, http: httpx.Client) -> Project:
    """A project whose API is a port where nobody listens."""
    (tmp_path / "workflows").mkdir()
    return Project(tmp_path, Server("", http), environment_for("http://127.0.0.1:9"))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait for the API is meant to be, in seconds; they are waited all the same."""
    from defendctl.api.patience import Patience

    found: list[float] = []
    pause = Patience.pause

    def recorded(patience: Patience, seconds: float) -> None:
        found.append(seconds)
        pause(patience, seconds)

    monkeypatch.setattr(Patience, "pause", recorded)
    return found


@pytest.fixture
def unused_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def environment_for(url: str) -> dict[str, str]:
    return {"DEEPRAILS_API_KEY": KEY, "DEEP_RAILS_BASE_URL": url, "NO_PROXY": "*", "NO_COLOR": "1"}


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _signals() -> Iterator[None]:
    """A run takes the signals for its own until the process ends."""
    before = {number: signal.getsignal(number) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
