"""The document as a value beside the register: its name, what is said of it, compressed and back. Pure."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from typing import Final

from defendctl.state.document import LARGEST, DamagedState, heading
from defendctl.state.register.engine import refuse_size
from defendctl.state.register.value import Kept

_LEVEL: Final = 6
_GZIP: Final = 31
"""What zlib calls a stream with the head of gzip."""


def kept_as(document: bytes, at: str) -> Kept:
    """The name holds a part of the hash, so that it never means two contents."""
    version, head = hashlib.sha256(document).hexdigest(), heading(document)
    name = f"states/{head.serial or 0:08d}-{version[:16]}"
    return Kept(name, version, head.serial, head.writer, head.lineage or "", at)


def packed(document: bytes) -> bytes:
    """The same bytes for the same document."""
    return gzip.compress(document, _LEVEL, mtime=0)


def unpacked(data: bytes, kept: Kept, where: str) -> bytes:
    """Raises DamagedState; a bomb is not unpacked whole."""
    what = f"{kept.name} in {where}"
    stream = zlib.decompressobj(_GZIP)
    try:
        document = stream.decompress(data, LARGEST + 1)
    except zlib.error as error:
        raise DamagedState(f"{what} cannot be read: it is no gzip") from error
    refuse_size(what, len(document))
    if hashlib.sha256(document).hexdigest() != kept.version:
        raise DamagedState(f"{what} is not what was written: its SHA-256 is another")
    return document
