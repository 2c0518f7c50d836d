"""The state as text and back. Pure; `DamagedState` and `NewerState` say why a text is not taken."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeVar

from defendctl.diagnostics import Precondition
from defendctl.model import Binding, Fields, Intent, Revision, SentValue, State
from defendctl.process import uncollected
from defendctl.state.bounded import parse
from defendctl.state.shape import problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")
FORMAT: Final = 2
"""What is written. 2 came with what plans have spent, former addresses and revisions."""
MOVED: Final = 3
"""Of a state that goes on elsewhere: no older defendctl takes it for one to go on from."""
READABLE: Final = (1, 2, 3)
LARGEST: Final = 32 * 1024 * 1024
_HEAD: Final = re.compile(rb'^  "(lineage|serial|writer)": "?([^",\n]*)"?,?$', re.MULTILINE)
_DIGITS: Final = 18
_CONSTANTS: Final = {None: "null", True: "true", False: "false"}


class DamagedState(Precondition):
    """Not JSON, not ours, or changed since it was written."""


class NewerState(Precondition):
    """Written by a newer defendctl."""


def to_text(state: State) -> str:
    """Sorted and indented, so that a git diff shows what moved; ends with a newline."""
    with uncollected():
        body = _body(state)
        return _indented({**body, "checksum": _checksum(body)}) + "\n"


def from_text(text: str) -> State:
    """Raises DamagedState or NewerState; never returns half a state."""
    with uncollected():
        return _state(_checked(_object(text)))


def refuse_unsound(state: State, sound: State) -> None:
    """Raises DamagedState for what no text would be taken for. `sound` came from one: what is still the same
    is not looked at again."""
    fresh = replace(
        state,
        bindings=_other(state.bindings, sound.bindings),
        unresolved=_other(state.unresolved, sound.unresolved),
        tombstones=_other(state.tombstones, sound.tombstones),
    )
    _refuse_problem(_body(fresh))


def _other(now: Mapping[str, T], then: Mapping[str, T]) -> dict[str, T]:
    return {address: value for address, value in now.items() if then.get(address) is not value}


def _body(state: State) -> dict[str, Any]:
    return {
        "format_version": MOVED if state.moved_to else FORMAT,
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
            moved_to=state.moved_to,
        ),
    }


def _indented(value: Any, line: str = "\n") -> str:
    """As `json.dumps(value, indent=2, sort_keys=True)`, for which Python has no fast encoder."""
    deeper = line + "  "
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, dict):
        pairs = [f"{encode_basestring_ascii(k)}: {_indented(v, deeper)}" for k, v in sorted(value.items())]
        return f"{{{deeper}{f',{deeper}'.join(pairs)}{line}}}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        items = [_indented(v, deeper) for v in value]
        return f"[{deeper}{f',{deeper}'.join(items)}{line}]" if items else "[]"
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    return repr(value) if isinstance(value, int) or isfinite(value) else json.dumps(value)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    version = body.get("format_version")
    if isinstance(version, int) and version > READABLE[-1]:
        given = f"format {version}" if version < 1000 else "another format"
        raise NewerState(
            f"the state has {given}, and this defendctl reads up to {READABLE[-1]}: use a newer defendctl"
        )
    if version not in READABLE or isinstance(version, bool | float):
        raise DamagedState("this is not a state of defendctl: its `format_version` is not 1, 2 or 3")
    given = body.pop("checksum", None)
    if given is None or (given != _quick_checksum(body) and given != _checksum(body)):
        raise DamagedState("the state was changed by something other than defendctl: its checksum is wrong")
    _refuse_problem(body)
    return body


def _refuse_problem(body: dict[str, Any]) -> None:
    wrong = problem(body)
    if wrong:
        raise DamagedState(f"the state is not complete: {wrong}")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a document says of itself, as far as it does."""

    lineage: str | None
    serial: int | None
    writer: str


def heading(data: bytes) -> Heading:
    """By a few of its lines alone: a state may be large, and need not be whole for this."""
    found = {name.decode(): value.decode(errors="replace") for name, value in _HEAD.findall(data)}
    serial = found.get("serial", "")
    known = int(serial) if serial.isdecimal() and len(serial) < _DIGITS else None
    return Heading(found.get("lineage"), known, found.get("writer", ""))


def is_older_format(data: bytes) -> bool:
    """Whether a text that `from_text` takes was written by an older defendctl."""
    return not any(f'\n  "format_version": {one},'.encode() in data for one in (FORMAT, MOVED))


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
        _stamps(data.get("recorded", ())),
        tuple(sent_from(one) for one in data.get("sent", ())),
    )


def _stamps(recorded: Iterable[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """One tuple for all that a run recorded."""
    stamps: dict[str, tuple[str, str]] = {}
    for run in recorded:
        stamps.update(dict.fromkeys(run["fields"], (run["at"], run["by"])))
    return stamps


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
    return f"it contains git merge conflict markers, the first on line {first}" if first else None


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
        moved_to=body.get("moved_to"),
    )


def _quick_checksum(body: dict[str, Any]) -> str | None:
    """By pydantic's writer of JSON, which gives the same bytes where all is ASCII and in its order, as we
    write it. None for what it cannot write, and where nobody has loaded it: a TAB reads states too, and it
    would cost more than it saves."""
    core = sys.modules.get("pydantic_core")
    with suppress(ValueError):
        return _sha256(core.to_json(body, inf_nan_mode="constants")) if core else None
    return None


def _checksum(body: dict[str, Any]) -> str:
    return _sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())


def _sha256(text: bytes) -> str:
    return "sha256:" + hashlib.sha256(text).hexdigest()
