"""The peer: reads every workflow as the SDK's examples do. Arguments: base URL, a JSON file of ids."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from deeprails import DeepRails

url, listed = sys.argv[1:]
client = DeepRails(api_key="bench", base_url=url)
seen = []
for workflow_id in json.loads(Path(listed).read_text()):
    workflow = client.defend.retrieve_workflow(workflow_id=workflow_id)
    seen.append((workflow.name, workflow.custom_hallucination_threshold_values))
