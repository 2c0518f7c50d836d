"""A fingerprint says what is done, and nothing of how it is known or what else is done."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from defendctl.model import LocalFile
from defendctl.plan.changes import Move, Options
from defendctl.plan.fingerprints import Denied, fingerprints, spends
from tests.plan.given import ADDRESS, ID, NEWEST, WORKFLOW, bound, one_plan, readable, seen

HEAD = ["api.example.com", None, "lineage-1", NEWEST]
LOWER = replace(WORKFLOW, metrics={"completeness": 0.7})
FILE = LocalFile("docs/policy.pdf", "ab" * 32, 7)


def hashed(*content: Any) -> str:
    text = json.dumps([*HEAD, *content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def told(plan: Any, *denied: Denied) -> dict[tuple[str, str | None], str]:
    return {(one.action, one.field): one.value for one in fingerprints(plan, denied)}


def updated(desired: Any = LOWER, applied: Any = None, **more: Any) -> Any:
    known = WORKFLOW.fields() if applied is None else applied
    return one_plan(desired, seen(readable(WORKFLOW.fields(), NEWEST)), bound(known), **more)


def test_an_update_has_one_for_each_field() -> None:
    plan = updated(replace(LOWER, description="d"))
    assert told(plan) == {
        ("update", "metrics.completeness"): hashed(ADDRESS, ID, "update", "metrics.completeness", 0.85, 0.7),
        ("update", "description"): hashed(ADDRESS, ID, "update", "description", "", "d"),
    }


def test_thresholds_are_rounded() -> None:
    nearly = replace(WORKFLOW, metrics={"completeness": 0.7 + 4e-7})
    assert told(updated(nearly)) == told(updated())


def test_a_metric_that_comes_and_one_that_goes() -> None:
    other = replace(WORKFLOW, metrics={"correctness": 1})
    assert told(updated(other)) == {
        ("update", "metrics.completeness"): hashed(ADDRESS, ID, "update", "metrics.completeness", 0.85, None),
        ("update", "metrics.correctness"): hashed(ADDRESS, ID, "update", "metrics.correctness", None, 1.0),
    }


def test_before_of_what_cannot_be_read_is_what_was_last_applied() -> None:
    more = replace(LOWER, max_retries=3)
    sure, unsure = updated(more), updated(more)
    binding = bound(WORKFLOW.fields(), unconfirmed=("max_retries",))
    unsure = one_plan(more, seen(readable(WORKFLOW.fields(), NEWEST)), binding)
    assert [f.basis for f in unsure.changes[0].fields if f.path == "max_retries"] == ["unknown"]
    assert told(sure) == told(unsure)
    assert told(sure)["update", "max_retries"] == hashed(ADDRESS, ID, "update", "max_retries", 10, 3)


def test_what_is_sent_again_and_was_so_before_has_none() -> None:
    binding = bound(WORKFLOW.fields(), unconfirmed=("max_retries",))
    plan = one_plan(WORKFLOW, seen(readable(WORKFLOW.fields(), NEWEST)), binding)
    assert plan.changes[0].action == "update"
    assert told(plan) == {}


def test_never_known_is_null() -> None:
    applied = {n: v for n, v in WORKFLOW.fields().items() if n != "max_retries"}
    plan = updated(LOWER, applied)
    assert told(plan)["update", "max_retries"] == hashed(ADDRESS, ID, "update", "max_retries", None, 10)


def test_a_file_is_what_it_holds_uploaded_or_not() -> None:
    before = replace(updated().changes[0], files={FILE.content: FILE})
    [field] = [f for f in before.fields if f.path == "metrics.completeness"]
    new = replace(field, path="file_search", before=("f1",), after=("f1", FILE.content))
    uploaded = replace(new, after=("f1", "file_77"))
    plans = [
        replace(updated(), changes=(replace(before, fields=(f,), files={name: FILE}),))
        for f, name in ((new, FILE.content), (uploaded, "file_77"))
    ]
    assert told(plans[0]) == told(plans[1])
    value = hashed(ADDRESS, ID, "update", "file_search", ["f1"], sorted(["f1", FILE.content]))
    assert told(plans[0]) == {("update", "file_search"): value}


@pytest.mark.parametrize("action", ["create", "adopt", "replace", "retire"])
def test_the_others_have_one_as_a_whole(action: str) -> None:
    fields = WORKFLOW.fields()
    live, binding = seen(readable(fields, NEWEST)), bound(fields)
    plan = {
        "create": lambda: one_plan(LOWER, None, None),
        "adopt": lambda: one_plan(LOWER, live, None, tombstones=[binding]),
        "replace": lambda: one_plan(LOWER, live, binding, replace=True),
        "retire": lambda: one_plan(None, None, binding),
    }[action]()
    [(key, value)] = told(plan).items()
    change = plan.changes[0]
    sides = {
        f.path: [f.before, list(f.after) if isinstance(f.after, tuple) else f.after] for f in change.fields
    }
    assert key == (action, None)
    assert value == hashed(ADDRESS, change.workflow_id, action, sides)
    spent = spends(plan)[ADDRESS, action].whole
    assert (value in spent) == (action != "create"), "a create is made once by its binding alone"


def test_a_move() -> None:
    plan = replace(updated(WORKFLOW), moves=(Move("old", ADDRESS, ID),))
    assert told(plan) == {("move", None): hashed("move", "old", ADDRESS, ID)}


def test_options_and_basis_say_nothing() -> None:
    plan = updated()
    change = plan.changes[0]
    other = replace(change, fields=tuple(replace(f, basis="applied", origin="drift") for f in change.fields))
    assert told(replace(plan, options=Options(target=(ADDRESS,)), changes=(other,))) == told(plan)


def test_what_is_blocked_equal_or_denied_has_none() -> None:
    assert told(updated(WORKFLOW)) == {}
    assert told(one_plan(LOWER, None, bound(WORKFLOW.fields()))) == {}
    plan = updated(replace(LOWER, description="d"))

    def denied(address: str | None, field: str | None) -> set[tuple[str, str | None]]:
        return set(told(plan, (address, field)))

    assert denied(ADDRESS, "metrics.completeness") == {("update", "description")}
    assert denied(ADDRESS, None) == set()
    assert denied(None, None) == set()
    assert len(denied("other", None)) == 2


@pytest.mark.parametrize("field", ["metrics.completeness", "retire", None])
def test_what_is_told_as_a_whole_is_denied_as_a_whole(field: str | None) -> None:
    """Without the denied field it would be the name of something that nobody does."""
    create = one_plan(LOWER, None, None)
    retire = one_plan(None, None, bound(WORKFLOW.fields()))
    assert told(create, (ADDRESS, field)) == told(retire, (ADDRESS, field)) == {}
    assert told(replace(create, moves=(Move("old", "new", ID),)), (None, None)) == {}


@pytest.mark.parametrize("changed", ["host", "environment", "lineage", "generation"])
def test_elsewhere_it_is_another(changed: str) -> None:
    plan = updated()
    assert told(replace(plan, **{changed: "other"})) != told(plan)
