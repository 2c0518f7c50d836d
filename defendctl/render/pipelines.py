"""What became of the files of a pipeline, and what is left for a person to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypedDict

from defendctl.render.inert import inert
from defendctl.render.json.documents import AnyDocument
from defendctl.render.json.dump import FORMAT_VERSION
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.pipelines.wanted import Fate, Pipelines
    from defendctl.render.setting import Setting

_SAID: Final = {
    "written": "wrote  {}",
    "equal": "left   {} (as it would be written)",
    "kept": "left   {} (changed by hand; its template is the newest)",
    "missing": "lacks  {}",
    "behind": "behind {}",
    "foreign": "behind {} (changed by hand, or not of this command)",
}


class PipelineFileDocument(TypedDict):
    name: str
    fate: Fate


class PipelinesDocument(AnyDocument):
    kind: Literal["pipelines"]
    forge: str
    command: str
    behind: bool
    files: list[PipelineFileDocument]
    next: list[str]


def text(value: Pipelines, setting: Setting = PLAIN) -> str:
    lines = [_SAID[made.fate].format(inert(made.name)) for made in value.files]
    if value.behind:
        return "\n".join([*lines, f"Run `{value.command}` to write what is behind."]) + "\n"
    steps = [f"{number}. {inert(step)}" for number, step in enumerate(value.steps, 1)]
    return "\n".join([*lines, "Next:", *steps, ""])


def json(value: Pipelines, setting: Setting = PLAIN) -> PipelinesDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "pipelines",
        "forge": value.forge,
        "command": value.command,
        "behind": value.behind,
        "files": [{"name": made.name, "fate": made.fate} for made in value.files],
        "next": list(value.steps),
    }
