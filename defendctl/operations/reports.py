"""report: saved documents, read again to be drawn. No network, no key, no project."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from defendctl.command import command
from defendctl.diagnostics import DefendctlError
from defendctl.operations.planfile import read_json
from defendctl.render.json.dump import FORMAT_VERSION
from defendctl.render.json.plan import PLAN_VERSION
from defendctl.render.page.saved import SHAPES, Saved
from defendctl.yamltext.quote import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Document = Mapping[str, Any]

_SAVED: Final = {
    "plan": partial(command, "plan --out FILE"),
    "drift": partial(command, "drift --report json:FILE"),
    "test-results": partial(command, "test --out FILE"),
    "tune": partial(command, "tune ADDRESS --report json:FILE"),
    "fleet": partial(command, "report --fleet --report json:FILE"),
    "report": partial(command, "report FILE --report json:FILE"),
}
"""Kind → the command that saves one."""


def read_reports(paths: Sequence[Path]) -> Saved:
    """Raises DefendctlError for a file that is none of these, or of a format to come."""
    return Saved(tuple(document for path in paths for document in _read(path)))


def _read(path: Path) -> Iterator[Document]:
    data = read_json(path, "document that can be drawn", _hint())
    yield from _documents(path, data)


def _documents(path: Path, data: Any) -> Iterator[Document]:
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in _SAVED:
        raise DefendctlError(f"{path} is not a document that can be drawn{_other(kind)}", _hint())
    version = data.get("format_version")
    if not isinstance(version, str) or not version.startswith("1."):
        given = version if isinstance(version, str) else "none"
        raise DefendctlError(
            f"{path} is a document of the kind {kind} and of the format {given[:20]!r}; "
            "this defendctl reads 1.x: draw it with a newer one, or save it anew"
        )
    yield from _checked(path, kind, data)


def _checked(path: Path, kind: str, data: dict[str, Any]) -> Iterable[Document]:
    """As it was made; what another document adds to its shape is dropped by no one."""
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(SHAPES[kind]).validate_python(data, strict=True)
    except ValidationError as error:
        where = path_of(map(str, error.errors(include_input=False)[0]["loc"]))
        raise _not_understood(path, kind, data["format_version"], where) from error
    if kind == "report":
        return [document for each in data["documents"] for document in _documents(path, each)]
    if not all(map(_adds_up, _replayed(kind, data))):
        raise _incomplete(path, kind, "the distribution of a metric, which does not add up")
    return [data]


def _replayed(kind: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """All metrics that may have a picture."""
    if kind == "tune":
        return [one["replay"] for one in data["metrics"] if "replay" in one]
    replays = [*data.get("replay", ()), *data.get("policy_replay", ())]
    return [metric for one in replays for metric in one["metrics"]]


def _adds_up(metric: dict[str, Any]) -> bool:
    """Whether it can be drawn: a document may have been edited by hand."""
    told = metric.get("distribution")
    if told is None:
        return True
    scores, counts, verdicts = told["scores"], told["counts"], told["verdicts"].values()
    scored, fails = metric["scored"], (metric["fails_before"], metric["fails_after"])
    return (
        sum(counts) + sum(verdicts) == scored
        and len(scores) == len(counts)
        and min([*counts, *verdicts, *fails]) >= 0
        and max(fails) <= scored
        and all(map(math.isfinite, scores))
        and scores == sorted(scores)
    )


def _not_understood(path: Path, kind: str, version: str, where: str) -> DefendctlError:
    """A later 1.x may say what this one cannot draw: then nothing is missing."""
    known = PLAN_VERSION if kind == "plan" else FORMAT_VERSION
    if _order(version) <= _order(known):
        return _incomplete(path, kind, where)
    return DefendctlError(
        f"{path} is a document of the kind {kind} and of the format {version[:20]!r}; this defendctl knows "
        f"{known} and does not understand {where}: draw it with a newer one"
    )


def _order(version: str) -> tuple[int, str]:
    """1.10 comes after 1.9."""
    minor = version.removeprefix("1.")
    return len(minor), minor


def _incomplete(path: Path, kind: str, where: str) -> DefendctlError:
    hint = f"`{_SAVED[kind]()}` writes one"
    return DefendctlError(f"{path} is not a complete document of the kind {kind}: look at {where}", hint)


def _other(kind: Any) -> str:
    return f": it is one of the kind {kind[:40]!r}" if isinstance(kind, str) else ""


def _hint() -> str:
    *most, last = (f"`{how()}`" for how in _SAVED.values())
    return f"{', '.join(most)} or {last} writes one"
