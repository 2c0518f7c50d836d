"""The results of a test suite as JUnit XML."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.text.suite import said_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.render.setting import Setting
    from defendctl.suite.models import CaseResult, Suite


def suite(done: Suite, setting: Setting = PLAIN) -> str:
    """What is flaky is a failure, and what was not judged an error: no runner takes them for passed."""
    bad = done.count("failed") + done.count("flaky")
    counts = f'tests="{len(done.results)}" failures="{bad}" errors="{done.count("not_judged")}"'
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites><testsuite name="defendctl" {counts} time="{done.seconds:.3f}">',
        *(line for result in done.results for line in _testcase(result)),
        "</testsuite></testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _testcase(result: CaseResult) -> Iterator[str]:
    seconds = sum(run.seconds for run in result.runs)
    name, address = _attribute(result.case.name), _attribute(result.case.address)
    opening = f'<testcase name={name} classname={address} time="{seconds:.3f}"'
    if result.verdict == "passed":
        yield f"{opening}/>"
        return
    element = "error" if result.verdict == "not_judged" else "failure"
    said = "; ".join(said_of(result))
    yield f'{opening}><{element} type="{result.verdict}" message={_attribute(said)}/></testcase>'


def _attribute(said: str) -> str:
    """XML takes no control characters, not even escaped."""
    return quoteattr(inert(said))
