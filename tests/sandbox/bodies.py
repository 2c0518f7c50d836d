"""Request bodies of every generation, as small as each allows."""

from typing import Any

LEVELS = "automatic_hallucination_tolerance_levels"
THRESHOLDS = "custom_hallucination_threshold_values"

CUSTOM: dict[str, dict[str, Any]] = {
    # The request of the vendor's quickstart.
    "2025-10-07": {
        "improvement_action": "fixit",
        "metrics": {"completeness": 0.85, "instruction_adherence": 0.75},
        "name": "Test Workflow",
        "type": "custom",
    },
    "2025-10-22": {
        "improvement_action": "fixit",
        THRESHOLDS: {"completeness": 0.85, "instruction_adherence": 0.75},
        "name": "Test Workflow",
        "type": "custom",
    },
    "2025-11-10": {
        "improvement_action": "fixit",
        THRESHOLDS: {"completeness": 0.85, "instruction_adherence": 0.75},
        "name": "Test Workflow",
        "threshold_type": "custom",
    },
}
CUSTOM["2025-12-07"] = CUSTOM["2025-11-10"]

AUTOMATIC: dict[str, dict[str, Any]] = {
    # The request of the vendor's page about creating a workflow.
    "2025-10-07": {
        "improvement_action": "fixit",
        "metrics": {"completeness": 0.0, "instruction_adherence": 0.0},
        "name": "Test Workflow",
        "type": "automatic",
        "automatic_tolerance": "high",
    },
    "2025-10-22": {
        "improvement_action": "fixit",
        LEVELS: {"completeness": "high", "instruction_adherence": "high"},
        "name": "Test Workflow",
        "type": "automatic",
    },
    "2025-11-10": {
        "improvement_action": "fixit",
        LEVELS: {"completeness": "high", "instruction_adherence": "high"},
        "name": "Test Workflow",
        "threshold_type": "automatic",
    },
}
AUTOMATIC["2025-12-07"] = AUTOMATIC["2025-11-10"]

NEWEST = CUSTOM["2025-12-07"]
EVENT: dict[str, Any] = {
    "model_input": {"user_prompt": "Hello, how are you?"},
    "model_output": "I am good, thank you!",
    "model_used": "gpt-4o-mini",
    "run_mode": "precision",
    "nametag": "test",
}
