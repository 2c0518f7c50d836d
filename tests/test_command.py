"""What is printed to be copied can be copied: each command of a message, through real shells, reaches click
with the very same words; and assignments that are printed for a shell hold the very same values in it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from defendctl.cli.main import cli
from defendctl.cli.run import Run
from defendctl.command import command, shell_word, speak_with
from defendctl.model import ADDRESS, CANARY, usable_id
from defendctl.render.inert import inert
from defendctl.render.shell import assignments
from tests.conftest import custom
from tests.every_command import children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import World

PACKAGE = Path(__file__).parents[1] / "defendctl"
POSIX = {
    "sh": ["sh", "-c"],
    "dash": ["dash", "-c"],
    "bash": ["bash", "--norc", "-c"],
    "busybox": ["busybox", "sh", "-c"],
    "mksh": ["mksh", "-c"],
    "zsh": ["zsh", "-f", "-c"],
}
SHELLS = {**POSIX, "fish": ["fish", "-N", "-c"]}
ECHO = 'defendctl() { printf \'%s\\0\' "$#" "$@"; }'
FISH_ECHO = "function defendctl; printf '%s\\0' (count $argv) $argv; end"

BARE = {"PATH": "/usr/bin:/bin"}

TELLING = " '\"\\$`!#&|;<>(){}[]*?~%^@=:,-+\u202e\u200b"
ALPHABET = st.one_of(
    st.characters(exclude_categories=["Cs", "Cc"]),
    st.sampled_from(" '\"\\$`!#&|;<>(){}[]*?~%^@=:,-+\u202e\u200b"),
)
WORDS = st.text(ALPHABET, min_size=1, max_size=20)
ADDRESSES = st.one_of(st.just(CANARY), st.from_regex(ADDRESS, fullmatch=True))
NOTABLE = [
    CANARY,
    "-id",
    "--not-created",
    "it's",
    "\\'",
    "a\\",
    "a b",
    "$HOME",
    "`id`",
    "!!",
    "=ls",
    "~root",
    "*",
    "##[group]x",
    "::error::x",
    "x; y",
    "\u202eid",
    "é",
    '"',
    "%PATH%",
    "a\tb",
]


CONSENT = f"sha256:{'0a' * 32}"
"""What `--expect` takes: what stands behind an `@` must be a number there."""

UNSHRUNK = (Phase.explicit, Phase.generate)
"""Each example starts a process, so shrinking one would take minutes."""


@cache
def templates() -> list[tuple[str, int]]:
    """Every template that is given to `command` anywhere, and how many values it takes."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command":
                first = node.args[0]
                assert isinstance(first, ast.Constant), (
                    f"{path}:{node.lineno}: write the template in its place"
                )
                found.add((str(first.value), len(node.args) - 1))
    return sorted(found)


def through(shell: str, script: list[str]) -> list[list[str]]:
    """The words of each command of the script, as that shell passes them on."""
    echo = FISH_ECHO if shell == "fish" else ECHO
    text = "\n".join([echo, *script])
    ran = subprocess.run(
        [*SHELLS[shell], text], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert ran.stderr == b""
    said = iter(ran.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1])
    return [[next(said) for _ in range(int(count))] for count in said]


def understood(words: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What click makes of them: the parameters of the command, and the global options."""
    run = Run()
    context = cli.make_context("defendctl", list(words), obj=run)
    group: click.Command = cli
    while isinstance(group, click.Group):
        args = [*context._protected_args, *context.args]
        name, found, rest = group.resolve_command(context, args)
        assert found
        context = found.make_context(name, list(rest), parent=context)
        group = found
    return context.params, run.said


@pytest.fixture(autouse=True)
def plainly() -> Iterator[None]:
    """Without global options again: these tests set some as a run does."""
    yield
    speak_with([])


any_words = given(address=ADDRESSES, first=WORDS, second=WORDS, folder=WORDS)
dashes = example(address=CANARY, first="-x", second="-id", folder="-x")
quotes = example(address="a", first="it's", second="\\'\\", folder="a; b")
every_shell = pytest.mark.parametrize("shell", [name for name in SHELLS if shutil.which(name)])


@every_shell
@settings(phases=UNSHRUNK, max_examples=6)
@any_words
@dashes
@quotes
def test_each_command_that_is_printed_reaches_click_as_it_is_meant(
    shell: str, address: str, first: str, second: str, folder: str
) -> None:
    reaches_click(shell, address, first, second, folder)


@pytest.mark.slow
@every_shell
@settings(phases=UNSHRUNK, max_examples=60)
@any_words
def test_each_command_reaches_click_with_any_words(
    shell: str, address: str, first: str, second: str, folder: str
) -> None:
    reaches_click(shell, address, first, second, folder)


def reaches_click(shell: str, address: str, first: str, second: str, folder: str) -> None:
    speak_with(["-C", folder, "--env", first, "--sandbox"])
    cases = [(text, [address if "{} --" in text else first, second][:count]) for text, count in templates()]
    cases = [(t, ["manifest", second] if t.startswith("schema") else v) for t, v in cases]
    cases = [(t, [CONSENT] if t.endswith("--expect {}") else v) for t, v in cases]
    cases = [(t, [*v[:-1], first] if t.endswith("--env {}") else v) for t, v in cases]
    cases = [(t.replace("@SERIAL", "@7"), v) for t, v in cases]  # what a person puts in is a number
    cases = [(t, ["./-" if one == "-" and "--out" in t else one for one in v]) for t, v in cases]
    printed = [command(text, *values) for text, values in cases]
    assert len(cases) > 20
    for line, (text, values), words in zip(printed, cases, through(shell, printed), strict=True):
        assert inert(line) == line
        params, said = understood(words)
        flat = [str(v) for value in params.values() for v in (value if isinstance(value, tuple) else [value])]
        for value in values:
            assert value in [*flat, said["env"]] or str(Path(value)) in flat, (text, words)
        assert (said["chdir"], said["env"], said["sandbox"]) == (folder, first, True)


@pytest.mark.parametrize("value", NOTABLE)
def test_a_word_is_the_same_in_every_shell(value: str) -> None:
    assert inert(shell_word(value)) == shell_word(value)
    for shell in filter(shutil.which, SHELLS):
        assert through(shell, [f"defendctl {shell_word(value)}"]) == [[value]], shell


def test_what_every_shell_takes_alike_is_quoted_for_powershell_and_cmd_too() -> None:
    assert shell_word("wkfl_1.a-b") == "wkfl_1.a-b"
    assert shell_word(CANARY) == '"@canary"'
    assert shell_word("my plans/a,b.json") == '"my plans/a,b.json"'
    assert shell_word("a$b") == "'a$b'"


@pytest.mark.parametrize("shell", [name for name in POSIX if shutil.which(name)])
@settings(phases=UNSHRUNK, max_examples=15)
@given(ids=st.lists(st.one_of(WORDS, st.sampled_from(NOTABLE)).filter(usable_id), min_size=1, max_size=5))
@example(ids=[each for each in NOTABLE if usable_id(each)])
def test_a_posix_shell_that_reads_outputs_holds_each_id(shell: str, ids: list[str]) -> None:
    values = {f"DEFEND_WORKFLOW_{index}": each for index, each in enumerate(ids)}
    names = " ".join(f'"${name}"' for name in values)
    script = assignments(values) + f"printf '%s\\0' {names}"
    ran = subprocess.run(
        [*POSIX[shell], script], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert ran.stdout.decode().split("\0")[:-1] == ids
    assert ran.stderr == b""


def test_no_message_writes_a_command_by_hand() -> None:
    """Values in it would not be quoted, and it would lack --env and its like."""
    names = re.compile(rf"\bdefendctl ({'|'.join(sorted(children(cli)))})\b")
    # a note in an event, titles, the heads of generated files and of the SQL
    notes = (
        "operations/verify",
        "operations/pipelines",
        "render/constants",
        "state/postgres/tables",
    )
    known = {f"{each}.py": 1 for each in notes}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name in ("schema/texts.py", "cli/examples.py") or name.startswith("catalogue/"):
            continue  # help, which is of no run
        found = [text for text in texts_of(ast.parse(path.read_text())) if names.search(text)]
        assert len(found) == known.get(name, 0), (name, found)


def texts_of(tree: ast.AST) -> list[str]:
    """Every piece of text but the docstrings."""
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in notes)
    return [node.value for node in nodes if isinstance(node.value, str)]


def test_plan_and_apply_speak_of_a_canary_whose_create_ended_unknown(world: World) -> None:
    project = world()
    project.declare({"a": custom()})
    project.apply()
    project.server.fault("lost-after", "POST")
    project.ok("test", "--create-canary", code=7)
    for words in (("plan",), ("apply", "--yes")):
        told = project.ok(*words).err
        assert f"warning: {CANARY}: a create sent at" in told
        assert f'defendctl state resolve "{CANARY}" --id WORKFLOW_ID' in told
    [found] = project.json("plan").json["diagnostics"]
    assert found["code"] == "unknown-canary"
    project.ok("state", "resolve", CANARY, "--not-created", "--now")
    assert "canary" not in project.ok("plan").err


def test_a_printed_command_names_the_environment_and_the_project_of_the_run(world: World) -> None:
    project = world()
    project.declare({"a": custom()})
    project.server.fault("lost-after", "POST")
    told = project.ok("-C", str(project.root), "apply", "--yes", "--new-state", code=7).err
    assert f"defendctl -C {project.root} state resolve a --id WORKFLOW_ID" in told


def test_a_plan_that_is_none_is_named_as_it_can_be_typed(world: World) -> None:
    project = world()
    project.declare({"a": custom()})
    for name in ("my plan.json", "{}.json", "it's.json"):
        (project.root / name).write_text("{")
        told = project.ok("apply", name, code=1).err
        assert f"`{command('plan --out {}', name)}` writes one" in told
