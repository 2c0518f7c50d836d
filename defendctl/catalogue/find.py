"""All entries by their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.catalogue import of_labels, of_manifests, of_plans, of_projects, of_text, seldom_meant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.catalogue.entry import Explained

PARTS: Final = (of_text, of_manifests, of_projects, of_labels, of_plans, seldom_meant)

CATALOGUE: Final[Mapping[str, Explained]] = {
    entry.code: entry
    for entry in sorted((one for part in PARTS for one in part.ENTRIES), key=lambda e: e.code)
}
