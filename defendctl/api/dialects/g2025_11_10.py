"""Generation C, SDK 1.13.0 to 1.21.0: `threshold_type`; the attempts limit cannot be read back."""

from defendctl.api.dialects.dialect import Dialect
from defendctl.api.dialects.g2025_10_22 import ACTIONS, CREATE, MAPS
from defendctl.model import Support

NAMES = {"type": "threshold_type", "max_retries": "max_improvement_attempts"}

DIALECT = Dialect(
    Support(
        generation="2025-11-10",
        create=CREATE,
        read=CREATE - {"max_retries"},
        update=frozenset({"name", "description"}),
    ),
    names=NAMES,
    actions=ACTIONS,
    maps=MAPS,
)
