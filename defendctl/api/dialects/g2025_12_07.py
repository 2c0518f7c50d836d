"""Generations D2 to G, SDK 1.22.0 and newer: context awareness, and everything can be updated."""

from defendctl.api.dialects.dialect import Dialect
from defendctl.api.dialects.g2025_10_22 import ACTIONS, MAPS
from defendctl.api.dialects.g2025_11_10 import NAMES
from defendctl.model import FIELDS, NEWEST_RUN_MODES, Support

DIALECT = Dialect(
    Support(
        generation="2025-12-07",
        create=frozenset(FIELDS),
        read=frozenset(FIELDS) - {"max_retries"},
        update=frozenset(FIELDS),
    ),
    names=NAMES,
    actions=ACTIONS,
    maps=MAPS,
    run_modes=NEWEST_RUN_MODES,
    context="list",
    needs_user_prompt=True,
)
