"""`explain`: every code that can be raised is explained, and the examples do what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defendctl.catalogue.entry import LABELS, MANIFEST, PROJECT, SUITE, Explained, sound
from defendctl.catalogue.find import CATALOGUE, PARTS
from defendctl.documentation import page_url
from defendctl.manifest.lint import LINTS
from tests.catalogue.raised import raised

if TYPE_CHECKING:
    from tests.conftest import Project

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"
RULE = "policy: {rules: [{id: enough-retries, level: warn, min_retries: 0}]}\n"
"""What waivers of the examples speak of; it is never broken."""
SHOWN = [entry for entry in CATALOGUE.values() if entry.bad]
WITHOUT = {
    "bound-already",
    "conflicting-overlays",
    "diverged-checkout",
    "duplicate-test",
    "empty-file",
    "expiring-waiver",
    "file-too-large",
    "generations-differ",
    "hidden-file",
    "import-for-all",
    "in-the-way",
    "inactive",
    "inexpressible",
    "invalid-utf8",
    "journal",
    "labelled-elsewhere",
    "labels-disagree",
    "left-id",
    "metric-not-evaluated",
    "missing",
    "name-of-another",
    "not-a-pair",
    "not-a-policy",
    "not-a-regular-file",
    "not-an-event",
    "not-an-overlay",
    "not-in-generation",
    "older-checkout",
    "older-state",
    "other-id",
    "outside-project",
    "probable-move",
    "replay-no-context",
    "replay-no-ground-truth",
    "replay-super-fast-search",
    "run-mode-of-generation",
    "run-under-way",
    "too-many-files",
    "too-many-problems",
    "too-many-values",
    "unclaimed-state",
    "unknown-canary",
    "unknown-checkout",
    "unneeded-waiver",
    "unreadable",
    "unresolved",
    "uploads-off",
}
"""Codes that one file alone cannot show: they take two files, a date, bytes, a state, or what is live."""


def test_every_code_has_an_entry_and_every_entry_a_code() -> None:
    assert set(CATALOGUE) == {*raised(), *LINTS}


def test_no_code_has_two_entries() -> None:
    assert sum(len(part.ENTRIES) for part in PARTS) == len(CATALOGUE)


def test_only_these_have_no_example() -> None:
    assert {code for code, entry in CATALOGUE.items() if not entry.bad} == WITHOUT


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.code)
def test_the_bad_example_raises_exactly_that_code(offline: Project, entry: Explained) -> None:
    assert entry.bad
    assert told(offline, entry, entry.bad) == {entry.code}


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.code)
def test_the_good_example_raises_none(offline: Project, entry: Explained) -> None:
    assert entry.good
    assert told(offline, entry, entry.good) == set()


def told(project: Project, entry: Explained, example: str) -> set[str]:
    """The codes of `validate`. No example pins a lineage but the one that is about that."""
    more = {SUITE: "tests: [tests]\n", LABELS: "labels: [labels]\n"}.get(entry.file, "")
    files = {PROJECT: f"version: 1\n{more}{RULE}", MANIFEST: sound(), entry.file: example}
    for file in (project.root / "workflows").iterdir():
        file.unlink()
    for name, text in files.items():
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).write_text(text)
    ran = project.run("validate", "--format", "json")
    codes = {one["code"] for one in ran.json["diagnostics"]}
    return codes if entry.code == "unpinned-state" else codes - {"unpinned-state"}


def test_the_page_of_lints_says_the_same() -> None:
    sections = re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    said = {code: " ".join(body.split()) for code, body in sections}
    assert said == {code: f"{CATALOGUE[code].why} {CATALOGUE[code].todo}".strip() for code in LINTS}


def test_one_code(offline: Project) -> None:
    ran = offline.ok("explain", "unknown-metric")
    assert ran.out.startswith("unknown-metric: A metric that is not known\n")
    assert "Wrong in workflows/example.yaml:\n\n    version: 1" in ran.out
    entry = offline.json("explain", "unknown-metric").json["entries"]
    assert [one["code"] for one in entry] == ["unknown-metric"]
    assert entry[0]["bad"] == CATALOGUE["unknown-metric"].bad


def test_all_codes(offline: Project) -> None:
    lines = offline.ok("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE)
    assert [one["code"] for one in offline.json("explain").json["entries"]] == list(CATALOGUE)


def test_a_code_that_there_is_not(offline: Project) -> None:
    ran = offline.ok("explain", "unknown-metrik", code=64)
    assert 'Did you mean "unknown-metric"?' in ran.err
    assert not ran.out


def test_a_code_in_its_brackets(offline: Project) -> None:
    assert offline.ok("explain", "[not-found]").out == offline.ok("explain", "not-found").out


def test_an_exit_code_is_told_elsewhere(offline: Project) -> None:
    assert page_url("reference/exit-codes") in offline.ok("explain", "6", code=64).err


def test_it_needs_no_project_that_is_right(offline: Project) -> None:
    (offline.root / PROJECT).write_text("- not a project\n")
    assert "not-a-project" in offline.ok("explain", "not-a-project").out
