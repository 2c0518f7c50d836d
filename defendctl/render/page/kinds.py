"""Saved documents as pages: which kinds can be drawn, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.render.page.drift import drift
from defendctl.render.page.fleet import fleet
from defendctl.render.page.plan import plan
from defendctl.render.page.suite import suite
from defendctl.render.page.tune import tune

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from defendctl.render.page.blocks import Page

PAGES: Final[dict[str, Callable[[Any], Page]]] = {
    "plan": plan,
    "drift": drift,
    "test-results": suite,
    "tune": tune,
    "fleet": fleet,
}


def page(document: Mapping[str, Any]) -> Page:
    return PAGES[document["kind"]](document)
