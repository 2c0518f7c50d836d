"""Every command that writes files, cut short at every file call: each file is as before or as after, what is
left over goes with the next run, and that one does the rest."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.conftest import TRACEBACK, few_quick
from tests.operations.cut import WAYS, Cut, Way, run_cut
from tests.operations.jobs import JOBS, Job, content, litter

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project


def cut_everywhere(project: Project, kept: Path, job: Job, way: Way) -> None:
    job.prepare(project)
    shutil.copytree(project.root, kept)
    before = content(project)
    whole = Cut(None)
    assert run_cut(project, whole, *job.command).code == job.code
    after = content(project)
    assert after != before
    for nth in range(1, len(whole.seen) + 1):
        shutil.rmtree(project.root)
        shutil.copytree(kept, project.root)
        ran = run_cut(project, Cut(nth, way), *job.command)
        at = f"{way} at {whole.seen[nth - 1]}, call {nth}: {ran}"
        found = content(project)
        named = {k: v for k, v in found.items() if not k.endswith(".tmp")}
        half = {k for k, v in named.items() if v not in (before.get(k), after.get(k))}
        assert not half, at
        assert before.keys() <= found.keys(), at
        if way != "kill":
            assert not litter(project), at
            assert not TRACEBACK.search(ran.out + ran.err), at
            assert ran.code != job.code or found == after, at
        project.run(*job.command)
        assert content(project) == after, at
        assert not litter(project), at


EVERY = [(name, way) for name in JOBS for way in WAYS]
QUICK = [(name, way) for name, way in EVERY if way == "kill" or name == "plan --out"]


@pytest.mark.parametrize("case", few_quick(EVERY, *QUICK), ids=", ".join)
def test_cut_short(project: Project, tmp_path: Path, case: tuple[str, Way]) -> None:
    name, way = case
    cut_everywhere(project, tmp_path / "kept", JOBS[name], way)
