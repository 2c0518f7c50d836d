"""Generation A, SDK 1.0.0 to 1.6.1: one map of metrics, one tolerance, `max_retries`."""

from defendctl.api.dialects.dialect import Dialect
from defendctl.model import Support

DIALECT = Dialect(
    Support(
        generation="2025-10-07",
        create=frozenset({"name", "description", "type", "metrics", "improvement_action", "max_retries"}),
        read=frozenset({"name", "description", "improvement_action", "max_retries"}),
        update=frozenset({"name", "description"}),
        one_level=True,
    ),
    names={},
    actions={"fixit": "fixit", "regenerate": "regenerate", "none": None},
    maps={"custom": "metrics", "automatic": "metrics"},
    context="text",
)
