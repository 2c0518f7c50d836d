"""What an editor explains and offers: each key with its default, metrics to type over, whole workflows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.editor.server import ROOT, Editor, editor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project

pytestmark = pytest.mark.slow
WHOLE = Path(__file__).parent / "whole"
KINDS = ("manifest", "overlay", "project", "policy", "labels")


@pytest.fixture(scope="module")
def speaking() -> Iterator[Editor]:
    schemas = {ROOT / "schemas" / f"{kind}.schema.json": f"**/{kind}.yaml" for kind in KINDS}
    with editor(schemas) as started:
        yield started


def described(kind: str) -> set[str]:
    """Every key that the schema of a kind describes."""
    keys: set[str] = set()

    def collect(node: object) -> None:
        if isinstance(node, dict):
            given = node.get("properties", {})
            keys.update(key for key, hint in given.items() if hint and "markdownDescription" in hint)
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            collect(child)

    collect(json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text()))
    return keys


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_explained_with_its_default(speaking: Editor, kind: str) -> None:
    """The whole files hold every key, and nothing is wrong with them."""
    file = WHOLE / f"{kind}.yaml"
    assert speaking.diagnostics(file) == []
    explained = set()
    for number, line in enumerate(file.read_text().splitlines()):
        key = line.removesuffix("  # a name of yours").strip().removeprefix("- ").split(":")[0]
        if ":" in line and not line.endswith("yours") and not line.lstrip().startswith("#"):
            shown = speaking.hover(file, number, line.index(key) + 1)
            assert "Default: " in shown or "equired" in shown, (line, shown)
            explained.add(key)
    assert explained == described(kind)


def custom(rest: str) -> str:
    return f"version: 1\nworkflows:\n  support-bot:\n    type: custom\n{rest}"


def test_metrics_are_offered_with_a_threshold_to_type_over(speaking: Editor, tmp_path: Path) -> None:
    offered = speaking.completions(tmp_path / "manifest.yaml", custom("    metrics:\n      |\n"))
    for metric in ("correctness", "completeness", "comprehensive_safety"):
        assert offered[metric] == f"{metric}: ${{1:0.8}}"
    inside = speaking.completions(
        tmp_path / "b" / "manifest.yaml", custom("    metrics:\n      completeness: 1\n      |\n")
    )
    assert inside["correctness"] == "correctness: ${1:0.8}"
    assert "completeness" not in inside


def test_whole_workflows_are_offered(speaking: Editor, tmp_path: Path) -> None:
    offered = speaking.completions(tmp_path / "manifest.yaml", "version: 1\nworkflows:\n  |\n")
    assert [line.strip() for line in offered["custom workflow"].splitlines()] == [
        "${1:support-bot}:",
        "type: custom",
        "metrics:",
        "completeness: ${2:0.8}",
        "improvement_action: ${3|fixit,regenerate,none|}",
    ]
    assert "type: automatic" in offered["automatic workflow"]


def test_levels_and_words_are_offered(speaking: Editor, tmp_path: Path) -> None:
    action = speaking.completions(tmp_path / "manifest.yaml", custom("    improvement_action: |\n"))
    assert {"fixit", "regenerate", "none"} <= action.keys()
    checks = "version: 1\nrules:\n  - id: strict\n    level: deny\n    |\n"
    assert "no_loosening" in speaking.completions(tmp_path / "policy.yaml", checks)


@pytest.mark.parametrize("action", ["regen", "do_nothing", "null"])
def test_what_validate_takes_for_an_old_spelling_is_no_error(
    speaking: Editor, offline: Project, tmp_path: Path, action: str
) -> None:
    """The server makes an error of each warning, so it says nothing; `fmt` writes the new spelling."""
    offline.declare({})
    file = tmp_path / "manifest.yaml"
    old = f"    improvement_action: {action}\n    max_improvement_attempts: 3\n"
    file.write_text(custom(f"    metrics: {{completeness: 0.8}}\n{old}"))
    assert speaking.diagnostics(file) == []
    shutil.copy(file, offline.root / "workflows" / "old.yaml")
    offline.ok("validate")
    offline.ok("fmt")
    assert "max_retries: 3" in (offline.root / "workflows" / "old.yaml").read_text()
    offered = speaking.completions(tmp_path / "manifest.yaml", custom("    max|\n"))
    assert [label for label in offered if label.startswith("max")] == ["max_retries"]


def test_what_init_writes_is_known_to_the_editor(project: Project) -> None:
    """By its modeline alone: no setting of the editor names the schema."""
    project.ok("init")
    manifest = next((project.root / "workflows").glob("*.yaml"))
    with editor({}) as fresh:
        assert fresh.diagnostics(manifest) == []
        lines = manifest.read_text().splitlines()
        line = next(n for n, text in enumerate(lines) if text.startswith("workflows:"))
        assert "whole truth" in fresh.hover(manifest, line, 2)
