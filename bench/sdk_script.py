"""The peer: the script that a user writes with the vendor's SDK, a plain loop over all workflows.

`plan FOLDER STATE URL` reads the manifests and every workflow as the SDK's examples do, so with the ten
events that the API adds where nobody says how many, and counts what differs; `apply FOLDER STATE URL` creates
them all, and each id is durable before the next POST.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from deeprails import DeepRails

ACTIONS = {"regenerate": "regen", "none": "do_nothing"}


def main(what: str, folder: str, state: str, url: str) -> None:
    client = DeepRails(api_key="bench", base_url=url)
    declared: dict[str, Any] = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        declared.update(yaml.safe_load(path.read_text())["workflows"])
    if what == "plan":
        print(len(differing(client, declared, json.loads(Path(state).read_text()))))
    else:
        create(client, declared, Path(state))


def wanted(workflow: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": workflow["name"],
        "description": workflow["description"],
        "threshold_type": workflow["type"],
        "custom_hallucination_threshold_values": workflow["metrics"],
        "improvement_action": ACTIONS.get(workflow["improvement_action"], workflow["improvement_action"]),
    }


def differing(client: DeepRails, declared: dict[str, Any], ids: dict[str, str]) -> list[str]:
    live = {
        address: client.defend.retrieve_workflow(workflow_id=workflow_id)
        for address, workflow_id in ids.items()
    }
    return [
        address
        for address, workflow in declared.items()
        if any(getattr(live[address], key) != value for key, value in wanted(workflow).items())
    ]


def create(client: DeepRails, declared: dict[str, Any], state: Path) -> None:
    """The state is one that a person can read, as Terraform's is, and whole after each create."""
    known: dict[str, Any] = {}
    for address, workflow in declared.items():
        made = client.defend.create_workflow(
            **wanted(workflow), max_improvement_attempts=workflow["max_retries"]
        )
        known[address] = {"workflow_id": made.workflow_id, "created_at": made.created_at.isoformat()}
        fresh = state.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump({"version": 1, "bindings": known}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(state)


if __name__ == "__main__":
    main(*sys.argv[1:])
