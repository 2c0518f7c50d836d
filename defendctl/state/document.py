"""The state as text and back. Pure; `DamagedState` and `NewerState` say why a text is not taken."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import Precondition
from defendctl.model import Binding, Fields, Intent, Revision, SentValue, State
from defendctl.state.bounded import parse
from defendctl.state.shape import problem

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = 2
"""What is written. 2 came with what plans have spent, former addresses and revisions."""
READABLE: Final = (1, 2)
LARGEST: Final = 32 * 1024 * 1024


class DamagedState(Precondition):
    """Not JSON, not ours, or changed since it was written."""


class NewerState(Precondition):
    """Written by a newer defendctl."""


def to_text(state: State) -> str:
    """Sorted and indented, so that a git diff shows what moved; ends with a newline."""
    body = {
        "format_version": FORMAT,
        "lineage": state.lineage,
        "serial": state.serial,
        "writer": state.writer,
        "api_host": state.api_host,
        **({"environment": state.environment} if state.environment else {}),
        "generation": state.generation,
        "folded": state.folded,
        "bindings": {a: binding_data(b) for a, b in state.bindings.items()},
        "unresolved": {a: intent_data(i) for a, i in state.unresolved.items()},
        "tombstones": {a: [binding_data(b) for b in old] for a, old in state.tombstones.items()},
        **_if_any(
            uploads=state.uploads,
            ancestors=list(state.ancestors),
            former={address: list(before) for address, before in state.former.items()},
            spent=state.spent,
            spent_floor=state.spent_floor,
            last_attempted_revision=revision_data(state.attempted),
            last_applied_revision=revision_data(state.completed),
        ),
    }
    return json.dumps({**body, "checksum": _checksum(body)}, indent=2, sort_keys=True) + "\n"


def from_text(text: str) -> State:
    """Raises DamagedState or NewerState; never returns half a state."""
    body = _object(text)
    version = body.get("format_version")
    if isinstance(version, int) and version > FORMAT:
        given = f"format {version}" if version < 1000 else "another format"
        raise NewerState(f"the state has {given}, this defendctl reads up to {FORMAT}: use a newer one")
    if version not in READABLE or isinstance(version, bool | float):
        raise DamagedState("this is not a state of defendctl: its `format_version` is neither 1 nor 2")
    if body.pop("checksum", None) != _checksum(body):
        raise DamagedState("the state was changed by something other than defendctl: its checksum is wrong")
    wrong = problem(body)
    if wrong:
        raise DamagedState(f"the state is not complete: {wrong}")
    return _state(body)


def is_older_format(data: bytes) -> bool:
    """Whether a text that `from_text` takes was written by an older defendctl."""
    return f'\n  "format_version": {FORMAT},'.encode() not in data


def binding_data(binding: Binding) -> dict[str, Any]:
    data: dict[str, Any] = {"workflow_id": binding.workflow_id, "applied": binding.applied}
    if binding.assumed:
        data["assumed"] = binding.assumed
    if binding.unconfirmed:
        data["unconfirmed"] = sorted(binding.unconfirmed)
    if binding.recorded:
        data["recorded"] = _stamps_data(binding.recorded)
    if binding.sent:
        data["sent"] = [sent_data(one) for one in binding.sent]
    return data


def sent_data(sent: SentValue) -> dict[str, Any]:
    return {"path": sent.path, "value": sent.value, "fingerprint": sent.fingerprint}


def revision_data(revision: Revision | None) -> dict[str, Any]:
    """Empty for none."""
    if revision is None:
        return {}
    named = _if_any(ref=revision.ref, run=revision.run)
    return {"commit": revision.commit, "time": revision.time, **named}


def _if_any(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _stamps_data(recorded: Mapping[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """By run, for most fields are recorded together."""
    runs: dict[tuple[str, str], list[str]] = {}
    for name, stamp in sorted(recorded.items()):
        runs.setdefault(stamp, []).append(name)
    return [{"at": at, "by": by, "fields": names} for (at, by), names in sorted(runs.items())]


def intent_data(intent: Intent) -> dict[str, Any]:
    data: dict[str, Any] = {"op": intent.op, "at": intent.at, "sent": intent.sent}
    if intent.replaces:
        data["replaces"] = intent.replaces
    if intent.why:
        data["why"] = intent.why
    return data


def binding_from(data: dict[str, Any]) -> Binding:
    return Binding(
        data["workflow_id"],
        fields_from(data["applied"]),
        fields_from(data.get("assumed", {})),
        frozenset(data.get("unconfirmed", ())),
        {name: (run["at"], run["by"]) for run in data.get("recorded", ()) for name in run["fields"]},
        tuple(sent_from(one) for one in data.get("sent", ())),
    )


def sent_from(data: dict[str, Any]) -> SentValue:
    value = data["value"]
    return SentValue(data["path"], tuple(value) if isinstance(value, list) else value, data["fingerprint"])


def revision_from(data: dict[str, Any] | None) -> Revision | None:
    return Revision(data["commit"], data["time"], data.get("ref"), data.get("run")) if data else None


def intent_from(data: dict[str, Any]) -> Intent:
    return Intent(data["op"], data["at"], fields_from(data["sent"]), data.get("replaces"), data.get("why"))


def fields_from(data: dict[str, Any]) -> Fields:
    """JSON knows no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _object(text: str) -> dict[str, Any]:
    try:
        body = parse(text, LARGEST)
    except ValueError as error:
        raise DamagedState(f"the state cannot be read: {_conflict(text) or error}") from error
    if not isinstance(body, dict):
        raise DamagedState("the state cannot be read: it is not a JSON object")
    return body


def _conflict(text: str) -> str | None:
    marks = (n for n, line in enumerate(text.splitlines(), 1) if line.startswith(("<<<<<<<", ">>>>>>>")))
    first = next(marks, None)
    return f"git merge conflict markers are in it, the first on line {first}" if first else None


def _state(body: dict[str, Any]) -> State:
    return State(
        lineage=body["lineage"],
        serial=body["serial"],
        writer=body["writer"],
        api_host=body["api_host"],
        environment=body.get("environment"),
        generation=body["generation"],
        folded=body["folded"],
        bindings={a: binding_from(b) for a, b in body["bindings"].items()},
        unresolved={a: intent_from(i) for a, i in body["unresolved"].items()},
        tombstones={a: tuple(binding_from(b) for b in old) for a, old in body["tombstones"].items()},
        uploads=body.get("uploads", {}),
        ancestors=tuple(body.get("ancestors", ())),
        former={a: tuple(before) for a, before in body.get("former", {}).items()},
        spent=body.get("spent", {}),
        spent_floor=body.get("spent_floor", 0),
        attempted=revision_from(body.get("last_attempted_revision")),
        completed=revision_from(body.get("last_applied_revision")),
    )


def _checksum(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
