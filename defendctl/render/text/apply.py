"""What apply did, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.command import command
from defendctl.render.inert import inert
from defendctl.render.setting import PLAIN
from defendctl.render.words import moved

if TYPE_CHECKING:
    from defendctl.engine.results import ApplyResult, Receipt, Result
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint


_OUTCOMES: Final = {"done": "green", "failed": "red", "unknown": "red", "not_attempted": "yellow"}


def apply(result: ApplyResult, setting: Setting = PLAIN) -> str:
    where = f" in {setting.environment}" if setting.environment else ""
    lines = [f"  {line}  renamed" for line in moved(result.moves)]
    lines += [_result(one, setting.paint) for one in result.results]
    counts = result.summary()
    shown = ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in counts.items() if n)
    done = (
        f"Applied{where}: {len(result.moves)} renamed."
        if result.moves
        else "Nothing to do: everything is as declared."
    )
    lines.append(f"Applied{where}: {shown}." if shown else done)
    return "\n".join(lines) + "\n"


def receipt(created: Receipt) -> list[str]:
    """How to record by hand what could not be recorded."""
    workflow_id = inert(created.workflow_id)
    return [
        f"  {created.address} was created as {workflow_id}, but the state could not be written. Run:",
        f"      {command('state resolve {} --id {}', created.address, created.workflow_id)}",
    ]


def _result(one: Result, paint: Paint) -> str:
    workflow_id = f"  {inert(one.workflow_id)}" if one.workflow_id else ""
    outcome = paint(one.outcome.replace("_", " "), _OUTCOMES[one.outcome])
    error = f": {inert(one.error)}" if one.error else ""
    return f"  {one.address}  {one.action}  {outcome}{workflow_id}{error}"
