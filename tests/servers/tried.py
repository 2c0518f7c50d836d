"""The last line of a run of the tests: which places of a state were tried, and why others were not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

PLACE: Final = "place of a state"
"""Under which name a test says where its state is."""


def pytest_unconfigure(config: pytest.Config) -> None:
    """After all that pytest says itself. Processes that run a part of the tests say nothing."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not hasattr(config, "workerinput"):
        line = tried(reporter.stats)
        if line:
            reporter.write_line(line)


def tried(stats: Mapping[str, Sequence[Any]]) -> str | None:
    """None where no test was about places."""
    passed, skipped = _places(stats, "passed"), _places(stats, "skipped")
    failed = _places(stats, "failed") | _places(stats, "error")
    if not (passed or skipped or failed):
        return None
    not_tried = [f"{place} ({skipped[place]})" for place in sorted(skipped.keys() - passed.keys())]
    parts = {
        "Places of a state that were tried": sorted(passed),
        "failed": sorted(failed),
        "not tried": not_tried,
    }
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names)


def _places(stats: Mapping[str, Sequence[Any]], outcome: str) -> dict[str, str]:
    """Place → why it was skipped, if it was."""
    return {
        place: report.longrepr[2] if report.skipped else ""
        for report in stats.get(outcome, ())
        for name, place in getattr(report, "user_properties", ())
        if name == PLACE
    }
