"""Recorded tests as JSON, in a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from defendctl.render.json.contract import TestedDocument, TestsDocument
    from defendctl.suite.recorded import Tested, Tests


def tests_document(found: Tests) -> TestsDocument:
    return {
        "at": found.at,
        "candidate": found.candidate,
        "stale": found.stale,
        "workflows": [_tested(one) for one in found.tested],
    }


def _tested(one: Tested) -> TestedDocument:
    return {
        "address": one.address,
        "of": one.of,
        "why": one.why,
        "cases": [{"name": name, "verdict": verdict} for name, verdict in sorted(one.verdicts.items())],
    }
