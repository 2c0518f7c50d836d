"""What verify found, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from defendctl.inspection.proof import Proof
    from defendctl.render.json.inspected import ProofDocument
    from defendctl.render.setting import Setting


def proof(found: Proof, setting: Setting = PLAIN) -> ProofDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "proof",
        **named(setting.environment),
        "address": found.address,
        "workflow_id": found.workflow_id,
        "answer": found.answer,
        "why": found.why,
        "event_id": found.event_id,
        "at": found.at,
        "changed_at": found.changed_at,
        "fields": [
            {"path": one.path, "declared": one.declared, "served": one.served, "verdict": one.verdict}
            for one in found.fields
        ],
    }
