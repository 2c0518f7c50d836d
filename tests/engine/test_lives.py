"""A random interleaving of manifest edits, console edits, faults, crashes and applies loses nothing.

The law after every step: each workflow that exists is bound, remembered, or has the name of an unresolved
create; and at the end an operator who obeys only what is printed gets to an empty plan.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from defendctl.sandbox.server import embedded
from tests.conftest import Project, Server, custom, environment_for
from tests.engine.crash import operate

ADDRESSES = ("alpha", "beta", "gamma", "delta")
UNKNOWN_OR_NOT = ("lost", "lost-after", "truncated", "not-json", "no-id", "gzip")


class Life(RuleBasedStateMachine):
    """One project and its API, living through what happens to such."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        client = self._stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        url = self._stack.enter_context(embedded(":memory:"))
        root = Path(tempfile.mkdtemp(prefix="life-"))
        self._stack.callback(shutil.rmtree, root)
        (root / "workflows").mkdir()
        self.project = Project(root, Server(url, client), environment_for(url))
        self.declared: dict[str, Any] = {}
        self.gone: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.project.settings()
        self.declare("alpha", 0.8, 5)

    @rule(
        address=st.sampled_from(ADDRESSES),
        threshold=st.sampled_from([0.2, 0.5, 0.8]),
        retries=st.integers(0, 3),
    )
    def declare(self, address: str, threshold: float, retries: int) -> None:
        self.declared[address] = custom(metrics={"completeness": threshold}, max_retries=retries)
        self.project.declare(self.declared)

    @rule(address=st.sampled_from(ADDRESSES[1:]))
    def leave_out(self, address: str) -> None:
        self.declared.pop(address, None)
        self.project.declare(self.declared)

    @rule(threshold=st.sampled_from([0.1, 0.9]), which=st.integers(0, 7))
    def console(self, threshold: float, which: int) -> None:
        live = self.project.server.workflows()
        if live:
            chosen = live[which % len(live)]["workflow_id"]
            self.project.server.edit(chosen, metrics={"completeness": threshold})

    @rule()
    def apply(self) -> None:
        assert self.project.run("apply", "--yes").code in (0, 1, 4, 5, 7)

    @rule(
        kind=st.sampled_from(UNKNOWN_OR_NOT), method=st.sampled_from(["POST", "PUT"]), skip=st.integers(0, 1)
    )
    def apply_with_a_fault(self, kind: str, method: str, skip: int) -> None:
        self.project.server.fault(kind, method, skip=skip)
        self.apply()
        self.project.server.heal()

    @rule(milliseconds=st.integers(0, 60))
    def killed_apply(self, milliseconds: int) -> None:
        self.project.server.forget_requests()
        process = self.project.spawn("apply", "--yes", "--parallelism", "2")
        while process.poll() is None and not self.project.server.requests():
            time.sleep(0.002)
        time.sleep(milliseconds / 1000)
        process.kill()
        process.communicate(timeout=30)

    @rule()
    def replaced(self) -> None:
        outputs = self.project.json("outputs").json["outputs"]
        named = sorted(outputs.keys() & self.declared.keys())
        if named:
            self.project.run("apply", "--yes", "--replace", named[0])

    @invariant()
    def nothing_is_lost(self) -> None:
        state = self.project.json("state", "list").json
        known = [each["workflow_id"] for each in [*state["bindings"], *state["retired"]]]
        assert len(known) == len(set(known)), "one id stands twice"
        live = {w["workflow_id"]: w["name"] for w in self.project.server.workflows()}
        assert set(known) <= live.keys(), "an id that nobody gave"
        strays = Counter(name for workflow_id, name in live.items() if workflow_id not in known)
        unresolved = {each["address"] for each in state["unresolved"]}
        assert strays.keys() <= unresolved, "an id was lost"
        assert all(count == 1 for count in strays.values()), "one attempt made two"

    def teardown(self) -> None:
        try:
            self._settle()
            self.nothing_is_lost()
            self.project.assert_settled()
        finally:
            self._stack.close()

    def _settle(self) -> None:
        """The printed messages are enough; what is settled as created may take one more apply."""
        for _ in range(3):
            if self.project.run("plan", "--detailed-exitcode").code == 0:
                return
            _operate(self.project)


def _operate(project: Project) -> None:
    """As `operate`, but a name may stand for several workflows here: only a stray can be the answer."""
    state = project.json("state", "list").json
    known = {each["workflow_id"] for each in [*state["bindings"], *state["retired"]]}
    strays = {
        w["name"]: w["workflow_id"] for w in project.server.workflows() if w["workflow_id"] not in known
    }
    for each in state["unresolved"]:
        address = each["address"]
        answer = ["--id", strays[address]] if address in strays else ["--not-created", "--now"]
        project.ok("state", "resolve", address, *answer)
    operate(project)


def _live(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            derandomize=True,
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def test_a_few_short_lives() -> None:
    _live(examples=3, steps=8)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_lives() -> None:
    _live(examples=60, steps=15)
