"""What has happened before a page begins, told to the embedded API of its test: `$PAST WHAT …`.

workflow ID JSON            the console made it
events ADDRESS SCORES       it judged so many outputs: `{"completeness": {"0.62": 10, "0.9": 90}}`
fault JSON                  the next answer goes wrong: `{"kind": "lost", "method": "POST"}`
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import urllib.request
from typing import Any


def tell(what: str, content: Any) -> None:
    request = urllib.request.Request(
        f"{os.environ['DEEP_RAILS_BASE_URL']}/_sandbox/{what}",
        json.dumps(content).encode(),
        {"Authorization": f"Bearer {os.environ['DEEPRAILS_API_KEY']}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def events(address: str, scores: dict[str, dict[str, int]]) -> None:
    """One every hour, in an order that is the same each time."""
    outputs = subprocess.run(["defendctl", "outputs", "--format", "json"], stdout=subprocess.PIPE, check=True)
    columns = {metric: _mixed(counts) for metric, counts in scores.items()}
    each = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    given = [{"event_id": f"evt_{n}", "created_at": _at(n), "scores": one} for n, one in enumerate(each)]
    tell("events", {"workflow_id": json.loads(outputs.stdout)["outputs"][address], "events": given})


def _mixed(counts: dict[str, int]) -> list[float]:
    values = [float(score) for score, count in counts.items() for _ in range(count)]
    random.Random(0).shuffle(values)
    return values


def _at(n: int) -> str:
    return f"2026-11-{1 + n // 24:02}T{n % 24:02}:00:00Z"


def main(what: str, *words: str) -> None:
    if what == "events":
        events(words[0], json.loads(words[1]))
    elif what == "workflow":
        tell("workflows", {"workflow_id": words[0], **json.loads(words[1])})
    else:
        tell("faults", json.loads(words[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
