"""JSON and gzip that anybody may have edited: refused before they cost more memory than they are worth."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

HEAVIEST: Final = 2_500_000
"""An object weighs four, a list two, what is in them one. Under this, Python needs some 150 MiB."""

_GZIP: Final = 16 + zlib.MAX_WBITS
"""What zlib calls a stream with the head of gzip."""


def gzipped(data: bytes) -> bytes:
    """As `gzip` reads it; equal data gives equal bytes."""
    stream = zlib.compressobj(wbits=_GZIP)
    return stream.compress(data) + stream.flush()


def gunzipped(data: bytes, longest: int) -> bytes:
    """Raises ValueError that says why; a bomb is not unpacked whole."""
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(data, longest + 1)
    except zlib.error:
        raise ValueError("it is not gzip") from None
    if len(plain) > longest:
        raise ValueError(f"it is larger than {longest >> 20} MiB")
    if not stream.eof or stream.unused_data:
        raise ValueError("it is not one whole gzip stream")
    return plain


def parse(text: str, longest: int) -> Any:
    """Raises ValueError that says why, and where."""
    weight = 4 * text.count("{") + 2 * text.count("[") + text.count(",") + text.count(":")
    if len(text) > longest or weight > HEAVIEST:
        raise ValueError("it is too large")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except ValueError:
        raise ValueError("it holds a number with thousands of digits") from None
