"""A comment on a pull request: nothing in it acts, it fits, and no loosening is out of sight."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.inspection.contrast import Comparison
from defendctl.plan.changes import Move
from defendctl.plan.digest import digest
from defendctl.render import github
from defendctl.render.inert import inert
from defendctl.render.markdown import comment as comment_markdown
from defendctl.render.markdown import contrast as contrast_markdown
from defendctl.render.markdown.fit import SUMMARY, shorten
from defendctl.render.markdown.markup import block, code, cut, marker, table
from defendctl.render.setting import Setting
from tests.bad.golden import assert_inert
from tests.cases.built import BUILT, DENIED, LOOSER, a_plan, change, every_action, field, many
from tests.cases.test_cases import CASES, planned
from tests.render.page import OURS, Page
from tests.render.strange import MARK, PIECES, drifts, reviews

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.plan.drift import Drifted
    from defendctl.review import Review

ATTRIBUTES = {(), (("lang", "text"),), (("lang", "yaml"),)}
ACTS = re.compile(r"[@$&<>~`\\]|://|www\.|#\d|" + MARK)
STRANGE = settings(derandomize=True, deadline=None, max_examples=150)


def look(shown: str) -> Page:
    """What is rendered, after a look at whether anything of it acts."""
    page = Page(shown)
    assert page.names <= OURS, page.names - OURS
    assert {attributes for _, attributes in page.elements} <= ATTRIBUTES
    assert not ACTS.search(page.prose.replace("->", "")), page.prose
    assert len(page.comments) == 1
    assert re.fullmatch(r" defendctl:(plan|drift)( [\w-]+)? ", page.comments[0], re.ASCII)
    assert_inert(shown)
    return page


@STRANGE
@given(reviews())
def test_whatever_a_plan_says_it_is_text_in_code_and_no_loosening_is_hidden(review: Review) -> None:
    plan = review.plan
    page = look(comment_markdown.plan(review))
    assert {cut(inert(each.address)) for each in plan.listed} <= set(page.codes)
    assert f"{plan.summary()['loosens']} workflow" in page.prose or not plan.summary()["loosens"]


@STRANGE
@given(drifts())
def test_whatever_drift_says_it_is_text_in_code(entries: list[Drifted]) -> None:
    look(comment_markdown.drift(entries))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_inert(case: Path) -> None:
    plan, drifted = planned(case)
    assert {change.address for change in plan.plan.listed} <= set(look(comment_markdown.plan(plan)).codes)
    assert {entry.address for entry in drifted} <= set(look(comment_markdown.drift(drifted)).codes)


@pytest.mark.parametrize("name", BUILT)
def test_a_built_plan_is_inert(name: str) -> None:
    look(comment_markdown.plan(BUILT[name]()))


words = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=5).map("".join)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(words, words)
def test_a_cell_says_what_it_was_given_and_stays_one_cell(one: str, two: str) -> None:
    page = Page(table(("a", "b"), [(code(one) or "x", code(two) or "x")]))
    assert page.rows == [2, 2]
    told = [cut(inert(text)) for text in (one, two) if inert(text).strip()]
    assert list(map(plain_pipes, page.codes)) == list(map(plain_pipes, told))


def plain_pipes(text: str) -> str:
    return text.replace("\\x7c", "|")


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(words, min_size=1, max_size=3))
def test_a_block_says_what_it_was_given(lines: list[str]) -> None:
    page = Page("before\n\n" + block(lines) + "\nafter\n")
    assert page.names == {"p", "pre", "code"}
    [shown] = page.codes
    told = [inert(part) for line in lines for part in line.rstrip("\n").split("\n")]
    assert shown.split("\n")[:-1] == told


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, "<!-- defendctl:plan -->\n"),
        ("7f3a-1", "<!-- defendctl:plan 7f3a-1 -->\n"),
        ("a --> <b>", "<!-- defendctl:plan -->\n"),
        ("a--b", "<!-- defendctl:plan -->\n"),
        ("-", "<!-- defendctl:plan -->\n"),
        ("->", "<!-- defendctl:plan -->\n"),
        ("", "<!-- defendctl:plan -->\n"),
    ],
)
def test_the_marker_is_a_comment_whatever_the_lineage(name: str | None, shown: str) -> None:
    assert marker("plan", name) == shown


def long_address(index: int) -> str:
    return f"{'a' * 57}-{index:05}"


def all_loosen(count: int) -> Review:
    moves = [field(f"metrics.{'m' * 60}{n}", 0.9, 0.123456789) for n in range(5)]
    return a_plan(*(change(long_address(index), *moves) for index in range(count)))


@pytest.mark.parametrize("denied", [False, True])
def test_500_loosenings_are_all_seen_in_one_comment(denied: bool) -> None:
    review = all_loosen(500)
    plan = review.plan
    if denied:
        found = tuple(replace(DENIED, address=each.address) for each in plan.changes)
        review = replace(review, findings=found)
    shown = comment_markdown.plan(review)
    assert len(shown) <= 65_536
    assert {each.address for each in plan.changes} <= set(look(shown).codes)
    assert shown.endswith(f"Digest: `{digest(plan)}@{plan.serial}`\n")
    assert "<details>" not in shown


def test_where_there_is_room_everything_is_told() -> None:
    shown = comment_markdown.plan(all_loosen(500), Setting(limit=SUMMARY))
    assert shown.count("| **loosens** |") == 2_500
    assert "no room" not in shown


def test_what_loosens_is_told_in_full_before_anything_milder_is_told_at_all() -> None:
    shown = comment_markdown.plan(many())
    assert shown.count("`0.9` → `0.8`") == 250
    assert shown.count("**loosens**") > 150
    assert "250 more, for which there is no room" in shown


def test_more_than_a_comment_holds_is_counted() -> None:
    shown = comment_markdown.plan(all_loosen(2_000))
    assert len(shown.encode()) <= 65_536
    told = len([text for text in look(shown).codes if text.startswith("aaa")])
    assert f"and {2_000 - told} more, for which there is no room" in shown
    assert told > 800


@settings(derandomize=True, deadline=None, max_examples=60)
@given(reviews(), st.integers(3_000, 20_000))
def test_it_fits_into_what_is_asked(review: Review, limit: int) -> None:
    assert len(comment_markdown.plan(review, Setting(limit=limit)).encode()) <= limit


NOTE = "\nThe rest does not fit.\n"


@STRANGE
@given(reviews(), st.integers(200, 6_000))
def test_what_is_cut_is_text_in_code_still_and_says_so(review: Review, longest: int) -> None:
    """Wherever the cut falls: in a code span, in a block, in what is folded."""
    whole = comment_markdown.plan(review)
    shown = shorten(whole, longest, NOTE)
    assert len(shown.encode()) <= max(longest, len(NOTE.encode()) + 1)
    if shown != whole and shown != "\n" + NOTE:
        page = look(shown)
        assert page.prose.endswith("The rest does not fit.\n")
        assert page.folds == 0, "it stands outside of what is folded"


def test_many_renames_leave_room_for_the_rest() -> None:
    moves = tuple((f"old-{n}", f"new-{n}") for n in range(3_000))
    shown = contrast_markdown.contrast(Comparison("a", "b", (), 1, (), moves), Setting(limit=12_000))
    assert len(shown.encode()) <= 12_000
    assert "And 2980 more are renamed." in shown


def test_the_riskiest_comes_first_and_only_what_is_harmless_is_folded() -> None:
    shown = comment_markdown.plan(replace(every_action(), findings=(DENIED,)))
    heads = re.findall(r"^(?:### |<details><summary>)(.*?)(?: \(|:)", shown, re.MULTILINE)
    assert heads[:4] == [
        "Denied by policy",
        "Loosens the guardrail",
        "Blocked, and left as it is",
        "May loosen or tighten",
    ]
    open_part, _, folded = shown.partition("<details>")
    assert "**loosens**" in open_part
    assert "loosens**" not in folded
    assert "indeterminate" not in folded


@pytest.mark.parametrize(
    ("review", "told"),
    [
        (a_plan(), "no changes"),
        (a_plan(change("a", action="adopt")), "nothing loosened"),
        (a_plan(*(change(f"n{n}", action="create") for n in range(25))), "25 created, nothing loosened"),
        (a_plan(LOOSER, change("n", action="create")), "1 workflow loosened, 1 created"),
        (a_plan(change("a", action="replace")), "1 replaced, nothing loosened"),
        (a_plan(moves=(Move("old", "new", "wkfl_1"),)), "1 renamed, nothing loosened"),
        (a_plan(LOOSER), "1 workflow loosened"),
        (a_plan(LOOSER, findings=(DENIED, DENIED)), "2 denials by policy, 1 workflow loosened"),
        (a_plan(change("a", field("web_search", True, False))), "1 may be loosened"),
    ],
)
def test_the_headline_says_the_worst(review: Review, told: str) -> None:
    assert f"## Guardrail plan: {told}\n" in comment_markdown.plan(review)
    notice = f"::notice title=defendctl%3A plan::{told}\n"
    assert (notice in github.plan(review)) == bool(review.plan.listed or review.plan.moves)


def test_without_a_look_at_live_there_is_no_digest() -> None:
    shown = comment_markdown.plan(a_plan(LOOSER, refreshed=False))
    assert "**Live was not read.**" in shown
    assert shown.endswith("Digest: `none`\n")


def test_no_drift_is_said() -> None:
    assert "No drift" in comment_markdown.drift([])
