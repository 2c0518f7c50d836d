"""Recorded tests as JSON, in a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from defendctl.suite.recorded import Tests


def tests_data(found: Tests) -> dict[str, Any]:
    """As the plan's JSON has it."""
    return {
        "at": found.at,
        "candidate": found.candidate,
        "stale": found.stale,
        "workflows": [
            {
                "address": one.address,
                "of": one.of,
                "why": one.why,
                "cases": [{"name": name, "verdict": v} for name, v in sorted(one.verdicts.items())],
            }
            for one in found.tested
        ],
    }
