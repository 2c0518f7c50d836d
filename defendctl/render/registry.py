"""Which formats each kind of result has: the one table that `--format`, `--report` and the printing follow.

A renderer is a function of the result and a `Setting` that gives text, or a document of JSON. It is named
here and loaded when its format is chosen: a command pays for no format that nobody asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from defendctl.render.json.dump import dumped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from defendctl.render.setting import Setting

FORMATS: Final[dict[str, dict[str, str]]] = {
    "plan": {
        "text": "text.plan:plan",
        "json": "json.plan:plan",
        "markdown": "markdown.comment:plan",
        "github": "github:plan",
        "html": "html.page:plan",
    },
    "drift": {
        "text": "text.drift:drift",
        "json": "json.results:drift",
        "markdown": "markdown.comment:drift",
        "github": "github:drift",
        "html": "html.page:drift",
    },
    "diagnostics": {
        "text": "text.diagnostics:diagnostics",
        "json": "json.results:diagnostics",
        "github": "github:diagnostics",
        "sarif": "sarif:diagnostics",
    },
    "apply": {"text": "text.apply:apply", "json": "json.results:apply"},
    "workflow": {"text": "text.view:view", "json": "json.results:view"},
    "provenance": {"text": "text.provenance:provenance", "json": "json.provenance:provenance"},
    "state": {"text": "text.state:state", "json": "json.results:state"},
    "migration": {"text": "text.state:migrated", "json": "json.transfer:migrated"},
    "push": {"text": "text.state:pushed", "json": "json.transfer:pushed"},
    "versions": {"text": "text.state:versions", "json": "json.transfer:versions"},
    "paths": {"text": "text.state:paths", "json": "json.transfer:paths"},
    "outputs": {
        "json": "json.results:outputs",
        "env": "shell:outputs",
        "github": "github:outputs",
        "dotenv": "dotenv:outputs",
        "text": "text.outputs:outputs",
        "ts": "constants:ts",
        "go": "constants:go",
        "ruby": "constants:ruby",
        "python": "constants:python",
    },
    "events": {"text": "text.events:events", "json": "json.events:events"},
    "event": {"text": "text.events:event", "json": "json.events:event"},
    "submission": {"text": "text.events:sent", "json": "json.events:sent"},
    "test-results": {
        "text": "text.suite:suite",
        "json": "json.suite:suite",
        "junit": "junit:suite",
        "markdown": "markdown.suite:suite",
        "html": "html.page:suite",
    },
    "tune": {"text": "tune.rows:tune", "json": "tune.tune_json:tune"},
    "proof": {"text": "text.proof:proof", "json": "json.proof:proof"},
    "comparison": {
        "text": "text.contrast:contrast",
        "json": "json.contrast:contrast",
        "markdown": "markdown.contrast:contrast",
    },
    "manifest": {"yaml": "effective:yaml", "json": "effective:json", "text": "effective:yaml"},
    "explanation": {"text": "text.diagnostics:explanation", "json": "json.explanation:explanation"},
    "pipelines": {"text": "pipelines:text", "json": "pipelines:json"},
    "report": {
        "text": "page.plain:report",
        "html": "html.page:report",
        "markdown": "page.markdown:report",
        "json": "page.saved:report",
    },
    "doctor": {"text": "text.doctor:doctor", "json": "json.doctor:doctor"},
}
"""Kind of result → format → module in `render/` and function. The first format of a kind is its default."""

OUTPUTS: Final = {"plan": "github:plan_outputs", "drift": "github:drift_outputs"}
"""Kind → what a step of GitHub Actions is told of it besides: from a result and an exit code to lines."""


OWN: Final = {
    "text": "own:text",
    "json": "own:json",
    "markdown": "own:markdown",
    "github": "own:github",
    "sarif": "own:sarif",
    "html": "own:html",
    "junit": "own:junit",
    "schema": "own:schema",
    "state": "own:state",
}
"""Format → from a kind and a text to whether it is such a result. Others are never replaced."""


def load(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"defendctl.render.{module}"), function)
    return found


def draw(kind: str, format: str, result: Any, setting: Setting) -> str:
    made: str | Mapping[str, Any] = load(FORMATS[kind][format])(result, setting)
    return made if isinstance(made, str) else dumped(made)


def is_own(kind: str, format: str, content: str) -> bool:
    """Whether a newer result of that kind and format may take its place. Nothing at all is of every kind."""
    return not content or (format in OWN and bool(load(OWN[format])(kind, content)))
