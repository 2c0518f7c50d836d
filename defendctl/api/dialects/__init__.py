"""The generations of the API as data, one file each (docs/api.md 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.api.dialects import g2025_10_07, g2025_10_22, g2025_11_10, g2025_12_07

if TYPE_CHECKING:
    from defendctl.api.dialects.dialect import Dialect

DIALECTS: dict[str, Dialect] = {
    module.DIALECT.support.generation: module.DIALECT
    for module in (g2025_10_07, g2025_10_22, g2025_11_10, g2025_12_07)
}
