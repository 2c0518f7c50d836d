"""What a TAB offers: addresses, environments and labels, from the files that are here and nothing else.

A TAB never fails and never says anything: where a project cannot be read, nothing is offered.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING

from defendctl.cli.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click
    from click.shell_completion import CompletionItem

    from defendctl.model import State
    from defendctl.operations.workspace import Workspace

    Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _offers(find: Callable[[Workspace], Iterable[str]]) -> Complete:
    """As click calls it: those that begin as what was typed."""

    @wraps(find)
    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
        found: set[str] = set()
        with suppress(Exception):
            found.update(find(_workspace(ctx)))
        return sorted(each for each in found if each.startswith(typed))

    return complete


def _workspace(ctx: click.Context) -> Workspace:
    """Raises whatever keeps it from being opened."""
    from defendctl.operations.workspace import open_workspace

    run = ctx.ensure_object(Run)
    os.chdir(run.said.get("chdir") or ".")
    silent = replace(run.settings(), warn=lambda line: None, log=lambda line: None, ask=None)
    return open_workspace(silent, choose=False)


def _states(workspace: Workspace) -> Iterator[State]:
    for each in workspace.environments:
        with suppress(Exception):
            copy = each.store.newest_copy() if each.place else None
            if copy or not each.place:
                yield copy.state if copy else each.store.read().state


def _declared(workspace: Workspace) -> Iterator[str]:
    from defendctl.editing.glance import addresses
    from defendctl.manifest.resolve import manifest_files, resolve
    from defendctl.yamltext.source import read

    for each in workspace.environments:
        files = manifest_files(each.project, None, each.cwd)
        found = [addresses(read(file, str(file))) for file in files]
        sure = [address for one in found for address in one or ()]
        yield from resolve(each.project, None, each.cwd).spans if None in found else sure


@_offers
def addresses(workspace: Workspace) -> Iterator[str]:
    """Declared, bound, or with a create that is not settled."""
    for state in _states(workspace):
        yield from (*state.managed, *state.unresolved)
    yield from _declared(workspace)


@_offers
def declared(workspace: Workspace) -> Iterator[str]:
    return _declared(workspace)


@_offers
def bound(workspace: Workspace) -> Iterator[str]:
    for state in _states(workspace):
        yield from state.managed


@_offers
def remembered(workspace: Workspace) -> Iterator[str]:
    """All that a state knows."""
    for state in _states(workspace):
        yield from (*state.bindings, *state.tombstones)


@_offers
def unresolved(workspace: Workspace) -> Iterator[str]:
    for state in _states(workspace):
        yield from state.unresolved


@_offers
def environments(workspace: Workspace) -> Iterable[str]:
    from defendctl.operations.workspace import in_none

    return in_none(workspace).project.environments


@_offers
def labels(workspace: Workspace) -> Iterator[str]:
    """`team=support`, as they stand in the manifests."""
    from defendctl.manifest.resolve import resolve

    for each in workspace.environments:
        for those in resolve(each.project, None, each.cwd).labels.values():
            yield from (f"{name}={value}" for name, value in those.items())


@_offers
def lint_codes(workspace: Workspace) -> Iterable[str]:
    from defendctl.manifest.lint import LINTS

    return LINTS


def codes(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Of diagnostics: the same in every project."""
    from defendctl.catalogue.find import CATALOGUE

    return [code for code in CATALOGUE if code.startswith(typed)]


def folders(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The shell itself knows them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(typed, type="dir")]


@_offers
def fields(workspace: Workspace) -> Iterable[str]:
    from defendctl.model import FIELDS

    return FIELDS


@_offers
def generations(workspace: Workspace) -> Iterable[str]:
    from defendctl.model import GENERATIONS

    return GENERATIONS
