"""A replay of many large events: bounded memory, and nothing of them on disk or in the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import custom
from tests.hostile.measured import measure

if TYPE_CHECKING:
    from tests.conftest import Project

MIB = 200
MARK = "planted-words-of-an-event"


@pytest.mark.slow
@pytest.mark.parametrize(("workflows", "size", "attempts"), [(100, 10_000, 1), (40, 10_000, 4)])
def test_memory(project: Project, workflows: int, size: int, attempts: int) -> None:
    """An attempt repeats the input and the output, so it counts as much again."""
    addresses = [f"w{number}" for number in range(workflows)]
    project.declare(dict.fromkeys(addresses, custom()))
    project.apply()
    scores = [{"completeness": number / 10} for number in range(attempts)]
    event = {"model_output": MARK, "size": size, "scores": scores, "created_at": "2026-01-01"}
    for address, workflow_id in project.json("outputs").json["outputs"].items():
        project.server.give(workflow_id, *({**event, "event_id": f"{address}-{n}"} for n in range(50)))
    project.declare(dict.fromkeys(addresses, custom(metrics={"completeness": 0.9})))
    ran = measure(project.root, "plan", "--replay", "--out", "p.json", **project.env)
    assert ran.code == 0, ran.err
    assert ran.out.count("50 events, 2026-01-01") == workflows
    assert ran.mib < MIB, ran.mib
    assert MARK not in ran.out + ran.err + "".join(map(str, project.files().items()))
    print(f"{workflows} workflows: {ran.mib:.0f} MiB, {ran.cpu:.1f} s of processor time")
