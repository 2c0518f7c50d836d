"""What a pipeline keeps of a plan that was looked at: one block of JSON between lines that nothing else has.

It is read strictly. Whatever is not wholly as it was written (another version, another key, a second block)
is no record, for a record that is half understood covers what nobody saw. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.plan.digest import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
LONGEST: Final = 65_000
"""Characters of a text with a record, which a check of GitHub takes."""
_FENCE: Final = "```defendctl-review"
_BLOCK: Final = re.compile(rf"^{_FENCE}\n(.*)\n```$", re.MULTILINE)
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PRINT: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Record:
    """`fingerprints` is None where there were more than fit: then the very plan alone is covered."""

    environment: str | None
    lineage: str
    host: str
    """SHA-256 of the API's host, which is nobody's business."""
    commit: str
    """The newest commit of the branch that was reviewed."""
    digest: str | None
    """None of a plan for which live was not read."""
    serial: int
    options: Mapping[str, Any]
    policy: str
    """SHA-256 of the rules and waivers by which it was judged."""
    fingerprints: tuple[str, ...] | None


_KEYS: Final = frozenset(
    {"v", "env", "lineage", "host_digest", "commit", "digest", "serial", "options", "policy", "fingerprints"}
)


def to_text(record: Record) -> str:
    """The block. Without its fingerprints where they do not fit."""
    content = {
        "v": VERSION,
        "env": record.environment,
        "lineage": record.lineage,
        "host_digest": record.host,
        "commit": record.commit,
        "digest": record.digest,
        "serial": record.serial,
        "options": dict(record.options),
        "policy": record.policy,
        "fingerprints": None if record.fingerprints is None else list(record.fingerprints),
    }
    text = f"{_FENCE}\n{canonical(content)}\n```"
    if len(text) > LONGEST and record.fingerprints is not None:
        return f"{_FENCE}\n{canonical({**content, 'fingerprints': None})}\n```"
    return text


def from_text(text: object) -> Record | None:
    """The one record of a text; None where there is none, or where it is not wholly right."""
    if not isinstance(text, str) or len(text) > LONGEST or text.count(_FENCE) != 1:
        return None
    found = _BLOCK.search(text)
    try:
        data = json.loads(found[1], object_pairs_hook=_once) if found else None
    except (ValueError, RecursionError):
        return None
    return _record(data) if data is not None and _is_right(data) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a key that stands twice: readers would take different ones."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def _is_right(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and data.keys() == _KEYS
        and data["v"] == VERSION
        and type(data["v"]) is type(data["serial"]) is int
        and data["serial"] >= 0
        and isinstance(data["env"], str | None)
        and isinstance(data["lineage"], str)
        and isinstance(data["options"], dict)
        and isinstance(data["host_digest"], str)
        and isinstance(data["policy"], str)
        and _fits(_COMMIT, data["commit"])
        and (data["digest"] is None or _fits(_DIGEST, data["digest"]))
        and _are_prints(data["fingerprints"])
    )


def _are_prints(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(_fits(_PRINT, one) for one in value))


def _fits(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _record(data: dict[str, Any]) -> Record:
    prints = data["fingerprints"]
    return Record(
        environment=data["env"],
        lineage=data["lineage"],
        host=data["host_digest"],
        commit=data["commit"],
        digest=data["digest"],
        serial=data["serial"],
        options=data["options"],
        policy=data["policy"],
        fingerprints=None if prints is None else tuple(prints),
    )


def hashed(value: Any) -> str:
    """SHA-256 of a host, a policy or whatever else is compared and not shown."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
