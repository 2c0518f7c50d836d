"""Names the configuration that a suite was run against: what decides about a verdict, as it was live."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from defendctl.model import leaves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import Fields
    from defendctl.suite.models import Configuration


_NAMES = ("name", "description")


def configuration_digest(fields: Fields) -> str:
    """Of the fields that could be read; name and description decide about nothing."""
    deciding = {path: _rounded(value) for path, value in leaves(fields).items() if path not in _NAMES}
    return _digest(deciding)


def _rounded(value: object) -> object:
    """Thresholds are equal within 1e-6, so no digest may tell them apart."""
    return round(value, 6) if isinstance(value, float) else value


def digest(configurations: Iterable[Configuration], host: str) -> str:
    return _digest([host, *([c.address, c.workflow_id, c.digest] for c in configurations)])


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
