"""Everything that the code has, has its place in the reference: counted against the code."""

from __future__ import annotations

import re
from pathlib import Path

import click

from defendctl.catalogue.find import CATALOGUE
from defendctl.cli.examples import EXAMPLES
from defendctl.documentation import SITE, page_of_code, page_of_command
from defendctl.exits import MEANINGS, Exit
from defendctl.render.registry import FORMATS
from pages.__main__ import generated
from pages.keys import KINDS, keys
from pages.parts import action, component
from tests.every_command import every_command

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = generated()
COMMANDS = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")


def test_every_command_and_option_is_told() -> None:
    for name, command in every_command().items():
        page = MADE[f"reference/commands/{name.split()[0]}.md"]
        assert f"# defendctl {name}" in page
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden and option.name not in _global():
                assert all(word in page for word in option.opts), (name, option.opts)
                assert option.help, (name, option.opts)


def _global() -> set[str]:
    from defendctl.cli.options import global_options

    return {str(option.name) for option in global_options(inner=True)}


def test_every_command_has_an_example_that_it_takes() -> None:
    assert EXAMPLES.keys() == every_command().keys()
    for name, lines in EXAMPLES.items():
        command = every_command()[name]
        for line in lines:
            words = re.split(r" [>|] ", line)[0].split()[1 + len(name.split()) :]
            assert line.startswith(f"defendctl {name}")
            command.make_context(name, words, resilient_parsing=False)


def test_the_help_of_each_command_ends_with_examples_and_the_address_of_its_page() -> None:
    for name, command in every_command().items():
        told = command.get_help(click.Context(command, info_name=f"defendctl {name}"))
        examples = "".join(f"  {line}\n" for line in EXAMPLES[name])
        assert told.rstrip().endswith(f"Examples:\n{examples}\nMore: {page_of_command(name)}"), told


def test_every_command_has_its_row() -> None:
    for name, command in every_command().items():
        assert f"| `defendctl {name}" in COMMANDS, f"{name} is not in docs/reference/commands.md"
        options = {option.name: option for option in command.params}
        row = next(line for line in COMMANDS.splitlines() if line.startswith(f"| `defendctl {name}"))
        if "format" in options:
            choices = "\\|".join(options["format"].type.choices)  # type: ignore[attr-defined]
            assert f"[--format {choices}]" in row
        assert ("[--report FORMAT:FILE]" in row) == ("report" in options)


def test_every_exit_code_is_told_and_has_a_page() -> None:
    assert MEANINGS.keys() == {*Exit}
    for code in Exit:
        assert re.search(rf"^\| \[?{code}[\] ]", MADE["reference/exit-codes.md"], re.MULTILINE)
        assert (DOCS / "wrong" / f"exit-{code}.md").exists() == (code != Exit.OK)


def test_every_diagnostic_has_an_anchor() -> None:
    for code in CATALOGUE:
        assert f"## {code} {{ #{code} }}" in MADE["reference/diagnostics.md"]
        assert page_of_code(code).endswith(f"/reference/diagnostics/#{code}")


def test_every_key_is_told_and_means_something() -> None:
    for kind in KINDS:
        page = MADE[f"reference/keys/{kind}.md"]
        assert keys(kind)
        for path, _ in keys(kind):
            assert f"| `{path}` |" in page


def test_every_format_is_told() -> None:
    for kind in FORMATS:
        assert f"`{kind}`" in MADE["reference/json.md"]


def test_every_input_and_output_is_told() -> None:
    for part in ("inputs", "outputs"):
        assert [name for name in action()[part] if f"| `{name}` |" not in MADE["reference/action.md"]] == []
    for name, inputs in component().items():
        page = MADE["reference/component.md"].partition(f"\n## {name}\n")[2]
        assert inputs
        assert [one for one in inputs if f"| `{one}` |" not in page] == []


def test_every_variable_is_told() -> None:
    """Those that the code names."""
    told = "".join(
        (DOCS / name).read_text(encoding="utf-8") for name in ("reference/variables.md", "network.md")
    )
    name = re.compile(
        r'"((?:CI|DEEP_?RAILS|DEFENDCTL|GH|GITHUB|GITLAB|CLICOLOR|FORCE|NO)_[A-Z_]+|CLICOLOR|TERM)"'
    )
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "defendctl").rglob("*.py"))
    read = {found for source in sources for found in name.findall(source)}
    assert len(read) > 25
    assert {one for one in read if f"`{one}" not in told} == {"NO_CERTIFICATE_OR_CRL_FOUND"}


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "pages" / "zensical.toml").read_text(encoding="utf-8")
    written = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    named = set(re.findall(r'"([\w/-]+\.md)"', navigation))
    assert written - named == set()
    assert named - written <= MADE.keys()


def test_the_address_of_a_page_is_that_of_a_file() -> None:
    for name in every_command():
        page = page_of_command(name).removeprefix(SITE).split("/", 2)[2].split("/#")[0].rstrip("/")
        assert f"{page}.md" in MADE


def test_the_comment_is_a_golden_case() -> None:
    page = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    comment = (ROOT / "tests" / "cases" / "comment" / "expected" / "plan.md").read_text(encoding="utf-8")
    assert f"\n````markdown\n{comment}````\n" in page, "put the golden file between the fences"
