"""The house keeps its shape: imports point down, the core does no I/O, nothing heavy is loaded early."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "defendctl"
ROWS = [
    {"command", "diagnostics", "durable", "hosts", "process"},
    {"git"},
    {"model"},
    {"event"},
    {"plan"},
    {"policy"},
    {"suite"},
    {"api", "state", "manifest", "sandbox"},
    {"engine"},
    {"render"},
    {"operations"},
    {"cli"},
    {"__main__"},
]
"""From the bottom up. Each may import what stands below it; packages in one row do not know each other."""

PURE = [
    "command.py",
    "diagnostics.py",
    "hosts.py",
    "model.py",
    "event.py",
    "plan/*.py",
    "policy/*.py",
    "suite/*.py",
    "render/*.py",
    "state/document.py",
    "state/records.py",
    "manifest/marks.py",
    "manifest/splice.py",
    "manifest/segments.py",
    "manifest/spell.py",
    "manifest/items.py",
    "manifest/values.py",
    "manifest/body.py",
    "manifest/edit.py",
    "manifest/fmt.py",
    "api/decode.py",
    "api/detail.py",
    "api/submission.py",
    "api/examine.py",
    "api/outcome.py",
    "api/explain.py",
    "api/mask.py",
    "api/asked.py",
    "api/proxy.py",
    "api/dialects/*.py",
    "engine/generation.py",
    "engine/results.py",
]
DOES_IO = {"os", "io", "pathlib", "socket", "time", "datetime", "random", "uuid", "subprocess", "threading"}
DOES_IO |= {"httpx", "filelock", "sqlite3", "secrets", "tempfile", "shutil", "signal", "sys", "logging"}
DOES_IO |= {"fcntl", "defendctl.durable"}

HEAVY = {"httpx", "deepdiff", "pydantic", "yaml", "filelock", "starlette", "uvicorn", "sqlite3", "asyncio"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def row_of(package: str) -> int:
    return next(i for i, row in enumerate(ROWS) if package in row)


def imports(path: Path, *, types: bool) -> set[str]:
    """Every module that a file names; those behind TYPE_CHECKING only if `types`."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden and not types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path, types=True) if name.startswith("defendctl.")}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    home = parts[0].removesuffix(".py")
    if home == "__init__":
        return
    others = ours(path) - {home, "__version__"}
    allowed = set().union(*ROWS[: row_of(home)])
    assert others <= allowed, f"{home} may not import {others - allowed}; see CONTRIBUTING.md"


MEASURES = {"apply/test_crash.py", "crash/bench.py", "crash/__main__.py"}
"""These place a kill by how long runs take, or tell how long they took; nothing is judged by it."""


def test_no_test_looks_at_a_wall_clock() -> None:
    """On a busy machine it fails by itself. Steps, requests, bytes and processor time can be counted."""
    clock = re.compile(r"\b(?:monotonic|perf_counter)(?:_ns)?\(|\btime\.time(?:_ns)?\(|\.elapsed\b")
    tests = Path(__file__).parent
    found = {str(p.relative_to(tests)) for p in tests.rglob("*.py") if clock.search(p.read_text())}
    assert found - {"test_house.py"} <= MEASURES


def test_the_sandbox_stands_on_the_other_side_of_the_wire() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        assert ours(path) <= {"sandbox"}, path


@pytest.mark.parametrize("pattern", PURE)
def test_the_core_does_no_io(pattern: str) -> None:
    files = list(PACKAGE.glob(pattern))
    assert files, f"{pattern} names nothing any more"
    for path in files:
        every = imports(path, types=False)
        named = {name.split(".")[0] for name in every} | ({"defendctl.durable"} & every)
        assert not named & DOES_IO, f"{path} imports {named & DOES_IO}"


def test_only_one_module_knows_httpx_and_one_knows_deepdiff() -> None:
    for library, home in (("httpx", "api/transport.py"), ("deepdiff", "plan/diff.py")):
        users = {p for p in modules() if library in {n.split(".")[0] for n in imports(p, types=True)}}
        assert users == {PACKAGE / home}


WRITES = re.compile(
    r"\.write_(text|bytes)\(|\bopen\([^)]*[\"'](w|a|x|r\+)|\bO_(CREAT|TRUNC|APPEND)\b"
    r"|\bos\.(replace|rename)\(|\bshutil\b|\bmkstemp\b"
)


def test_only_one_module_writes_files() -> None:
    """But for the journal, which grows in place; and SQLite and the lock of filelock write for us."""
    writers = {str(p.relative_to(PACKAGE)) for p in modules() if WRITES.search(p.read_text())}
    assert writers == {"durable.py", "state/journal.py", "state/lock.py"}


def loaded_after(*arguments: str, cwd: Path) -> set[str]:
    """The top-level modules that a command leaves loaded."""
    code = (
        "import sys, json; from defendctl.cli.main import run; code = run(sys.argv[1:]); "
        "print('\\n' + json.dumps([code, sorted({m.split('.')[0] for m in sys.modules})]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, check=True
    )
    code_, names = json.loads(ran.stdout.splitlines()[-1])
    assert code_ == 0, ran.stderr
    return set(names)


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_nothing_heavier_than_click(option: str, tmp_path: Path) -> None:
    assert not loaded_after(option, cwd=tmp_path) & HEAVY
    assert not loaded_after("plan", option, cwd=tmp_path) & HEAVY


def test_validate_loads_neither_httpx_nor_deepdiff() -> None:
    loaded = loaded_after("validate", cwd=ROOT / "examples" / "quickstart")
    assert not loaded & {"httpx", "deepdiff"}
    assert "yaml" in loaded, "the command did run"


def test_a_plan_without_anything_to_read_loads_no_httpx() -> None:
    assert "httpx" not in loaded_after("plan", cwd=ROOT / "examples" / "quickstart")


@pytest.mark.parametrize("kind", ["manifest", "overlay", "project", "plan", "policy", "tests"])
def test_the_committed_schema_is_the_generated_one(kind: str) -> None:
    from defendctl.operations.schema import schema

    committed = (ROOT / "schemas" / f"{kind}.schema.json").read_text()
    assert committed == schema(kind), "run: make schemas"


def test_contributing_maps_every_package() -> None:
    """The map in CONTRIBUTING.md names each package and module of the top level."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for entry in PACKAGE.iterdir():
        if entry.name.startswith("__") or entry.suffix == ".typed":
            continue
        assert f"`{entry.name}" in text or f"{entry.name}" in text, f"{entry.name} is not on the map"
