"""A proof of what is served, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert, pair
from defendctl.render.setting import PLAIN
from defendctl.render.words import named, path

if TYPE_CHECKING:
    from defendctl.inspection.proof import Proof
    from defendctl.render.setting import Setting


_SAID: Final = {
    "proven": "Proven: the newest event was judged as declared.",
    "differs": "Differs: the newest event was not judged as declared.",
    "not_yet": "Not yet proven",
}
_COLOURS: Final = {"proven": "green", "differs": "red", "not_yet": "yellow"}


def proof(found: Proof, setting: Setting = PLAIN) -> str:
    lines = [f"{named(setting.environment)}{inert(found.address)} ({inert(found.workflow_id)})"]
    lines.append(f"  last changed  {inert(found.changed_at or 'unknown')}")
    if found.event_id:
        lines.append(f"  newest event  {inert(found.at or 'at an unknown time')}  {inert(found.event_id)}")
    for one in found.fields:
        said = {"same": "as declared", "not_told": "not recorded by the event", "differs": "DIFFERS"}[
            one.verdict
        ]
        declared, seen = pair(one.declared, one.served)
        served = f", served {seen}" if one.verdict == "differs" else ""
        lines.append(f"      {path(one.path):<32}  {declared}{served}  {said}")
    why = f": {inert(found.why)}." if found.why else ""
    lines.append(setting.paint(_SAID[found.answer], _COLOURS[found.answer]) + why)
    return "\n".join(lines) + "\n"
