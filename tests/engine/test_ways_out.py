"""A change that cannot be made in place: each way out that the plan names leads out."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project, custom

if TYPE_CHECKING:
    from tests.conftest import World

LOWER = {"bot": custom(metrics={"completeness": 0.5})}


def blocked(project: Project) -> list[str]:
    """The commands and settings that the plan of a lower threshold names."""
    project.declare({"bot": custom()})
    project.apply()
    project.declare(LOWER)
    reason = project.plan().change("bot")["reason"]
    assert project.run("apply", "--yes").code == 5
    return re.findall(r"`([^`]+)`", reason)


@pytest.mark.parametrize("generation", ["2025-10-22", "2025-11-10"])
def test_replace(world: World, generation: str) -> None:
    project = world(generation=generation)
    project.pin(generation)
    assert blocked(project)[0] == "--replace bot"
    project.apply("--replace", "bot")
    project.assert_settled()


def test_the_console_where_it_can_be_read(world: World) -> None:
    project = world(generation="2025-11-10")
    project.pin("2025-11-10")
    assert "defendctl state rm bot" not in blocked(project)
    project.server.edit(project.bound("bot"), metrics={"completeness": 0.5})
    project.assert_settled()


def test_the_console_where_it_cannot_be_read(world: World) -> None:
    project = world(generation="2025-10-22")
    project.pin("2025-10-22")
    ways = blocked(project)
    project.server.edit(project.bound("bot"), metrics={"completeness": 0.5})
    for way in ways[1:3]:
        program, *arguments = shlex.split(way)
        assert program == "defendctl"
        project.ok(*arguments)
    project.assert_settled()


def test_another_generation(world: World) -> None:
    """A server that answers in old words and takes new ones."""
    project = world(generation="2025-12-07", answers="2025-11-10")
    project.pin("2025-11-10")
    assert "api.generation: 2025-12-07" in blocked(project)
    project.pin("2025-12-07")
    project.apply()
    project.assert_settled()
