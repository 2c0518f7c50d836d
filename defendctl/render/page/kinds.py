"""Saved documents as pages: which kinds can be drawn, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.render.page.drift import drift
from defendctl.render.page.fleet import fleet
from defendctl.render.page.plan import plan
from defendctl.render.page.same_cases import same_cases
from defendctl.render.page.suite import suite
from defendctl.render.page.tune import tune

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from defendctl.render.page.blocks import Page

PAGES: Final[dict[str, Callable[[Any], Page]]] = {
    "plan": plan,
    "drift": drift,
    "test-results": suite,
    "tune": tune,
    "fleet": fleet,
}


def pages(documents: Sequence[Mapping[str, Any]]) -> list[Page]:
    """One of each; and where the same cases were tested again, what became of their scores."""
    tested: list[Any] = [one for one in documents if one["kind"] == "test-results"]
    over_time = same_cases(tested)
    return [*(PAGES[one["kind"]](one) for one in documents), *([over_time] if over_time else [])]
