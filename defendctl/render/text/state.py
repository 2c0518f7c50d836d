"""The state as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import settling
from defendctl.model import CANARY
from defendctl.render.inert import inert, value
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.inspection.transfer import Migrated, Pushed
    from defendctl.model import Binding, Intent, State
    from defendctl.render.setting import Setting
    from defendctl.state.backend import Version


def state(there: State, setting: Setting = PLAIN) -> str:
    named = f"environment {there.environment}  " if there.environment else ""
    lines = [f"{named}lineage {inert(there.lineage or '-')}  serial {there.serial}"]
    lines += [f"  {a}  {inert(b.workflow_id)}" for a, b in sorted(there.managed.items())]
    lines += [f"  {CANARY}  {inert(b.workflow_id)}  for candidates" for b in _canary(there)]
    for address, intent in sorted(there.unresolved.items()):
        lines += unresolved(address, intent)
    for address, old in sorted(there.tombstones.items()):
        lines += [f"  {address}  {inert(b.workflow_id)}  retired, still live" for b in old]
    if len(lines) == 1:
        lines.append("  nothing is bound")
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


def migrated(value: Migrated, setting: Setting = PLAIN) -> str:
    lines = [f"The state moved from {inert(value.before)} to {inert(value.now)}.", ""]
    lines += ["Put this into defendctl.yaml, in the place of what `state` says there:", ""]
    lines += [f"  {inert(line)}" for line in value.lines.splitlines()]
    if value.branches:
        branches = ", ".join(map(inert, value.branches))
        lines += ["", f"Branches that still hold the old file, and must merge this first: {branches}"]
    return "\n".join(lines) + "\n"


def pushed(value: Pushed, setting: Setting = PLAIN) -> str:
    lines = [f"{inert(value.where)} has serial {value.serial} now."]
    lines += [f"  only the state before knew {inert(one)}" for one in value.forgotten]
    return "\n".join(lines) + "\n"


def versions(value: Sequence[Version], setting: Setting = PLAIN) -> str:
    if not value:
        return "No earlier version is kept there.\n"
    return "".join(f"{inert(_version(one))}: {inert(one.restore)}\n" for one in value)


def _version(one: Version) -> str:
    return "  ".join(filter(None, (f"serial {one.serial}", one.at, one.writer, one.place)))


def paths(value: Sequence[str], setting: Setting = PLAIN) -> str:
    """One a line, for a command line: those of a state that is elsewhere are none."""
    return "".join(f"{inert(path)}\n" for path in value)


def _canary(state: State) -> list[Binding]:
    return [state.bindings[CANARY]] if CANARY in state.bindings else []
