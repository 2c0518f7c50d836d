"""The manifest that `import` prints for an address that is not declared is the workflow, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from defendctl.editing.fmt import Formatted, formatted
from defendctl.manifest.resolve import resolve
from defendctl.model import DEFAULTS, Workflow
from defendctl.project.project import Project
from defendctl.render.yaml import manifest
from tests.strategies import CUSTOM_METRICS, workflows

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["yes", "no", "on", "off", "null", "~", "true", "false", "012", "1.0", "inf", ".nan", "- a", "a: b"]
ODD = [
    *WORDS,
    "#x",
    "&a *a",
    "<<",
    "=",
    "'",
    '"',
    "\\",
    "é",
    "🤖",
    "\u202e",
    "\x1b[1m",
    "a\nb",
    "\t",
    "##[x]",
]
texts = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def reread(text: str, folder: Path) -> Workflow:
    file = folder / "pasted.yaml"
    file.write_text(text, encoding="utf-8")
    project = Project(folder, None, folder / "state.json", custom_metrics=CUSTOM_METRICS)
    desired = resolve(project, [file], folder)
    assert desired.diagnostics == []
    return desired.workflows["support-bot"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workflow=workflows(), name=texts.filter(str.strip), description=texts)
@example(workflow=Workflow("x", "custom", {"tone": 0.0}, "none"), name="null", description="true")
@example(
    workflow=Workflow("x", "custom", {"tone": 1e-7}, "none"), name="🤖", description="a\u2028b\ufeff\x85"
)
def test_it_reads_back(tmp_path: Path, workflow: Workflow, name: str, description: str) -> None:
    from dataclasses import replace

    if not name.strip("\x1c\x1d\x1e\x1f\x85\ufeff" + " \t\n\r\x0b\x0c"):
        return
    workflow = replace(workflow, name=name, description=description)
    text = manifest("support-bot", workflow.fields())
    assert formatted(text) == Formatted(text)
    assert all(line.isprintable() for line in text.split("\n"))
    assert reread(text, tmp_path) == workflow


READ = {"name": "x", "type": "custom", "metrics": {"completeness": 0.8}, "improvement_action": "none"}


@pytest.mark.parametrize("unread", [*READ, "", "type metrics", "metrics improvement_action", " ".join(READ)])
def test_what_could_not_be_read_has_to_be_filled_in(tmp_path: Path, unread: str) -> None:
    """Or has its default, and says so."""
    text = manifest("support-bot", {n: v for n, v in READ.items() if n not in unread.split()})
    assert formatted(text) == Formatted(text)
    assert text.count("cannot be read back") == len(unread.split()) + len(DEFAULTS)
    assert "    # max_retries: 10  # cannot be read back: please check\n" in text
    file = tmp_path / "pasted.yaml"
    file.write_text(text, encoding="utf-8")
    desired = resolve(Project(tmp_path, None, tmp_path / "s"), [file], tmp_path)
    told = {d.message.split("`")[1] for d in desired.diagnostics}
    assert bool(told) == bool(unread)
    assert told <= set(unread.split())
    assert ("support-bot" in desired.workflows) == (not unread)


@pytest.mark.parametrize("address", ["true", "null", "no", "a.b-c_d"])
def test_an_address_is_read_as_text(address: str, tmp_path: Path) -> None:
    workflow = Workflow("x", "custom", {"completeness": 0.8}, "none")
    file = tmp_path / "pasted.yaml"
    file.write_text(manifest(address, workflow.fields()), encoding="utf-8")
    desired = resolve(Project(tmp_path, None, tmp_path / "s"), [file], tmp_path)
    assert desired.workflows == {address: workflow}
