"""JSON from files that anybody may have edited: refused before it costs more memory than it is worth."""

from __future__ import annotations

import json
from typing import Any, Final

HEAVIEST: Final = 2_500_000
"""An object weighs four, a list two, what is in them one. Under this, Python needs some 150 MiB."""


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
