"""Formats and reports over the command line: what is written where, and what is refused before the run."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from defendctl.render.registry import FORMATS
from tests.conftest import Project, custom
from tests.every_command import every_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import click


@pytest.fixture
def edited(project: Project) -> Project:
    """One workflow that a colleague loosened and git loosens again; one that is as declared."""
    project.declare({"bot": custom(), "other": custom()})
    project.apply()
    project.server.edit(project.bound("bot"), metrics={"completeness": 0.7})
    project.declare({"bot": custom(metrics={"completeness": 0.6}), "other": custom()})
    project.env |= dict.fromkeys(("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"), "")
    return project


def in_actions(project: Project) -> Callable[[str], str]:
    """Makes it a step of GitHub Actions in a folder of a repository; gives a reader of its files."""
    folder = project.root.parent
    files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name, file in files.items():
        file.write_text("before\n")
        project.env[name] = str(file)
    project.env["GITHUB_WORKSPACE"] = str(folder)
    return lambda name: files[name].read_text()


@pytest.mark.parametrize(
    ("command", "kind"), [("plan", "plan"), ("drift", "drift"), ("validate", "diagnostics")]
)
def test_each_format_of_each_kind_is_printed_and_reported_alike(
    edited: Project, command: str, kind: str
) -> None:
    reports = [option for name in FORMATS[kind] for option in ("--report", f"{name}:{name}.out")]
    code = 2 if command == "drift" else 0
    edited.ok(command, *reports, code=code)
    for name in FORMATS[kind]:
        ran = edited.ok(command, "--format", name, code=code)
        assert (edited.root / f"{name}.out").read_text() == ran.out


@pytest.mark.parametrize(
    ("command", "kind"), [("plan", "plan"), ("drift", "drift"), ("validate", "diagnostics")]
)
def test_the_choices_are_the_registry(command: str, kind: str) -> None:
    options: dict[str | None, click.Parameter] = {each.name: each for each in every_command()[command].params}
    assert list(options["format"].type.choices) == list(FORMATS[kind])  # type: ignore[attr-defined]
    assert options["format"].default == "text"


def test_a_report_is_written_whatever_the_exit_code(edited: Project) -> None:
    ran = edited.ok(
        "plan", "--detailed-exitcode", "--report", "json:p.json", "--report", "markdown:p.md", code=2
    )
    assert json.loads((edited.root / "p.json").read_text())["kind"] == "plan"
    assert "Loosens the guardrail" in (edited.root / "p.md").read_text()
    assert "Loosens the guardrail" in ran.out


def test_a_report_of_manifests_with_errors_is_written(project: Project) -> None:
    project.declare({"bot": custom(metrics={"completness": 0.5})})
    project.ok("validate", "--report", "sarif:found.sarif", "--report", "github:found.txt", code=1)
    log = json.loads((project.root / "found.sarif").read_text())
    [result] = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "workflows/all.yaml"
    told = (project.root / "found.txt").read_text()
    assert re.match(r"::error file=workflows/all\.yaml,line=1,col=\d+,title=defendctl%3A error::", told)


def test_a_report_is_relative_to_the_working_directory(edited: Project) -> None:
    (edited.root / "out").mkdir()
    edited.settings()
    edited.ok("plan", "-C", "out", "--report", "json:p:1.json")
    assert (edited.root / "out" / "p:1.json").exists()


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (
            "yaml:p",
            "'yaml' is not a format of this command; write FORMAT:FILE with one of text, json, markdown, ",
        ),
        ("sarif:p", "'sarif' is not a format of this command"),
        ("p.json", "'p.json' is not a format of this command"),
        (":p", "'' is not a format of this command"),
        ("json", "'json' names no file; write json:FILE"),
        ("json:", "'json:' names no file; write json:FILE"),
        ("json:nowhere/p", "json:nowhere/p: there is no folder nowhere"),
        ("json:workflows", "json:workflows: that is a folder"),
        ("json:workflows/all.yaml/p", "there is no folder workflows/all.yaml"),
        ("json:\x1b[2J/p", "there is no folder \\x1b[2J"),
    ],
)
def test_what_cannot_be_written_is_a_usage_error_before_the_run(
    edited: Project, report: str, told: str
) -> None:
    edited.server.forget_requests()
    ran = edited.ok("plan", "--report", report, code=64)
    assert told in ran.err
    assert ran.out == ""
    assert edited.server.requests() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_or_a_file_that_may_not_be_written(edited: Project) -> None:
    folder, file = edited.root / "closed", edited.root / "file"
    folder.mkdir(mode=0o555)
    file.touch(mode=0o444)
    for report in ("json:closed/p", "json:file"):
        assert "it cannot be written" in edited.ok("plan", "--report", report, code=64).err


def test_two_reports_in_one_file_are_a_usage_error(edited: Project) -> None:
    ran = edited.ok("plan", "--report", "json:p", "--report", "markdown:./p", code=64)
    assert "another option writes that file" in ran.err
    assert not (edited.root / "p").exists()


def test_reports_may_come_from_the_environment(edited: Project) -> None:
    edited.env["DEFENDCTL_PLAN_REPORT"] = "json:a.json markdown:a.md"
    edited.ok("plan")
    assert (edited.root / "a.json").exists()
    assert (edited.root / "a.md").exists()


def test_a_step_is_told_its_outputs_and_its_summary(edited: Project) -> None:
    told = in_actions(edited)
    ran = edited.ok("plan", "--format", "github", "--detailed-exitcode", code=2)
    digest = edited.plan().json["digest"]
    named = f"digest={digest}\nexpect={digest}@{edited.state['serial']}\n"
    outputs = f"before\nchanges=1\nloosens=1\nexit_code=2\n{named}"
    assert told("GITHUB_OUTPUT") == outputs
    assert told("GITHUB_STEP_SUMMARY") == "before\n" + edited.ok("plan", "--format", "markdown").out
    place = r"file=project-1/workflows/all\.yaml,line=1,col=\d+,"
    loosens, headline = ran.out.splitlines()
    assert re.fullmatch(rf"::warning {place}title=defendctl%3A loosens the guardrail::bot .*", loosens)
    assert headline == "::notice title=defendctl%3A plan::1 workflow loosened"


def test_a_step_without_a_key_is_told_that_there_is_no_digest(edited: Project) -> None:
    told = in_actions(edited)
    edited.server.forget_requests()
    edited.ok("plan", "--no-refresh", "--format", "github")
    assert told("GITHUB_OUTPUT").endswith("exit_code=0\ndigest=none\nexpect=none\n")
    assert "**Live was not read.**" in told("GITHUB_STEP_SUMMARY")
    assert edited.server.requests() == []


def test_a_step_is_told_of_drift(edited: Project) -> None:
    told = in_actions(edited)
    edited.ok("drift", "--format", "github", code=2)
    assert told("GITHUB_OUTPUT") == "before\nchanges=1\nloosens=1\nexit_code=2\n"
    assert "Loosened in the console: 1 workflow" in told("GITHUB_STEP_SUMMARY")


def test_validate_tells_a_step_only_annotations_with_the_names_of_the_repository(project: Project) -> None:
    told = in_actions(project)
    project.declare({"bot": custom(metrics={"completness": 0.5})})
    ran = project.ok("validate", "--format", "github", code=1)
    assert ran.out.startswith(f"::error file={project.root.name}/workflows/all.yaml,line=1,")
    assert told("GITHUB_OUTPUT") == told("GITHUB_STEP_SUMMARY") == "before\n"


@pytest.mark.parametrize("workspace", ["", "/nowhere/else"])
def test_outside_of_a_step_there_are_annotations_alone(project: Project, workspace: str) -> None:
    project.declare({"bot": custom(metrics={"completness": 0.5})})
    project.env |= {"GITHUB_WORKSPACE": workspace, "GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}
    assert project.ok("validate", "--format", "github", code=1).out.startswith(
        "::error file=workflows/all.yaml,"
    )
    project.declare({"bot": custom()})
    headline = "::notice title=defendctl%3A plan::1 created, nothing loosened\n"
    assert project.ok("plan", "--format", "github").out.endswith(headline)
    project.apply()
    assert project.ok("plan", "--format", "github").out == ""


def test_a_summary_that_is_full_stays_as_it_is(edited: Project) -> None:
    in_actions(edited)
    full = edited.root / "full"
    full.write_bytes(b"x" * ((1 << 20) - 100))
    edited.env["GITHUB_STEP_SUMMARY"] = str(full)
    edited.ok("plan", "--format", "github")
    assert full.stat().st_size == (1 << 20) - 100
    fresh = edited.root / "fresh"
    edited.env["GITHUB_STEP_SUMMARY"] = str(fresh)
    edited.ok("plan", "--format", "github")
    assert fresh.read_text().startswith("<!-- defendctl:plan")


def test_what_the_api_says_reaches_no_format_as_a_command(project: Project, tmp_path: Path) -> None:
    from tests.cases.built import HOSTILE
    from tests.render.test_github import commands
    from tests.render.test_markdown import look

    project.declare({f"a{n}": custom() for n in range(len(HOSTILE))})
    project.apply()
    for n, text in enumerate(HOSTILE):
        body = {
            "workflow_id": project.bound(f"a{n}"),
            "name": text,
            "improvement_action": text,
            "status": text,
        }
        metrics = {"threshold_type": "custom", "custom_hallucination_threshold_values": {text: 0.5}}
        answer = json.dumps({**body, **metrics})
        project.server.fault("body", "GET", path=project.bound(f"a{n}"), times=None, body=answer)
    project.ok("plan", "--report", "markdown:p.md", "--report", "github:p.txt")
    project.ok("drift", "--report", "markdown:d.md", "--report", "github:d.txt", code=2)
    for name in ("p", "d"):
        assert look((project.root / f"{name}.md").read_text()).prose
        assert commands((project.root / f"{name}.txt").read_text())
