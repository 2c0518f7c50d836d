"""What apply did, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.command import command, settling
from defendctl.render.inert import inert, value
from defendctl.render.setting import PLAIN
from defendctl.render.words import moved

if TYPE_CHECKING:
    from defendctl.engine.results import ApplyResult, Receipt, Result
    from defendctl.model import Intent
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


def unresolved(address: str, intent: Intent) -> list[str]:
    """What an operator needs to settle a create whose outcome is unknown."""
    because = f" ({inert(intent.why)})" if intent.why else ""
    name = value(str(intent.sent.get("name")))
    known = f"    Its answer gave the id {inert(intent.answered)}." if intent.answered else ""
    return [
        f"  {address}  unknown: a create was sent at {intent.at}{because}.",
        *([known] if known else []),
        f"    Look in the console for a workflow named {name} made at about that time, then run",
        "    the one that is true (the second from 15 minutes on, or with --now):",
        *(f"      {each}" for each in settling(address, intent.answered or "WORKFLOW_ID")),
    ]


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
