"""Which formats each kind of result has. A format is a file in `render/` with a function for each kind
that it knows, how it is called here, and its name in the rows below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from defendctl.render import github, sarif
from defendctl.render.json import results
from defendctl.render.markdown import comment

if TYPE_CHECKING:
    from defendctl.render.text.paint import Paint


@dataclass(frozen=True, slots=True)
class Setting:
    """What a format may need besides the result."""

    paint: Paint
    folder: str
    """Where the command runs, as the repository names it."""
    environment: str | None = None
    """Of a project that has any. A plan knows its own."""

    def of(self, kind: str) -> tuple[str | None, ...]:
        """What the function of a kind is given besides."""
        return () if kind == "plan" else (self.environment,)


Draw = Callable[[str, Any, Setting], str]
"""From a kind, a result of that kind and the setting to what is printed."""


def _text(kind: str, result: Any, setting: Setting) -> str:

    more = setting.of(kind) if kind == "drift" else ()
    room = import_module(f"defendctl.render.text.{kind}")
    shown: str = getattr(room, kind)(result, setting.paint, *more)
    return shown + str(room.verdict(result)) if kind == "diagnostics" else shown


def _json(kind: str, result: Any, setting: Setting) -> str:
    shown: str = getattr(results, kind)(result, *setting.of(kind))
    return shown


def _markdown(kind: str, result: Any, setting: Setting) -> str:
    shown: str = getattr(comment, kind)(result, comment.COMMENT, *setting.of(kind))
    return shown


def _github(kind: str, result: Any, setting: Setting) -> str:
    shown: str = getattr(github, kind)(result, setting.folder, *setting.of(kind))
    return shown


def _sarif(kind: str, result: Any, setting: Setting) -> str:
    shown: str = getattr(sarif, kind)(result, setting.folder)
    return shown


FORMATS: Final[dict[str, dict[str, Draw]]] = {
    "plan": {"text": _text, "json": _json, "markdown": _markdown, "github": _github},
    "drift": {"text": _text, "json": _json, "markdown": _markdown, "github": _github},
    "diagnostics": {"text": _text, "json": _json, "github": _github, "sarif": _sarif},
}
"""Kind of result → format → how it is drawn. The first of a kind is the one of `--format`'s default."""
