"""Diagnostics, drift, what apply did, and what is there, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.documentation import page_of_code
from defendctl.model import CANARY, only_console
from defendctl.plan.digest import moves_data
from defendctl.render.json.dump import FORMAT_VERSION, named, place
from defendctl.render.setting import PLAIN
from defendctl.render.words import CONSOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.diagnostics import Diagnostic
    from defendctl.engine.results import ApplyResult, Result
    from defendctl.inspection.outputs import Outputs
    from defendctl.inspection.view import Row, View
    from defendctl.model import State
    from defendctl.plan.changes import Move
    from defendctl.plan.drift import Drifted, FieldEdit
    from defendctl.render.json.contract import DiagnosticDocument
    from defendctl.render.json.documents import (
        AppliedDocument,
        ApplyDocument,
        BoundDocument,
        CanaryPart,
        DiagnosticsDocument,
        DriftDocument,
        DriftedDocument,
        EditDocument,
        FatePart,
        MovesPart,
        OutputsDocument,
        RowDocument,
        RunModesPart,
        StateDocument,
        StatsPart,
        UnmanagedPart,
        WorkflowDocument,
    )
    from defendctl.render.setting import Setting


def diagnostics(found: Sequence[Diagnostic], setting: Setting = PLAIN) -> DiagnosticsDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "diagnostics",
        **named(setting.environment),
        "valid": not any(one.severity == "error" for one in found),
        "diagnostics": [diagnostic_document(one) for one in found],
    }


def diagnostic_document(one: Diagnostic) -> DiagnosticDocument:
    return {
        "severity": one.severity,
        "code": one.code,
        "message": one.message,
        **place(one.span),
        "docs": {"url": page_of_code(one.code)},
    }


def apply(result: ApplyResult, setting: Setting = PLAIN) -> ApplyDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "apply",
        **named(setting.environment),
        "summary": result.summary(),
        "results": [_applied(one) for one in result.results],
        **moves_document(result.moves),
    }


def _applied(one: Result) -> AppliedDocument:
    return {
        "address": one.address,
        "action": one.action,
        "outcome": one.outcome,
        "workflow_id": one.workflow_id,
        "error": one.error,
    }


def moves_document(moves: Sequence[Move]) -> MovesPart:
    """Nothing where there is none."""
    return {"moves": moves_data(moves)} if moves else {}


def drift(entries: Sequence[Drifted], setting: Setting = PLAIN) -> DriftDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "drift",
        **named(setting.environment),
        "drifted": bool(entries),
        "workflows": [_drifted(entry) for entry in entries],
    }


def _drifted(entry: Drifted) -> DriftedDocument:
    return {
        "address": entry.address,
        "workflow_id": entry.workflow_id,
        "direction": entry.direction,
        "status": entry.status,
        "fields": [_edit(field, entry) for field in entry.fields],
    }


def _edit(field: FieldEdit, entry: Drifted) -> EditDocument:
    """In the words of a plan, for which what is live is what was before."""
    return {
        "path": field.path,
        "before": field.now,
        "after": field.declared,
        "applied": field.was,
        "basis": "live",
        "origin": field.origin,
        "direction": field.direction,
        **_fate(field, entry),
    }


def _fate(field: FieldEdit, entry: Drifted) -> FatePart:
    """Nothing was to be written without `--write`; a status is nothing that a manifest could say."""
    told: FatePart = {"note": CONSOLE} if only_console(field.path) else {}
    if fate := entry.fates.get(field.path):
        told["written"] = place(fate.span) if fate.span else None
        told["not_written"] = fate.reason or None
    return told


def view(shown: View, setting: Setting = PLAIN) -> WorkflowDocument:
    left: UnmanagedPart = {"unmanaged": list(shown.unmanaged)} if shown.unmanaged else {}
    stats: StatsPart = {} if shown.stats is None else {"stats": dict(shown.stats)}
    return {
        "format_version": FORMAT_VERSION,
        "kind": "workflow",
        **named(setting.environment),
        "address": shown.address,
        "workflow_id": shown.workflow_id,
        "status": shown.status,
        "fields": [row_document(row) for row in shown.fields],
        **left,
        **stats,
    }


def row_document(row: Row) -> RowDocument:
    return {
        "path": row.path,
        "desired": row.desired,
        "live": row.live,
        "applied": row.applied,
        "basis": row.basis,
    }


def state(value: State, setting: Setting = PLAIN) -> StateDocument:
    retired = [(a, binding.workflow_id) for a, old in sorted(value.tombstones.items()) for binding in old]
    return {
        "format_version": FORMAT_VERSION,
        "kind": "state",
        **named(value.environment),
        "lineage": value.lineage,
        "serial": value.serial,
        "bindings": [_bound(address, one.workflow_id) for address, one in sorted(value.managed.items())],
        **_canary(value),
        "unresolved": [{"address": a, "since": one.at} for a, one in sorted(value.unresolved.items())],
        "retired": [_bound(*one) for one in retired],
    }


def _canary(value: State) -> CanaryPart:
    return {"canary": value.bindings[CANARY].workflow_id} if CANARY in value.bindings else {}


def _bound(address: str, workflow_id: str) -> BoundDocument:
    return {"address": address, "workflow_id": workflow_id}


def outputs(told: Outputs, setting: Setting = PLAIN) -> OutputsDocument:
    modes: RunModesPart = {} if told.run_modes is None else {"run_modes": dict(told.run_modes)}
    return {
        "format_version": FORMAT_VERSION,
        "kind": "outputs",
        **named(setting.environment),
        "outputs": dict(told.ids),
        **modes,
    }
