"""Generation B, SDK 1.7.0 to 1.12.0: two maps, `max_improvement_attempts`, web and file search."""

from defendctl.api.dialects.dialect import Dialect
from defendctl.model import Support

CREATE = frozenset(
    {
        "name",
        "description",
        "type",
        "metrics",
        "improvement_action",
        "max_retries",
        "web_search",
        "file_search",
    }
)
ACTIONS = {"fixit": "fixit", "regenerate": "regen", "none": "do_nothing"}
MAPS = {
    "custom": "custom_hallucination_threshold_values",
    "automatic": "automatic_hallucination_tolerance_levels",
}

DIALECT = Dialect(
    Support(
        generation="2025-10-22",
        create=CREATE,
        read=frozenset({"name", "description", "improvement_action", "max_retries"}),
        update=frozenset({"name", "description"}),
    ),
    names={"max_retries": "max_improvement_attempts"},
    actions=ACTIONS,
    maps=MAPS,
    file_part="file",
)
