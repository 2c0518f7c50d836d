"""A proof of what is served, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert, pair
from defendctl.render.words import named, path

if TYPE_CHECKING:
    from defendctl.inspection.proof import Proof
    from defendctl.render.text.paint import Paint


_SAID: Final = {
    "proven": "Proven: the newest event was judged as declared.",
    "differs": "Differs: the newest event was not judged as declared.",
    "not_yet": "Not yet proven",
}
_COLOURS: Final = {"proven": "green", "differs": "red", "not_yet": "yellow"}


def text(proof: Proof, paint: Paint, environment: str | None = None) -> str:
    lines = [f"{named(environment)}{inert(proof.address)} ({inert(proof.workflow_id)})"]
    lines.append(f"  last changed  {inert(proof.changed_at or 'not told')}")
    if proof.event_id:
        lines.append(
            f"  newest event  {inert(proof.at or 'at a time that is not told')}  {inert(proof.event_id)}"
        )
    for one in proof.fields:
        said = {"same": "as declared", "not_told": "not told by the event", "differs": "DIFFERS"}[one.verdict]
        declared, seen = pair(one.declared, one.served)
        served = f", served {seen}" if one.verdict == "differs" else ""
        lines.append(f"      {path(one.path):<32}  {declared}{served}  {said}")
    why = f": {inert(proof.why)}." if proof.why else ""
    lines.append(paint(_SAID[proof.answer], _COLOURS[proof.answer]) + why)
    return "\n".join(lines) + "\n"
