"""`python -m bench.least`: the least that 1,000 creates take over httpcore, beside an apply and a script.

For each a durable line, a POST over a connection of its own and a read of what was made. No manifest is read,
nothing is compared, remembered or told: what an apply needs beyond it is ours.
"""

from __future__ import annotations

import json
import os
import statistics
import sys

import httpcore

NUMBER = 1000
LINE = b"x" * 700
BODY = {
    "name": "w",
    "description": "Guardrail workflow checks the answers before they reach the customer.",
    "threshold_type": "custom",
    "custom_hallucination_threshold_values": {"correctness": 0.8, "completeness": 0.8, "adherence": 0.7},
    "improvement_action": "fixit",
    "max_improvement_attempts": 5,
}


def main() -> None:
    from bench.bench import DEFENDCTL, PYTHON, ROUNDS, project, script, sdk, serving, timed
    from bench.table import apply

    with project(NUMBER) as folder, serving() as url:
        rounds = []
        for _ in range(ROUNDS):
            least = timed([str(PYTHON), __file__, url], {}, folder).wall
            peer = script("apply", folder, folder / "ids.json", url).wall if sdk() else float("nan")
            rounds.append((least, apply(folder, url, DEFENDCTL).wall, peer))
    names = ("httpcore alone", "defendctl apply", "a script over the vendor's SDK")
    for name, seconds in zip(names, map(statistics.median, zip(*rounds, strict=True)), strict=True):
        print(f"{name:34} {seconds:6.2f} s")


def create(url: str) -> None:
    """As `api/connection.py` uses httpcore, without what goes around it."""
    base, content = httpcore.URL(url), json.dumps(BODY).encode()
    headers = [(b"Host", base.host), (b"Authorization", b"Bearer bench"), (b"Accept", b"application/json")]
    sent = [*headers, (b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))]
    log = os.open("least.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with httpcore.HTTPConnection(base.origin) as reads:
        for _ in range(NUMBER):
            os.write(log, LINE)
            os.fsync(log)
            with httpcore.HTTPConnection(base.origin) as line:
                answer = line.request("POST", f"{url}/defend", headers=sent, content=content)
            made = json.loads(answer.content)["workflow_id"]
            json.loads(reads.request("GET", f"{url}/defend/{made}?limit=1", headers=headers).content)


if __name__ == "__main__":
    create(sys.argv[1]) if sys.argv[1:] else main()
