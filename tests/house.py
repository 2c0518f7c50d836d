"""The package as a building: what imports what, which names stand twice, what is too full.

`python -m tests.house` prints the counts; `test_house.py` holds them to what the rules allow.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "defendctl"

ROWS = (
    {"catalogue", "command", "durable", "exits", "hosts", "model", "sandbox"},
    {"diagnostics", "documentation", "process"},
    {"event", "git", "pipelines", "plan", "threads", "yamltext"},
    {"inspection", "replay", "state"},
    {"evidence"},
    {"api", "policy", "suite"},
    {"engine", "review", "schema"},
    {"editing", "project"},
    {"manifest"},
    {"render"},
    {"ci"},
    {"operations"},
    {"cli"},
    {"__main__"},
)
"""From the bottom up: each may import what stands below it, and nothing beside it."""

LAYERS = frozenset(
    {
        *("cli", "operations", "render", "render/text", "render/json", "render/markdown"),
        *("render/html", "render/page"),
    }
)
CORES = (
    ".",
    "editing",
    "engine",
    "evidence",
    "inspection",
    "manifest",
    "plan",
    "policy",
    "project",
    "replay",
    "suite",
)
SAME_NAME = (
    *(LAYERS | {core} for core in CORES),
    frozenset({"ci", "render"}),
    frozenset({"manifest", "plan"}),
    frozenset({"manifest", "policy"}),
    frozenset({"manifest", "replay"}),
    frozenset({"state", "state/local", "state/postgres", "state/register"}),
)
"""Folders in which one file name means one subject: a command, its operation, how its result is shown, the
core of it; what a manifest says and what is made of it; a protocol and what keeps it; a forge and what its
runner reads."""

HEAVY = frozenset(
    {
        *("httpx", "httpcore", "deepdiff", "pydantic", "yaml", "filelock", "psycopg", "obstore"),
        *("starlette", "uvicorn", "sqlite3", "asyncio", "concurrent", "email", "subprocess"),
    }
)
SELDOM = frozenset(
    {
        *("defendctl.event", "defendctl.suite.models", "defendctl.replay.labels", "defendctl.yamltext.marks"),
        *("defendctl.policy.finding", "defendctl.state.document", "defendctl.api.patience"),
        *("defendctl.evidence.tuning", "defendctl.suite.recorded"),
    }
)
"""Of ours: what only some projects or runs need, and which takes as long as a manifest to read."""
DECLARED = "defendctl.manifest.resolve"
"""What commands of the state alone do without."""
FULL = 16
UNBOUNDED = {"cli", "operations", "sandbox"}
"""A file for each command, and the island."""
LONGEST = 350
TABLES = {"schema/texts.py", "schema/editor.py", "sandbox/generations.py"}
"""Mostly data, which no split makes easier to read."""


@dataclass(frozen=True)
class Import:
    """One name that one file imports; `inside` a function, or for `types` alone."""

    target: str
    name: str
    inside: bool
    types: bool
    line: int


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def folder(path: Path) -> str:
    return path.relative_to(PACKAGE).parent.as_posix()


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def known() -> dict[str, Path]:
    return {dotted(path): path for path in modules()}


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, wherever it stands."""
    return tuple(_imports(tree_of(path), inside=False, types=False))


def _imports(node: ast.AST, *, inside: bool, types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, "", inside, types, child.lineno)
        elif isinstance(child, ast.ImportFrom) and child.module:
            for alias in child.names:
                whole = f"{child.module}.{alias.name}"
                target = whole if whole in known() else child.module
                yield Import(target, alias.name, inside, types, child.lineno)
        else:
            deeper = inside or isinstance(child, ast.FunctionDef)
            hidden = types or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
            yield from _imports(child, inside=deeper, types=hidden)


def neighbours() -> dict[str, set[str]]:
    """Module → the modules of ours that it imports, for types as well."""
    return {
        name: {one.target for one in imports(path) if one.target in known()} - {name}
        for name, path in known().items()
    }


def circles() -> list[list[str]]:
    """Sets of modules each of which reaches every other, smallest names first."""
    graph, found = neighbours(), set()
    reach = {name: _reached(name, graph) for name in graph}
    for name in graph:
        ring = frozenset(other for other in reach[name] if name in reach[other])
        if len(ring) > 1:
            found.add(ring)
    return sorted(sorted(ring) for ring in found)


def _reached(name: str, graph: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for other in graph[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def names_twice() -> dict[str, list[str]]:
    """File names that stand in folders which do not share their subjects."""
    where: dict[str, list[str]] = {}
    for path in modules():
        if path.name not in ("__init__.py", "__main__.py") and folder(path) != "sandbox":
            where.setdefault(path.name, []).append(folder(path))
    return {
        name: folders
        for name, folders in where.items()
        if len(folders) > 1 and not any(set(folders) <= allowed for allowed in SAME_NAME)
    }


def classes_twice() -> dict[str, list[str]]:
    where: dict[str, list[str]] = {}
    for path in modules():
        if folder(path) != "sandbox":
            for node in tree_of(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    where.setdefault(node.name, []).append(place(path))
    return {name: places for name, places in where.items() if len(places) > 1}


def full_folders() -> dict[str, int]:
    count = Counter(folder(path) for path in modules() if path.name != "__init__.py")
    return {name: n for name, n in count.items() if n > FULL and name not in UNBOUNDED}


def long_modules() -> dict[str, int]:
    lengths = {place(path): path.read_text().count("\n") for path in modules()}
    return {name: n for name, n in lengths.items() if n > LONGEST and name not in TABLES}


@cache
def weight(module: str) -> frozenset[str]:
    """The heavy libraries, and modules of ours, that importing a module loads."""
    return frozenset(_weight(module, set()))


def _weight(module: str, seen: set[str]) -> Iterator[str]:
    if module in seen:
        return
    seen.add(module)
    if module in {*SELDOM, DECLARED}:
        yield module
    if module not in known():
        yield from {module.partition(".")[0]} & HEAVY
        return
    for one in imports(known()[module]):
        if not (one.inside or one.types):
            yield from _weight(one.target, seen)


def weightless_imports() -> list[str]:
    """Imports in functions that guard no weight; a command may always open its own operation late."""
    found = []
    for name, path in known().items():
        for one in imports(path):
            guards = weight(one.target) - weight(name)
            own = name.startswith("defendctl.cli.") and one.target.startswith("defendctl.operations")
            own = own or name in FIRST
            if one.inside and not one.types and one.target in known() and not (guards or own):
                found.append(f"{place(path)}:{one.line}: {one.target}.{one.name}")
    return sorted(found)


FIRST = frozenset(
    {
        *("defendctl.__main__", "defendctl.operations.peek"),
        *(f"defendctl.cli.{m}" for m in ("main", "console", "completing", "options")),
    }
)
"""What runs before a command is chosen, or for a TAB: it opens late whatever only some commands, projects or
mistakes need."""

_CODES = frozenset(Exit) - {Exit.OK}


def bare_exits() -> list[str]:
    """Numbers that stand where an exit code is meant; they have names in `exits.py`."""
    found = []
    for path in modules():
        if folder(path) != "sandbox":
            found += [f"{place(path)}:{line}" for line in _bare(path)]
    return sorted(found)


def _bare(path: Path) -> Iterator[int]:
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target) if _of_exits(target):
                yield from _numbers(node.value)
            case ast.keyword(arg=str(name)) if "exit" in name:
                yield from _numbers(node.value)
            case ast.Call(func=func) if _of_exits(func):
                for given in node.args:
                    yield from _numbers(given)
            case ast.FunctionDef(name=name, returns=ast.Name("int")) if path.parent.name == "cli":
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return):
                        yield from _numbers(inner.value)
            case ast.FunctionDef(args=args):
                named = dict(zip(reversed(args.args), reversed(args.defaults), strict=False))
                for one, default in named.items():
                    if one.arg in ("exit_code", "code"):
                        yield from _numbers(default)


def _of_exits(node: ast.AST) -> bool:
    """`exit_code`, `worst_exit`, `exits.add`, `os._exit` and their like."""
    words = {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Name | ast.Attribute)
    }
    return any("exit" in word.lower() for word in words)


def _numbers(node: ast.AST | None) -> Iterator[int]:
    """The lines of those in a value, a choice or a set of values."""
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value in _CODES:
            yield node.lineno
        case ast.IfExp(body=body, orelse=other):
            yield from _numbers(body)
            yield from _numbers(other)
        case ast.Set(elts=parts) | ast.Dict(values=parts):
            for part in parts:
                yield from _numbers(part)


def counts() -> dict[str, int]:
    every = [node for path in modules() for node in ast.walk(tree_of(path))]
    functions = [node for node in every if isinstance(node, ast.FunctionDef)]
    return {
        "modules": len(modules()),
        "lines": sum(path.read_text().count("\n") for path in modules()),
        "functions": len(functions),
        "circles": len(circles()),
        "file names twice": len(names_twice()),
        "class names twice": len(classes_twice()),
        "folders too full": len(full_folders()),
        "modules too long": len(long_modules()),
        "bare exit codes": len(bare_exits()),
        "imports in functions that guard nothing": len(weightless_imports()),
    }


if __name__ == "__main__":
    for what, count in counts().items():
        sys.stdout.write(f"{count:>8,}  {what}\n")
