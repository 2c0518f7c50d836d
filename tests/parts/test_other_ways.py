"""uv, pre-commit and the image: what each installs is what is here."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from defendctl import __version__
from tests.parts.tools import ROOT, built_from, clean, copied, ran, tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow
PROJECT = ROOT / "examples" / "quickstart"


def test_uvx_runs_the_wheel(wheel: Path, tmp_path: Path) -> None:
    env = {**clean(tmp_path), "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable}
    said = ran(tool("uvx"), "--from", wheel, "defendctl", "--version", env=env)
    assert said.splitlines()[-1] == f"defendctl {__version__}"


def test_pip_installs_the_wheel_by_its_hash_and_no_other(wheel: Path, tmp_path: Path) -> None:
    """As docs/install.md says it: one file that names the wheel and everything that it needs."""
    pip: list[str | Path] = [
        tool("pip"),
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--require-hashes",
    ]
    digest = ran("sha256sum", wheel).split()[0]
    for sha256, code in ((digest, 0), ("0" * 64, 1)):
        lock = tmp_path / f"defendctl-{code}.lock"
        lock.write_text(f"{wheel} --hash=sha256:{sha256}\n{(ROOT / 'requirements.lock').read_text()}")
        command: list[str | Path] = [*pip, "--only-binary", ":all:", "--requirement", lock]
        assert ("DO NOT MATCH" in ran(*command, env=clean(tmp_path), code=code)) == (code == 1)


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("hooks") / "defendctl")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps what it installed: once for all of these tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """A repository with a project and a file that is none of ours."""
    shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns(".defendctl"))
    (tmp_path / "project" / "other.yaml").write_text("a:   {b: 1}\n")
    return tmp_path / "project"


def tried(repository: Path, hooks: Path, env: Mapping[str, str], *words: str, code: int = 0) -> str:
    ran("git", "init", "--quiet", cwd=repository)
    ran("git", "add", "--all", cwd=repository)
    return ran(
        tool("pre-commit"), "try-repo", hooks, *words, "--all-files", cwd=repository, env=env, code=code
    )


def test_the_hooks_pass_a_sound_project_and_show_their_names(hooks: Path, home: Path, guarded: Path) -> None:
    said = tried(guarded, hooks, clean(home))
    assert said.count("Passed") == 2
    assert "guardrails are well-formed" in said


def test_a_typo_is_named_with_its_place(hooks: Path, home: Path, guarded: Path) -> None:
    manifest = guarded / "workflows" / "support.yaml"
    manifest.write_text(manifest.read_text().replace("metrics:", "metrix:", 1))
    said = tried(guarded, hooks, clean(home), "defendctl-validate", code=1)
    assert "workflows/support.yaml:" in said
    assert "metrix" in said


def test_a_manifest_is_formatted_and_nothing_else(hooks: Path, home: Path, guarded: Path) -> None:
    manifest = guarded / "workflows" / "support.yaml"
    sound = manifest.read_text()
    name = "    name: Support bot\n"
    manifest.write_text(sound.replace(name, "").replace("    type: custom\n", f"    type: custom\n{name}", 1))
    assert manifest.read_text() != sound
    said = tried(guarded, hooks, clean(home), "defendctl-fmt", code=1)
    assert "files were modified by this hook" in said
    assert manifest.read_text() == sound
    assert (guarded / "other.yaml").read_text() == "a:   {b: 1}\n"


def test_the_plan_is_made_before_a_push_without_the_key(hooks: Path, home: Path, guarded: Path) -> None:
    env = clean(home)
    assert "DEEPRAILS_API_KEY" not in env
    said = tried(guarded, hooks, env, "defendctl-plan", "--hook-stage", "pre-push", "--verbose")
    assert "Plan: 3 create" in said


def test_hooks_are_what_their_schema_says() -> None:
    ran(tool("pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml")
    declared = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in declared] == ["defendctl-validate", "defendctl-fmt", "defendctl-plan"]


def test_hadolint_has_nothing_to_say() -> None:
    ran(tool("hadolint"), "Dockerfile")


def test_the_image_builds_the_wheel_from_what_its_context_holds(wheel: Path, tmp_path: Path) -> None:
    """No daemon here: what `.dockerignore` lets in and `COPY` takes is built as the image builds it."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    copies = [
        line.split()[1:-1] for line in (ROOT / "Dockerfile").read_text().splitlines() if copied_in(line)
    ]
    taken = {name for names in copies for name in names}
    assert taken == let_in
    for name in taken:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / "src" / name, dirs_exist_ok=True)
        else:
            (tmp_path / "src").mkdir(exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "src" / name)
    assert built_from(tmp_path / "src", tmp_path / "wheel", "wheel").read_bytes() == wheel.read_bytes()


def copied_in(line: str) -> bool:
    return line.startswith("COPY ") and "--from" not in line


def test_the_image_is_pinned_and_not_run_by_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "@sha256:" in text.split("ARG BASE=")[1].split()[0]
    assert text.count("FROM ${BASE}") == text.count("\nFROM ") == 2
    assert "USER 1000" in text
    installs = [line for line in text.splitlines() if "requirements" in line and "pip install" in line]
    assert len(installs) == 2
    assert all({"--require-hashes", "--no-deps"} <= set(line.split()) for line in installs)
