"""A careful loop over the vendor's SDK, as one would write it: run in a virtual environment that has it.

Usage: sdk_loop.py BASE_URL FILE TIMEOUT NAME…. Each id is saved at once, and a name that has one is skipped.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

deeprails: Any = import_module("deeprails")


def save(path: Path, ids: dict[str, str]) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("w") as file:
        json.dump(ids, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def main(base_url: str, file: str, timeout: str, *names: str) -> None:
    path = Path(file)
    ids: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    client = deeprails.DeepRails(api_key="sk_test", base_url=base_url, timeout=float(timeout))
    for name in names:
        if name in ids:
            continue
        try:
            created = client.defend.create_workflow(
                name=name,
                threshold_type="custom",
                custom_hallucination_threshold_values={"completeness": 0.8},
                improvement_action="fixit",
            )
        except deeprails.DeepRailsError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        workflow_id = getattr(created, "workflow_id", None)  # the SDK hands on what it could not read
        if workflow_id:
            ids[name] = workflow_id
            save(path, ids)


main(*sys.argv[1:])
