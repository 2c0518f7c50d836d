"""Results as JSON documents. ASCII, so that no character acts on a terminal."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from defendctl.model import CANARY, only_console
from defendctl.plan.digest import changes_data, digest, field_data, moves_data
from defendctl.render.json.recorded import tests_data
from defendctl.render.setting import PLAIN
from defendctl.render.words import CONSOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.engine.results import ApplyResult
    from defendctl.inspection.view import View
    from defendctl.model import State
    from defendctl.plan.changes import Change
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.drift import Drifted
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.render.setting import Setting
    from defendctl.replay.replay import Replay, Together
    from defendctl.review import Review


FORMAT_VERSION = "1.0"
_SIDES = ("before", "after")
_COMMAND = re.compile(r"##(?=\w*\[)")


def document(kind: str, environment: str | None = None, **content: Any) -> str:
    named = {"environment": environment} if environment else {}
    return dumped({"format_version": FORMAT_VERSION, "kind": kind, **named, **content})


def dumped(content: dict[str, Any]) -> str:
    """`##[group]` and the like stand in strings alone, where `\\u0023` is the same to a reader."""
    text = json.dumps(content, indent=2)
    return _COMMAND.sub(r"#\\u0023", text) + "\n"


def plan(value: Review, setting: Setting = PLAIN) -> str:
    made = value.plan
    return document(
        "plan",
        made.environment,
        digest=digest(made) if made.refreshed else None,
        lineage=made.lineage,
        serial=made.serial,
        **({"state": "none"} if made.is_first else {}),
        generation=made.generation,
        options=made.options.data(),
        summary=made.summary(),
        changes=changes_data(made.listed, reasons=True),
        **({"moves": moves_data(made.moves)} if made.moves else {}),
        diagnostics=_diagnostics(value.diagnostics),
        **({"files": files} if (files := _files(made.listed)) else {}),
        **({"replay": [_replay(one) for one in value.replays]} if value.replays else {}),
        **({"policy_replay": [_replay(one) for one in value.judged]} if _other(value) else {}),
        **({"tests": tests_data(value.tests)} if value.tests else {}),
        policy=[_finding(finding) for finding in value.findings],
    )


def _other(value: Review) -> bool:
    """Whether rules are judged on another sample than is shown."""
    return bool(value.judged) and value.judged != value.replays


def diagnostics(found: Sequence[Diagnostic], setting: Setting = PLAIN) -> str:
    valid = not any(d.severity == "error" for d in found)
    return document("diagnostics", setting.environment, valid=valid, diagnostics=_diagnostics(found))


def apply(result: ApplyResult, setting: Setting = PLAIN) -> str:
    results = [
        {
            "address": r.address,
            "action": r.action,
            "outcome": r.outcome,
            "workflow_id": r.workflow_id,
            "error": r.error,
        }
        for r in result.results
    ]
    moves = {"moves": moves_data(result.moves)} if result.moves else {}
    return document("apply", setting.environment, summary=result.summary(), results=results, **moves)


def drift(entries: Sequence[Drifted], setting: Setting = PLAIN) -> str:
    workflows = [
        {
            "address": e.address,
            "workflow_id": e.workflow_id,
            "direction": e.direction,
            "status": e.status,
            "fields": [{**field_data(f), **_fate(f, e)} for f in e.fields],
        }
        for e in entries
    ]
    return document("drift", setting.environment, drifted=bool(entries), workflows=workflows)


def _fate(field: FieldChange, entry: Drifted) -> dict[str, Any]:
    """Nothing was to be written without `--write`; a status is nothing that a manifest could say."""
    fate = entry.fates.get(field.path)
    note = {"note": CONSOLE} if only_console(field.path) else {}
    if fate is None:
        return note
    return {**note, "written": _place(fate.span) if fate.span else None, "not_written": fate.reason or None}


def view(value: View, setting: Setting = PLAIN) -> str:
    shown = asdict(value)
    return document(
        "workflow", setting.environment, **{k: v for k, v in shown.items() if k != "unmanaged" or v}
    )


def state(value: State, setting: Setting = PLAIN) -> str:
    return document(
        "state",
        value.environment,
        lineage=value.lineage,
        serial=value.serial,
        bindings=[{"address": a, "workflow_id": b.workflow_id} for a, b in sorted(value.managed.items())],
        **({"canary": value.bindings[CANARY].workflow_id} if CANARY in value.bindings else {}),
        unresolved=[{"address": a, "since": i.at} for a, i in sorted(value.unresolved.items())],
        retired=[
            {"address": a, "workflow_id": b.workflow_id}
            for a, old in sorted(value.tombstones.items())
            for b in old
        ],
    )


def outputs(ids: Mapping[str, str], setting: Setting = PLAIN) -> str:
    return document("outputs", setting.environment, outputs=dict(ids))


def _replay(one: Replay) -> dict[str, Any]:
    return {
        **{
            name: getattr(one, name)
            for name in (
                *("address", "workflow_id", "why_not", "wanted", "asked"),
                *("events", "not_evaluated", "needed", "enough"),
            )
        },
        **{name: getattr(one, name) for name in ("window", "run_modes")},
        "metrics": [asdict(metric) for metric in one.metrics],
        "before": _together(one.before),
        "after": _together(one.after),
        **{name: getattr(one, name) for name in ("newly_flagged", "no_longer_flagged")},
        **{
            f"{what}_{side}": getattr(one, f"{what}_{side}")
            for what in ("evaluations", "cost")
            for side in _SIDES
        },
    }


def _together(side: Together | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "known": side.known,
        "unknown": side.unknown,
        "fails": side.fails,
        "flag_rate": side.rate,
        "flag_rate_range": side.bounds,
        "interval": side.interval,
        "bounds": side.bounds,
    }


def _files(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Each file once that a `file_search` means, by its id or by what it holds."""
    named = {name: file for change in changes for name, file in change.files.items()}
    return [
        {
            "path": file.path,
            "content": file.content,
            "size": file.size,
            "file_id": None if name == file.content else name,
        }
        for name, file in sorted(named.items(), key=lambda item: (item[1].path, item[0]))
    ]


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "verdict": found.verdict,
        "message": found.message,
        "detail": found.detail,
        "address": found.address,
        "field": found.field,
        "evaluated": found.evaluated,
        **_place(found.span),
        "waiver": _waiver(found.waiver) if found.waiver else None,
        "remedy": found.remedy,
    }


def _waiver(given: Waiver) -> dict[str, Any]:
    return {
        "to": given.to,
        "reason": given.reason,
        "approver": given.approver,
        "expires": given.expires.isoformat(),
        **_place(given.span),
    }


def _place(span: Span | None) -> dict[str, Any]:
    return {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }


def _diagnostics(found: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    return [
        {
            "severity": d.severity,
            "code": d.code,
            "message": d.message,
            **_place(d.span),
        }
        for d in found
    ]
