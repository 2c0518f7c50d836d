"""The document as a value beside the register: its name, what is said of it, and back. Pure."""

from __future__ import annotations

import hashlib

from defendctl.state.bounded import gunzipped
from defendctl.state.document import LARGEST, DamagedState, heading
from defendctl.state.register.value import Kept


def kept_as(document: bytes, at: str) -> Kept:
    """The name holds a part of the hash, so that it never means two contents."""
    version, head = hashlib.sha256(document).hexdigest(), heading(document)
    name = f"states/{head.serial or 0:08d}-{version[:16]}"
    return Kept(name, version, head.serial, head.writer, head.lineage or "", at)


def unpacked(data: bytes, kept: Kept, where: str) -> bytes:
    """Raises DamagedState."""
    what = f"{kept.name} in {where}"
    try:
        document = gunzipped(data, LARGEST)
    except ValueError as error:
        raise DamagedState(f"{what} cannot be read: {error}") from error
    if hashlib.sha256(document).hexdigest() != kept.version:
        raise DamagedState(f"{what} is not what was written: its SHA-256 differs")
    return document
