"""plan --tests: the results file of an earlier run, checked, beside a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.api.dialects import DIALECTS
from defendctl.command import command
from defendctl.diagnostics import DefendctlError
from defendctl.operations.planfile import read_json
from defendctl.suite.recorded import Recorded, beside
from defendctl.yamltext.quote import path_of

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.plan.changes import Plan
    from defendctl.suite.models import Verdict
    from defendctl.suite.recorded import Tests


def read_tests(path: Path, plan: Plan) -> Tests:
    """What is recorded of the workflows of a plan. Raises DefendctlError for a file that holds no results."""
    return beside(plan, read_results(path), DIALECTS[plan.generation].support.read)


def _hint(path: Path) -> str:
    return f"`{command('test --out {}', str(path))}` writes one"


def read_results(path: Path) -> Recorded:
    """Raises DefendctlError."""
    data = read_json(path, "results file", _hint(path))
    if not isinstance(data, dict) or data.get("kind") != "test-results":
        raise DefendctlError(f"{path} holds no results of tests; {_hint(path)}")
    if not str(data.get("format_version")).startswith("1."):
        raise DefendctlError(f"{path} has a format that this defendctl does not read", _hint(path))
    return _recorded(path, data)


def _recorded(path: Path, data: dict[str, Any]) -> Recorded:
    from pydantic import TypeAdapter, ValidationError

    from defendctl.render.json.contract import ResultsDocument

    try:
        TypeAdapter(ResultsDocument).validate_python(data)
    except ValidationError as error:
        where = path_of(map(str, error.errors(include_input=False)[0]["loc"]))
        raise DefendctlError(
            f"{path} does not hold complete results: look at {where}", _hint(path)
        ) from error
    verdicts: dict[str, dict[str, Verdict]] = {}
    for case in data["cases"]:
        verdicts.setdefault(case["address"], {})[case["name"]] = case["verdict"]
    return Recorded(
        host=data["host"],
        environment=data.get("environment"),
        at=data["at"],
        candidate=data.get("candidate", False),
        digests={one["address"]: one["digest"] for one in data["configurations"]},
        verdicts=verdicts,
    )
