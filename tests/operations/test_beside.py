"""What only reads, beside an apply that goes on: it says so, and takes no create under way for a lost one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.conftest import custom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project


@contextmanager
def _apply_under_way(project: Project) -> Iterator[None]:
    """`a` is bound, and the answer to the create of `b` is not there yet."""
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(), "b": custom()})
    project.server.fault("slow", "POST", seconds=600)
    process = project.spawn("apply", "--yes")
    try:
        while process.poll() is None and project.server.count("POST") < 2:
            time.sleep(0.01)
        yield
        assert process.poll() is None, "the run went on all the time"
    finally:
        process.kill()
        process.communicate()


LOOKING = ("state list", "outputs", "show a", "show b", "drift")


def test_a_run_under_way_is_told_and_its_create_is_not_unknown(project: Project) -> None:
    with _apply_under_way(project):
        every = {words: project.ok(*words.split()) for words in LOOKING}
    for words, ran in every.items():
        assert "a run is under way (" in ran.err, words
        assert "unknown outcome" not in ran.err, words


def test_a_run_that_was_killed_is_no_run_under_way(project: Project) -> None:
    with _apply_under_way(project):
        pass
    ran = project.ok("outputs")
    assert "under way" not in ran.err
    assert "b: a create has an unknown outcome" in ran.err
