"""What the command line chose of all that is declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Usage, suggest
from defendctl.model import CANARY
from defendctl.operations.by_label import chosen_by_labels
from defendctl.plan.changes import Options
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from defendctl.manifest.desired import Desired
    from defendctl.model import State


@dataclass(frozen=True, slots=True)
class Selection:
    """Its options, as they were given."""

    files: tuple[Path, ...] = ()
    target: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()
    """Labels that a workflow must have; what is not declared has none."""
    reassert: tuple[str, ...] = ()
    """Fields that are written where nobody knows what they are."""
    parallelism: int = 10
    refresh: bool = True
    """Whether what is live is read; else what was last applied stands in for it."""
    last_events: int | None = None
    """--replay: so many events of each workflow are shown; None for none. Rules are judged on the policy's
    own `Sample`."""
    labels: int | None = None
    """--labels: so many labelled events that are not among the last ones are read of each workflow."""
    tests: Path | None = None
    """A file of recorded results that is shown beside the plan."""

    @property
    def is_partial(self) -> bool:
        """Whether it leaves something out, or in, that a plain run would not."""
        return bool(self.files or self.target or self.replace or self.selector or self.reassert)

    @property
    def options(self) -> Options:
        chosen = (self.target, self.replace, self.selector, self.reassert)
        return Options(*(tuple(sorted(set(each))) for each in chosen))


def choose_as_planned(chosen: Selection, options: Mapping[str, Sequence[str]]) -> Selection:
    """With what a saved plan was made for."""
    return replace(
        chosen,
        target=tuple(options.get("target", ())),
        replace=tuple(options.get("replace", ())),
        selector=tuple(options.get("selector", ())),
        reassert=tuple(options.get("reassert", ())),
    )


def in_scope(desired: Desired, state: State, chosen: Selection) -> set[str]:
    """The addresses of this run. Raises Usage for an unknown one, DefendctlError if nothing is declared."""
    declared = set(desired.workflows)
    known = (
        declared if chosen.files else declared | state.managed.keys() | (state.unresolved.keys() - {CANARY})
    )
    _check_named("--target", chosen.target, known)
    _check_named("--replace", chosen.replace, declared)
    named = _named(desired, chosen)
    if named is not None:
        outside = sorted(set(chosen.replace) - named)
        if outside:
            how = "--target names" if chosen.target else "-l selects"
            raise Usage(f"--replace {outside[0]} is outside of what {how}")
        return named
    if not declared and state.managed:
        raise DefendctlError(
            f"no workflow is declared, but {len(state.managed)} are bound: nobody means to retire them all",
            "check `manifests` in defendctl.yaml; to retire one, name it with --target ADDRESS",
        )
    return known


def _named(desired: Desired, chosen: Selection) -> set[str] | None:
    """The addresses that were chosen one by one or by their labels; None where all are meant."""
    if chosen.target and chosen.selector:
        raise Usage("--target and -l both say which workflows are meant: leave one of them out")
    if chosen.selector:
        return chosen_by_labels(desired, chosen.selector)
    return set(chosen.target) or None


def _check_named(option: str, named: Sequence[str], known: set[str]) -> None:
    for address in named:
        if address not in known:
            right = suggest(address, sorted(known)) or _some_of(sorted(known))
            name = quoted(address).strip("`")  # a saved plan may say it too
            raise Usage(f"{option} '{name}': there is no such address here.{right}")


def _some_of(known: list[str]) -> str:
    more = ", ..." if len(known) > 5 else ""
    return f" There are: {', '.join(known[:5])}{more}" if known else " None is declared."
