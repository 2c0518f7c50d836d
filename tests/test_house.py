"""The house keeps its shape: imports point down, the core does no I/O, nothing heavy is loaded early."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defendctl.exits import PRECEDENCE, Exit
from tests import house
from tests.house import DECLARED, HEAVY, PACKAGE, ROOT, ROWS, SELDOM, imports, known, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

PURE = {
    "command.py",
    "diagnostics.py",
    "event.py",
    "evidence",
    "exits.py",
    "hosts.py",
    "inspection",
    "model.py",
    "plan",
    "policy",
    "render",
    "replay",
    "review.py",
    "schema",
    "suite",
    "yamltext",
    "api/dialects",
}
"""Folders, and files of the top, that only compute. What reads or writes has a folder of its own."""
IMPURE = {"yamltext/source.py"}
DOES_IO = {"os", "io", "pathlib", "socket", "time", "datetime", "random", "uuid", "subprocess", "threading"}
DOES_IO |= {
    "httpx",
    "httpcore",
    "filelock",
    "sqlite3",
    "secrets",
    "tempfile",
    "shutil",
    "signal",
    "sys",
    "logging",
}
DOES_IO |= {"fcntl", "defendctl.durable"}


def home(name: str) -> str:
    """The folder or file of the top in which a module of ours stands."""
    return [*name.split("."), ""][1]


@pytest.mark.parametrize("path", modules(), ids=house.place)
def test_imports_point_down(path: Path) -> None:
    here = home(house.dotted(path))
    if not here:
        return
    row = next(i for i, names in enumerate(ROWS) if here in names)
    others = {home(one.target) for one in house.imports(path) if one.target.startswith("defendctl.")}
    allowed = set().union(*ROWS[:row])
    assert others - {here, ""} <= allowed, f"{here} stands too low for {others - allowed - {here}}: see ROWS"


def test_there_is_no_circle() -> None:
    """Imports for types included: move what both need to where both may look."""
    assert house.circles() == []


def test_a_name_is_unique() -> None:
    """But where the folder is the difference that matters: SAME_NAME lists such folders."""
    assert house.names_twice() == {}
    assert house.classes_twice() == {}


def test_exit_codes_have_names() -> None:
    """`exits.Exit`: a number says nothing to whoever reads it."""
    assert house.bare_exits() == []


def test_every_exit_code_has_its_rank() -> None:
    """One that is left out would end as 0; a wrong command line never meets another."""
    assert set(PRECEDENCE) == set(Exit) - {Exit.OK, Exit.USAGE}


def test_no_room_is_too_full() -> None:
    """A folder with more than one subject becomes two; so does a module."""
    assert house.full_folders() == {}
    assert house.long_modules() == {}


def test_what_is_imported_late_is_heavy() -> None:
    """Or a command's own operation. Whatever else stands in a function hides what a module needs."""
    assert house.weightless_imports() == []


MEASURES = {"engine/test_crash.py", "crash/bench.py", "crash/shared.py", "crash/__main__.py"}
"""These place a kill by how long runs take, or tell how long they took; nothing is judged by it."""


def test_no_test_looks_at_a_wall_clock() -> None:
    """On a busy machine it fails by itself. Steps, requests, bytes and processor time can be counted."""
    clock = re.compile(r"\b(?:monotonic|perf_counter)(?:_ns)?\(|\btime\.time(?:_ns)?\(|\.elapsed\b")
    tests = Path(__file__).parent
    found = {str(p.relative_to(tests)) for p in tests.rglob("*.py") if clock.search(p.read_text())}
    assert found - {"test_house.py"} <= MEASURES


def test_the_sandbox_stands_on_the_other_side_of_the_wire() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        others = {home(one.target) for one in house.imports(path) if one.target.startswith("defendctl.")}
        assert others <= {"sandbox"}, path


def is_pure(path: Path) -> bool:
    name = house.place(path)
    return name not in IMPURE and any(name == each or name.startswith(f"{each}/") for each in PURE)


def test_the_core_does_no_io() -> None:
    for path in filter(is_pure, modules()):
        every = {one.target for one in house.imports(path) if not one.types}
        named = {name.split(".")[0] for name in every} | ({"defendctl.durable"} & every)
        assert not named & DOES_IO, f"{path} imports {named & DOES_IO}"


def test_only_one_module_knows_httpx_and_one_knows_deepdiff() -> None:
    knows = {"httpx": "api/connection.py", "httpcore": "api/connection.py", "deepdiff": "plan/diff.py"}
    for library, where in knows.items():
        users = {p for p in modules() if library in {one.target.split(".")[0] for one in house.imports(p)}}
        assert users == {PACKAGE / where}


WRITES = re.compile(
    r"\.write_(text|bytes)\(|\bopen\([^)]*[\"'](w|a|x|r\+)|\bO_(CREAT|TRUNC|APPEND)\b"
    r"|\bos\.(replace|rename)\(|\bshutil\b|\bmkstemp\b"
)


def test_only_one_module_writes_files() -> None:
    """But for the journal, which grows in place; and SQLite and the lock of filelock write for us."""
    writers = {str(p.relative_to(PACKAGE)) for p in modules() if WRITES.search(p.read_text())}
    assert writers == {"durable.py", "state/local/journal.py", "state/local/lock.py"}


def every_module_after(*arguments: str, cwd: Path, **env: str) -> set[str]:
    """What a command leaves loaded."""
    code = (
        "import sys; from defendctl.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        "names = list(sys.modules)\n"
        "import json; print('\\n' + json.dumps([code, names]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    code_, names = json.loads(ran.stdout.splitlines()[-1])
    assert code_ == 0, ran.stderr
    return set(names)


def loaded_after(*arguments: str, cwd: Path, **env: str) -> set[str]:
    """The top-level modules of them."""
    return {name for name in every_module_after(*arguments, cwd=cwd, **env) if "." not in name}


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_nothing_heavier_than_click(option: str, tmp_path: Path) -> None:
    assert not loaded_after(option, cwd=tmp_path) & HEAVY
    assert not loaded_after("plan", option, cwd=tmp_path) & HEAVY


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
def test_version_loads_little_of_ours(tmp_path: Path) -> None:
    """And nothing that click does not: each module is a part of what the user waits for."""
    loaded = every_module_after("--version", cwd=tmp_path)
    cli = {f"cli.{name}" for name in ("completing", "console", "main", "options", "run")}
    below = {
        "__main__",
        "cli",
        "command",
        "diagnostics",
        "exits",
        "process",
        *("render", "render.text", "render.text.paint"),
    }
    ours = {name.partition(".")[2] for name in loaded if name.startswith("defendctl.")}
    assert ours == cli | below
    assert not loaded & {"json", "traceback", "difflib", "logging", "socket", "ssl"}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["validate"], {"yaml", "pydantic"}),
        (["plan"], {"yaml", "pydantic", "subprocess"}),
        (["plan", "--no-refresh"], {"yaml", "pydantic", "subprocess"}),
        (["outputs"], {"yaml", "pydantic", "subprocess"}),
        (["fmt", "--check"], {"yaml", "pydantic"}),
        (["schema", "manifest"], {"yaml", "pydantic"}),
    ],
)
@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
def test_what_each_command_loads(arguments: list[str], heavy: set[str]) -> None:
    """Where nothing is to be read from an API."""
    assert loaded_after(*arguments, cwd=ROOT / "examples" / "quickstart") & HEAVY == heavy


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
def test_validate_loads_nothing_for_files_that_are_not_there() -> None:
    """Tests, labels, rules, waivers and a state; and pydantic looks for no plugins."""
    loaded = every_module_after("validate", cwd=ROOT / "examples" / "quickstart")
    assert not loaded & {*SELDOM, "defendctl.manifest.waivers", "defendctl.operations.destinations"}
    assert not loaded & {"importlib.metadata", "zipfile", "socket"}


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
def test_what_shows_the_state_loads_nothing_of_manifests_and_plans() -> None:
    loaded = every_module_after("state", "list", cwd=ROOT / "examples" / "quickstart")
    assert "defendctl.state.document" in loaded
    assert not loaded & {DECLARED, "defendctl.plan.changes", "httpcore"}


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
def test_a_plan_loads_nothing_that_it_is_not_asked_for() -> None:
    """No replay, no recorded tests, no rules of a policy; and its client no events."""
    loaded = every_module_after("plan", cwd=ROOT / "examples" / "quickstart")
    assert not loaded & {*SELDOM - {"defendctl.state.document"}, "defendctl.policy.change_rules"}
    assert not loaded & {"email", "urllib.request"}
    client = {one.target for one in imports(known()["defendctl.api.client"]) if not (one.inside or one.types)}
    assert not client & {"defendctl.api.detail", "defendctl.api.examine"}


@pytest.mark.skipif("coverage" in sys.modules, reason="the measurement itself is loaded")
@pytest.mark.parametrize(("example", "typed"), [("quickstart", "s"), ("fleet", "s")])
def test_a_tab_loads_no_more_than_it_reads(example: str, typed: str) -> None:
    """YAML is all that it needs of what is heavy: neither what validates a file nor what compares two."""
    tab = {"_DEFENDCTL_COMPLETE": "bash_complete", "COMP_WORDS": f"defendctl show {typed}", "COMP_CWORD": "2"}
    loaded = every_module_after(cwd=ROOT / "examples" / example, **tab)
    assert {"defendctl.editing.glance", "defendctl.operations.peek"} <= loaded
    assert loaded & HEAVY == {"yaml"}
    assert not loaded & {"defendctl.manifest", "defendctl.operations.workspace", "defendctl.state.store"}


@pytest.mark.parametrize("kind", ["manifest", "overlay", "project", "plan", "policy", "tests", "labels"])
def test_the_committed_schema_is_the_generated_one(kind: str) -> None:
    from defendctl.operations.schema import schema

    committed = (ROOT / "schemas" / f"{kind}.schema.json").read_text()
    assert committed == schema(kind), "run: make schemas"


STORIES = {"bad", "cases", "crash", "editor", "hostile", "pages", "parts", "servers"}
"""Folders of tests that are about more than one folder of the product."""
OF_THE_REPOSITORY = {"docs", "examples", "house", "readme", "supply"}


def test_the_tests_mirror_the_folders() -> None:
    """What is tested has its tests in a folder of the same name, or at the top if that is where it stands."""
    tops = {path.stem for path in PACKAGE.iterdir()} | STORIES
    tests = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")]
    assert {path.parts[0] for path in tests if len(path.parts) > 1} <= tops
    assert {path.stem[len("test_") :] for path in tests if len(path.parts) == 1} <= tops | OF_THE_REPOSITORY


def test_contributing_maps_every_package() -> None:
    """The map in CONTRIBUTING.md names each package and module of the top level."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for entry in PACKAGE.iterdir():
        if entry.name.startswith("__") or entry.suffix == ".typed":
            continue
        assert f"`{entry.name}" in text or f"{entry.name}" in text, f"{entry.name} is not on the map"


def test_contributing_sends_nobody_to_a_file_that_is_not_there() -> None:
    """Each file that the map and "where each change is made" name, by its path or by its name alone."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`([\w./-]+(?:\.(?:py|md|toml)|/))`", text))
    there = [path.relative_to(ROOT).as_posix() for path in _tree()]
    folders = {f"{parent.as_posix()}/" for path in there for parent in Path(path).parents}
    known = [f"/{path}" for path in (*there, *folders)]
    assert len(named) > 100
    assert [name for name in sorted(named) if not any(path.endswith(f"/{name}") for path in known)] == []


def _tree() -> Iterator[Path]:
    for folder in ("defendctl", "tests", "docs", "pages", "release", "schemas"):
        yield from (ROOT / folder).rglob("*.*")
    yield from ROOT.glob("*.*")
