"""A document compressed, and back within bounds. Pure."""

from __future__ import annotations

import gzip
import zlib
from typing import Final

from defendctl.state.document import LARGEST, DamagedState

_LEVEL: Final = 4
_GZIP: Final = 16 + zlib.MAX_WBITS


def squeezed(document: bytes) -> bytes:
    """As `gzip` reads it; equal documents give equal bytes."""
    return gzip.compress(document, _LEVEL, mtime=0)


def expanded(data: bytes, where: str) -> bytes:
    """Raises DamagedState, also for what would grow beyond LARGEST."""
    reader = zlib.decompressobj(_GZIP)
    try:
        document = reader.decompress(data, LARGEST + 1)
    except zlib.error as error:
        raise DamagedState(f"{where} cannot be read: it is no whole gzip") from error
    if len(document) > LARGEST:
        raise DamagedState(f"{where} is larger than {LARGEST >> 20} MiB: that is no state")
    if not reader.eof or reader.unused_data:
        raise DamagedState(f"{where} cannot be read: it is no whole gzip")
    return document
