"""The team of these tests, on either forge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from defendctl.api import patience
from tests.ci.fake_github import FakeGitHub
from tests.ci.fake_gitlab import FakeGitLab
from tests.ci.lab import Lab
from tests.ci.served import serving
from tests.ci.team import Team, bot
from tests.operations.test_checkout import applied, repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project

__all__ = ["repository"]
TOKEN = "ghs_planted_token_4712"
TOKEN_OF_GITLAB = "glpat-planted-token-4713"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry waits for next to nothing."""
    monkeypatch.setattr(patience, "_BASE", 0.001)
    monkeypatch.setattr(patience, "_CAP", 0.001)


@pytest.fixture
def team(repository: Project) -> Iterator[Team]:
    """Two workflows at 0.9 are applied from main."""
    applied(repository, 0.9, b=bot(0.9))
    with serving(FakeGitHub(TOKEN, folder=repository.root)) as github:
        assert isinstance(github, FakeGitHub)
        yield Team(repository, github)


@pytest.fixture
def lab(repository: Project) -> Iterator[Lab]:
    applied(repository, 0.9, b=bot(0.9))
    with serving(FakeGitLab(TOKEN_OF_GITLAB, folder=repository.root)) as gitlab:
        assert isinstance(gitlab, FakeGitLab)
        yield Lab(repository, gitlab)
