"""SARIF as its 2.1.0 schema wants it. The schema is the one that the SARIF JS SDK ships (MIT)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl import __version__
from defendctl.diagnostics import Diagnostic, Span
from defendctl.render import sarif
from defendctl.render.setting import Setting
from tests.bad.golden import assert_inert
from tests.render.strange import diagnostics

jsonschema: Any = pytest.importorskip("jsonschema")
SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
CHECKER = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
FOUND = [
    Diagnostic("error", "unknown-metric", "There is no metric `x`.", Span("workflows/a b.yaml", 7, 9)),
    Diagnostic("warning", "retries-unused", "max_retries does nothing here.", Span("workflows/a.yaml", 9)),
    Diagnostic("error", "unknown-metric", "There is no metric `x`.", Span("workflows/a.yaml", 1, 1)),
    Diagnostic("error", "not-found", "There is no folder.", Span("workflows")),
    Diagnostic("warning", "placeless", "Somewhere."),
]


def read(shown: str) -> Any:
    assert_inert(shown)
    assert shown.isascii()
    log = json.loads(shown)
    CHECKER.validate(log)
    return log["runs"][0]


def test_results() -> None:
    run = read(sarif.diagnostics(FOUND, Setting(folder="guardrails")))
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("defendctl", __version__)
    assert [rule["id"] for rule in driver["rules"]] == sorted({one.code for one in FOUND})
    for one, result in zip(FOUND, run["results"], strict=True):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == one.code
        assert (result["level"], result["message"]["text"]) == (one.severity, one.message)
    places = [[place["physicalLocation"] for place in result["locations"]] for result in run["results"]]
    assert places == [
        [
            {
                "artifactLocation": {"uri": "guardrails/workflows/a%20b.yaml"},
                "region": {"startLine": 7, "startColumn": 9},
            }
        ],
        [{"artifactLocation": {"uri": "guardrails/workflows/a.yaml"}, "region": {"startLine": 9}}],
        [
            {
                "artifactLocation": {"uri": "guardrails/workflows/a.yaml"},
                "region": {"startLine": 1, "startColumn": 1},
            }
        ],
        [{"artifactLocation": {"uri": "guardrails/workflows"}}],
        [],
    ]


def test_nothing_found_is_a_run_without_results() -> None:
    assert read(sarif.diagnostics([]))["results"] == []


@pytest.mark.parametrize(
    ("file", "uri"),
    [("/srv/a.yaml", "file:///srv/a.yaml"), ("c:a.yaml", "c%3Aa.yaml"), ("ä#?.yaml", "%C3%A4%23%3F.yaml")],
)
def test_a_place_is_a_uri(file: str, uri: str) -> None:
    [result] = read(sarif.diagnostics([Diagnostic("error", "code", "message", Span(file, 1))]))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(diagnostics, max_size=4))
def test_whatever_is_found_it_fits_the_schema(found: list[Diagnostic]) -> None:
    results = read(sarif.diagnostics(found))["results"]
    assert len(results) == len(found)
    assert not [result for result in results if "](" in result["message"]["text"]]
