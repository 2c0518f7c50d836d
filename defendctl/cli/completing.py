"""What a TAB offers: addresses, environments and labels, from the files that are here and nothing else.

A TAB never fails and never says anything: where a project cannot be read, nothing is offered.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING

from defendctl.cli.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click
    from click.shell_completion import CompletionItem

    from defendctl.operations.peek import Peek

    Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _offers(find: Callable[[Peek], Iterable[str]]) -> Complete:
    """As click calls it: those that begin as what was typed."""

    @wraps(find)
    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
        found: set[str] = set()
        with suppress(Exception):
            found.update(find(_known(ctx)))
        return sorted(each for each in found if each.startswith(typed))

    return complete


def _known(ctx: click.Context) -> Peek:
    """Raises whatever keeps it from being looked at."""
    from defendctl.operations.peek import look

    said = ctx.ensure_object(Run).said
    os.chdir(said.get("chdir") or ".")
    return look(said.get("config"), said.get("env"), said.get("state_url"), sandbox=bool(said.get("sandbox")))


@_offers
def addresses(peek: Peek) -> Iterator[str]:
    """Declared, bound, or with a create that is not settled."""
    for state in peek.states():
        yield from (*state.managed, *state.unresolved)
    yield from peek.declared()


@_offers
def declared(peek: Peek) -> Iterator[str]:
    return peek.declared()


@_offers
def bound(peek: Peek) -> Iterator[str]:
    for state in peek.states():
        yield from state.managed


@_offers
def remembered(peek: Peek) -> Iterator[str]:
    """All that a state knows."""
    for state in peek.states():
        yield from (*state.bindings, *state.tombstones)


@_offers
def unresolved(peek: Peek) -> Iterator[str]:
    for state in peek.states():
        yield from state.unresolved


@_offers
def environments(peek: Peek) -> Iterable[str]:
    return peek.whole.environments


@_offers
def labels(peek: Peek) -> Iterator[str]:
    """`team=support`, as they stand in the manifests."""
    for desired in peek.desired():
        for those in desired.labels.values():
            yield from (f"{name}={value}" for name, value in those.items())


def lint_codes(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    from defendctl.manifest.lint import LINTS

    return [code for code in LINTS if code.startswith(typed)]


def codes(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Of diagnostics: the same in every project."""
    from defendctl.catalogue.find import CATALOGUE

    return [code for code in CATALOGUE if code.startswith(typed)]


def folders(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The shell itself knows them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(typed, type="dir")]


def fields(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    from defendctl.model import FIELDS

    return [field for field in FIELDS if field.startswith(typed)]


def generations(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    from defendctl.model import GENERATIONS

    return [generation for generation in GENERATIONS if generation.startswith(typed)]
