"""The differences of two workflows: which paths, and that deepdiff agrees with a plain walk."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.model import Fields, leaves
from defendctl.plan.diff import differing, same
from tests.strategies import near, strange, workflows


def walk(before: Fields, after: Fields) -> list[str]:
    """What `differing` must say, without any library."""
    a, b = leaves(before), leaves(after)
    return sorted(path for path in a.keys() | b.keys() if not equal(a.get(path), b.get(path)))


def equal(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    return abs(a - b) <= 1e-6 if isinstance(a, float) else bool(a == b)


@given(st.data())
def test_deepdiff_agrees_with_a_plain_walk(data: st.DataObject) -> None:
    one = data.draw(workflows())
    other = data.draw(near(one) | workflows())
    live = data.draw(st.just(other.fields()) | strange(other.fields()))
    assert differing(one.fields(), live) == walk(one.fields(), live)
    assert differing(live, one.fields()) == walk(live, one.fields())


@given(workflows())
def test_nothing_differs_from_itself(workflow: Any) -> None:
    assert differing(workflow.fields(), workflow.fields()) == []


# fmt: off
PATHS = [
    # before, after, paths
    ({"metrics": {"a": 0.5}},              {"metrics": {"a": 0.5, "b": 0.1}},          ["metrics.b"]),
    ({"metrics": {"a": 0.5}},              {"metrics": {}},                            ["metrics.a"]),
    ({"metrics": {}},                      {"metrics": {"a": 0.5}},                    ["metrics.a"]),
    ({"metrics": {"a": 0.5}},              {"metrics": {"b": 0.5}},               ["metrics.a", "metrics.b"]),
    ({"metrics": {"a": 0.5}},              {"metrics": {"a": "low"}},                  ["metrics.a"]),
    ({"metrics": {"a": 0.5}},              {"metrics": {"a": 0.500000999}},            []),
    ({"metrics": {"a": 0.3}},              {"metrics": {"a": 0.30000001192092896}},    []),
    ({"metrics": {"a": 0.5}},              {"metrics": {"a": 0.5000011}},              ["metrics.a"]),
    ({"metrics": {"x.y": 0.5}},            {"metrics": {"x.y": 0.6}},                  ["metrics.x.y"]),
    ({"metrics": {"__a": 0.5}},            {"metrics": {"__a": 0.6}},                  ["metrics.__a"]),
    ({"file_search": ()},                  {"file_search": ("f",)},                    ["file_search"]),
    ({"file_search": ("e", "f")},          {"file_search": ("f", "g")},                ["file_search"]),
    ({"web_search": False},                {"web_search": True},                       ["web_search"]),
    ({"max_retries": 10},                  {"max_retries": 10.5},                      ["max_retries"]),
    ({"max_retries": 9999},                {"max_retries": 10000},                     ["max_retries"]),
    ({"description": ""},                  {"description": "\n"},                      ["description"]),
    ({"name": "a", "type": "custom"},      {"name": "b", "type": "automatic"},         ["name", "type"]),
    ({"metrics": {"it's": 0.5}},           {"metrics": {"it's": 0.6}},                 ["metrics.it's"]),
]
# fmt: on


@pytest.mark.parametrize(("before", "after", "paths"), PATHS)
def test_paths(before: Fields, after: Fields, paths: list[str]) -> None:
    assert differing(before, after) == paths


def test_a_switch_is_not_a_number() -> None:
    assert not same(True, 1)
    assert not same(0.0, False)
    assert not same(None, 0.0)
