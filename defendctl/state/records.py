"""The steps a state can take while apply runs. Pure: `take` is the one place where each is defined.

A record is a JSON object with the word `do`, so that the journal and the state in memory cannot differ:
both are made by the same records. One that makes fields known may be signed: `at` says when, `by` which run.
Any may say in `spent` what was applied with it, and the first of a run bears the `revision` of that run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from defendctl.model import Binding, field_of, leaves
from defendctl.plan.diff import same
from defendctl.state.document import (
    binding_data,
    binding_from,
    fields_from,
    intent_data,
    intent_from,
    revision_data,
    revision_from,
    sent_data,
    sent_from,
)
from defendctl.state.spent import spend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import Fields, Intent, Revision, SentValue, State

Record = dict[str, Any]


def intent(address: str, value: Intent) -> Record:
    return {"do": "intent", "address": address, "intent": intent_data(value)}


def bound(address: str, op: str, workflow_id: str, spent: Iterable[str] = ()) -> Record:
    return {"do": "bound", "address": address, "op": op, "workflow_id": workflow_id, **_spent(spent)}


def withdrawn(address: str, op: str) -> Record:
    return {"do": "withdrawn", "address": address, "op": op}


def unknown(address: str, op: str, why: str) -> Record:
    return {"do": "unknown", "address": address, "op": op, "why": why}


def sending(
    address: str, hidden: Iterable[str], values: Iterable[SentValue], spent: Iterable[str] = ()
) -> Record:
    """An update is about to leave: its `hidden` fields cannot be read back, `values` is what it changes.

    `spent`: what an earlier one changed, whose success nobody recorded, and which is in place now.
    """
    sent = [sent_data(one) for one in values]
    return {"do": "sending", "address": address, "fields": sorted(hidden), "sent": sent, **_spent(spent)}


def known(address: str, applied: Fields, spent: Iterable[str] = ()) -> Record:
    return {"do": "known", "address": address, "applied": applied, **_spent(spent)}


def retired(address: str, spent: Iterable[str] = ()) -> Record:
    return {"do": "retired", "address": address, **_spent(spent)}


def adopted(address: str, binding: Binding, was: str | None = None, spent: Iterable[str] = ()) -> Record:
    """`was`: another address whose tombstone remembers it."""
    at = {"was": was} if was else {}
    return {"do": "adopted", "address": address, "binding": binding_data(binding), **at, **_spent(spent)}


def moved(address: str, old: str, spent: Iterable[str] = ()) -> Record:
    return {"do": "moved", "address": address, "from": old, **_spent(spent)}


def completed(revision: Revision) -> Record:
    """An apply of everything has left nothing undone."""
    return {"do": "completed", "address": "", "completed": revision_data(revision)}


def _spent(spent: Iterable[str]) -> dict[str, list[str]]:
    named = sorted(spent)
    return {"spent": named} if named else {}


def at_revision(record: Record, revision: Revision) -> Record:
    return {**record, "revision": revision_data(revision)}


def uploaded(address: str, sha256: str, file_id: str) -> Record:
    """`address` is the first that needed the file."""
    return {"do": "uploaded", "address": address, "sha256": sha256, "file_id": file_id}


def signed(record: Record, at: str, by: str) -> Record:
    """With the time and the run, if it is a record that makes fields known."""
    return {**record, "at": at, "by": by} if record["do"] in ("bound", "known", "adopted") else record


def take(state: State, record: Record) -> None:
    """Make one step, in place. A step about an operation that is no longer there changes nothing."""
    _STEPS[record["do"]](state, record["address"], record)
    spend(state, record.get("spent", ()))
    if "revision" in record:
        state.attempted = revision_from(record["revision"])


def bury(state: State, address: str, binding: Binding) -> None:
    """Remember a workflow that stays live without us."""
    state.tombstones[address] = (*state.tombstones.get(address, ()), binding)


def forget(state: State, address: str, workflow_id: str) -> None:
    """Take an id out of the tombstones of an address, for it is bound again."""
    left = tuple(b for b in state.tombstones.get(address, ()) if b.workflow_id != workflow_id)
    state.tombstones.pop(address, None)
    if left:
        state.tombstones[address] = left


def bind(state: State, address: str, binding: Binding) -> None:
    """Bind, and remember what was bound before."""
    old = state.bindings.get(address)
    if old and old.workflow_id != binding.workflow_id:
        bury(state, address, old)
    state.vacate(address)
    state.bindings[address] = binding


def _intent(state: State, address: str, record: Record) -> None:
    state.unresolved[address] = intent_from(record["intent"])


def _bound(state: State, address: str, record: Record) -> None:
    current = _own(state, address, record)
    if current:
        del state.unresolved[address]
        binding = Binding(record["workflow_id"], current.sent)
        bind(state, address, _signed(binding, binding.applied, record))


def _withdrawn(state: State, address: str, record: Record) -> None:
    if _own(state, address, record):
        del state.unresolved[address]


def _unknown(state: State, address: str, record: Record) -> None:
    current = _own(state, address, record)
    if current:
        state.unresolved[address] = replace(current, why=record["why"])


def _unconfirmed(state: State, address: str, record: Record) -> None:
    """Of an older defendctl."""
    binding = state.bindings[address]
    state.bindings[address] = replace(binding, unconfirmed=binding.unconfirmed | set(record["fields"]))


def _sending(state: State, address: str, record: Record) -> None:
    _unconfirmed(state, address, record)
    values = tuple(sent_from(one) for one in record["sent"])
    state.bindings[address] = replace(state.bindings[address], sent=values)


def _known(state: State, address: str, record: Record) -> None:
    """What was sent and is as it was sent is done, whenever that is seen."""
    applied = fields_from(record["applied"])
    binding = state.bindings[address]
    spend(state, in_place(binding.sent, applied))
    state.bindings[address] = _signed(binding.knowing(applied), applied, record)


def in_place(sent: Iterable[SentValue], seen: Fields) -> list[str]:
    """The fingerprints of what is as it was sent."""
    values = leaves(seen)
    return [
        one.fingerprint
        for one in sent
        if field_of(one.path) in seen and same(values.get(one.path), one.value)
    ]


def _completed(state: State, address: str, record: Record) -> None:
    state.completed = revision_from(record["completed"])


def _retired(state: State, address: str, record: Record) -> None:
    bury(state, address, state.bindings.pop(address))


def _adopted(state: State, address: str, record: Record) -> None:
    """What was known of it before keeps its time; what was read now has that of the record."""
    binding = binding_from(record["binding"])
    was = record.get("was", address)
    old = {name for b in state.tombstones.get(was, ()) for name in b.applied}
    forget(state, was, binding.workflow_id)
    state.vacate(address)
    state.bindings[address] = _signed(binding, binding.applied.keys() - old, record)


def _signed(binding: Binding, names: Iterable[str], record: Record) -> Binding:
    return binding.signed(names, record.get("at"), record.get("by"))


def _moved(state: State, address: str, record: Record) -> None:
    state.move(record["from"], address)


def _uploaded(state: State, address: str, record: Record) -> None:
    state.uploads[record["sha256"]] = record["file_id"]


def _own(state: State, address: str, record: Record) -> Intent | None:
    current = state.unresolved.get(address)
    return current if current and current.op == record["op"] else None


_STEPS = {
    "intent": _intent,
    "bound": _bound,
    "withdrawn": _withdrawn,
    "unknown": _unknown,
    "unconfirmed": _unconfirmed,
    "sending": _sending,
    "known": _known,
    "retired": _retired,
    "adopted": _adopted,
    "moved": _moved,
    "uploaded": _uploaded,
    "completed": _completed,
}
