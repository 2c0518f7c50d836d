"""plan --tests: the results file of an earlier run, checked, beside a plan."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from defendctl.api.dialects import DIALECTS
from defendctl.command import command
from defendctl.diagnostics import DefendctlError
from defendctl.evidence.tuning import Examples
from defendctl.operations.planfile import read_json
from defendctl.plan.digest import canonical
from defendctl.suite.recorded import Recorded, beside
from defendctl.yamltext.quote import path_of

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    from defendctl.render.json.contract import ResultsDocument

    return _recorded(_results(path, ResultsDocument))


def _results(path: Path, shape: Any) -> dict[str, Any]:
    """The document, complete in this shape. Raises DefendctlError."""
    data = read_json(path, "results file", _hint(path))
    if not isinstance(data, dict) or data.get("kind") != "test-results":
        raise DefendctlError(f"{path} holds no results of tests; {_hint(path)}")
    if not str(data.get("format_version")).startswith("1."):
        raise DefendctlError(f"{path} has a format that this defendctl does not read", _hint(path))
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(shape).validate_python(data, strict=True)
    except ValidationError as error:
        where = path_of(map(str, error.errors(include_input=False)[0]["loc"]))
        raise DefendctlError(
            f"{path} does not hold complete results: look at {where}", _hint(path)
        ) from error
    return data


def _recorded(data: dict[str, Any]) -> Recorded:
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


def read_cases(
    paths: Sequence[Path], address: str, host: str, environment: str | None, run_mode: str | None
) -> Examples:
    """The runs of the cases of one address that should be flagged, as metric → score; of `run_mode`.

    Raises DefendctlError for a file that holds no results, or those of another host or environment.
    """
    from defendctl.render.json.submitted import SuiteDocument

    found: list[dict[str, float | None]] = []
    for path in paths:
        data = _results(path, SuiteDocument)
        if (data["host"], data.get("environment")) != (host, environment):
            raise DefendctlError(
                f"{path} was recorded on {data['host']} in {data.get('environment') or 'no environment'}, "
                "so it says nothing of what is tuned here",
                _hint(path),
            )
        for case in data["cases"]:
            about = (case["address"], case["run_mode"], case.get("expected"))
            if about == (address, run_mode, "flagged"):
                found.extend(map(_scores, case["runs"]))
    hashed = hashlib.sha256(canonical(found).encode()).hexdigest()
    return Examples(known=tuple(found), tests_digest=f"sha256:{hashed}")


def _scores(run: dict[str, Any]) -> dict[str, float | None]:
    """Of one run that ended; of another nothing is known."""
    return {metric: one["score"] for metric, one in run["scores"].items()} if run["ended"] else {}
