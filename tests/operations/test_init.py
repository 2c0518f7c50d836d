"""`init`: a project that plans, and never harms one that exists."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import run
from tests.conftest import custom

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_new_project_validates_and_plans(tmp_path: Path) -> None:
    ran = run(tmp_path, "init")
    assert ran.code == 0, ran.err
    names = snapshot(tmp_path).keys()
    assert {"defendctl.yaml", "defendctl.state.json", "schemas/manifest.schema.json", ".gitignore"} <= names
    assert run(tmp_path, "validate").code == 0
    assert run(tmp_path, "plan", "--detailed-exitcode").code == 2


def test_the_second_time_it_names_and_leaves_everything(tmp_path: Path) -> None:
    run(tmp_path, "init")
    before = snapshot(tmp_path)
    ran = run(tmp_path, "init")
    assert ran.code == 0
    assert snapshot(tmp_path) == before
    assert "wrote" not in ran.out
    for name in ("defendctl.yaml", "defendctl.state.json", ".gitignore", "schemas/manifest.schema.json"):
        assert f"left   {name} " in ran.out


def test_a_lost_state_is_never_made_anew(tmp_path: Path) -> None:
    run(tmp_path, "init")
    (tmp_path / "defendctl.state.json").unlink()
    ran = run(tmp_path, "init")
    assert ran.code == 6
    assert "it was lost" in ran.err
    assert not (tmp_path / "defendctl.state.json").exists()
    ran = run(tmp_path, "plan")
    assert ran.code == 6
    assert "lineage" in ran.err


def test_a_state_without_a_project_keeps_its_lineage(tmp_path: Path) -> None:
    """As a crash between the two leaves it."""
    run(tmp_path, "init")
    (tmp_path / "defendctl.yaml").unlink()
    assert run(tmp_path, "init").code == 0
    assert run(tmp_path, "plan").code == 0


def test_lines_are_added_to_a_gitignore_that_exists(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log")
    run(tmp_path, "init")
    assert (tmp_path / ".gitignore").read_text().splitlines()[:2] == ["*.log", ".defendctl/"]


def test_a_folder_of_manifests_gets_no_example(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "mine.yaml").write_text("version: 1\nworkflows: {}\n")
    run(tmp_path, "init")
    assert [p.name for p in (tmp_path / "workflows").iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    ("there", "then"),
    [
        (b"", b".defendctl/\n.defendctl-*.tmp\n"),
        (b"*.log", b"*.log\n.defendctl/\n.defendctl-*.tmp\n"),
        (b"*.log\r\n.env\r\n", b"*.log\r\n.env\r\n.defendctl/\r\n.defendctl-*.tmp\r\n"),
        (b"a\r\nb", b"a\r\nb\r\n.defendctl/\r\n.defendctl-*.tmp\r\n"),
        ("# café\n".encode("latin-1"), "# café\n.defendctl/\n.defendctl-*.tmp\n".encode("latin-1")),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa\n.defendctl/\n.defendctl-*.tmp\n"),
        (b"a\x0cb\x85c\n\n\n", b"a\x0cb\x85c\n\n\n.defendctl/\n.defendctl-*.tmp\n"),
        (b".defendctl-*.tmp\r\n.defendctl/ \r\n", None),
    ],
)
def test_a_gitignore_is_kept_byte_for_byte(tmp_path: Path, there: bytes, then: bytes | None) -> None:
    path = tmp_path / ".gitignore"
    path.write_bytes(there)
    path.chmod(0o640)
    ran = run(tmp_path, "init")
    assert ran.code == 0, ran.err
    assert path.read_bytes() == (there if then is None else then)
    assert path.stat().st_mode & 0o777 == 0o640


def test_git_ignores_what_a_killed_run_leaves(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    run(tmp_path, "init")
    for folder in (".", "workflows"):
        (tmp_path / folder / ".defendctl-0123456789abcdef.tmp").touch()
    listed = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert ".tmp" not in listed.stdout
    assert ".defendctl/" not in listed.stdout


def test_new_files_have_the_modes_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert run(tmp_path, "init").code == 0
    finally:
        os.umask(before)
    open_to_others = [p for p in tmp_path.rglob("*") if p.stat().st_mode & 0o077]
    assert open_to_others == []


def test_a_new_state_of_a_project_that_was_there_leads_to_import(project: Project) -> None:
    """All that is live already would be made a second time."""
    project.settings()
    project.declare({"a": custom()})
    told = project.ok("init", "--new-state").out
    assert "`defendctl import ADDRESS WORKFLOW_ID`" in told
    assert "edit workflows/" not in told
    assert [line for line in told.splitlines() if "defendctl.yaml" in line] == [
        "wrote  defendctl.yaml (its lineage)"
    ]
