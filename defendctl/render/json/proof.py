"""What verify found, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from defendctl.render.json.results import document

if TYPE_CHECKING:
    from defendctl.inspection.proof import Proof


def proof_document(proof: Proof, environment: str | None = None) -> str:
    return document("proof", environment, **asdict(proof))
