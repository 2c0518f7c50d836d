"""`init`: a project that plans, and never harms one that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.test_cli import run

if TYPE_CHECKING:
    from pathlib import Path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_new_project_validates_and_plans(tmp_path: Path) -> None:
    ran = run(tmp_path, "init")
    assert ran.returncode == 0, ran.stderr
    names = snapshot(tmp_path).keys()
    assert {"defendctl.yaml", "defendctl.state.json", "schemas/manifest.schema.json", ".gitignore"} <= names
    assert run(tmp_path, "validate").returncode == 0
    assert run(tmp_path, "plan", "--detailed-exitcode").returncode == 2


def test_the_second_time_it_names_and_leaves_everything(tmp_path: Path) -> None:
    run(tmp_path, "init")
    before = snapshot(tmp_path)
    ran = run(tmp_path, "init")
    assert ran.returncode == 0
    assert snapshot(tmp_path) == before
    assert "wrote" not in ran.stdout
    for name in ("defendctl.yaml", "defendctl.state.json", ".gitignore", "schemas/manifest.schema.json"):
        assert f"left   {name} " in ran.stdout


def test_a_lost_state_is_never_made_anew(tmp_path: Path) -> None:
    run(tmp_path, "init")
    (tmp_path / "defendctl.state.json").unlink()
    ran = run(tmp_path, "init")
    assert ran.returncode == 6
    assert "it was lost" in ran.stderr
    assert not (tmp_path / "defendctl.state.json").exists()
    ran = run(tmp_path, "plan")
    assert ran.returncode == 6
    assert "lineage" in ran.stderr


def test_a_state_without_a_project_keeps_its_lineage(tmp_path: Path) -> None:
    """As a crash between the two leaves it."""
    run(tmp_path, "init")
    (tmp_path / "defendctl.yaml").unlink()
    assert run(tmp_path, "init").returncode == 0
    assert run(tmp_path, "plan").returncode == 0


def test_lines_are_added_to_a_gitignore_that_exists(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log")
    run(tmp_path, "init")
    assert (tmp_path / ".gitignore").read_text().splitlines()[:2] == ["*.log", ".defendctl/"]


def test_a_folder_of_manifests_gets_no_example(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "mine.yaml").write_text("version: 1\nworkflows: {}\n")
    run(tmp_path, "init")
    assert [p.name for p in (tmp_path / "workflows").iterdir()] == ["mine.yaml"]
