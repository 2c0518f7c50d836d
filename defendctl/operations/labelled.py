"""Labelled events with their scores: those that are listed already, and the others read by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import Usage
from defendctl.engine.parallel import in_parallel
from defendctl.event import not_before, scored
from defendctl.evidence.tune import in_time
from defendctl.evidence.tuning import Examples, LabelledExample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from defendctl.api.client import DefendApi
    from defendctl.event import Scored
    from defendctl.evidence.tuning import Example
    from defendctl.replay.labels import LabelGroup

_AT_ONCE: Final = 10


def read_labelled(
    api: DefendApi,
    workflow_id: str,
    groups: Sequence[LabelGroup],
    listed: Sequence[Scored],
    run_mode: str | None,
    since: str | None,
    most: int,
) -> Examples:
    """What labels of the whole verdict say of events of one run mode: of those drawn by lot `since` then, and
    of all that were found. One that the API no longer knows is left out. Raises Usage for more events than
    may be read, KeyRefused and ApiError.
    """
    whole = [group for group in groups if group.metric is None]
    wanted = {at for group in whole for at in group.should_be_flagged | group.should_pass}
    seen = {one.event_id: one for one in listed}
    missing = sorted(wanted - seen.keys())
    if len(missing) > most:
        raise Usage(
            f"{len(missing):,} labelled events must be read one by one, and --labels allows {most:,}: "
            "raise it, or label fewer"
        )
    read = in_parallel(
        lambda event_id: api.event(workflow_id, event_id, False),
        dict(zip(missing, missing, strict=True)),
        _AT_ONCE,
    )
    seen |= {event_id: scored(event) for event_id, event in read.items() if event}
    ordered = in_time([seen[at] for at in sorted(wanted & seen.keys()) if seen[at].run_mode == run_mode])
    kept = {one.event_id: one.scores for one in ordered}
    late = {one.event_id for one in ordered if not_before(one.at, since)}
    drawn = [group for group in whole if group.drawn == "uniform"]
    bad = {at for group in drawn for at in group.should_be_flagged & late}
    good = {at for group in drawn for at in group.should_pass & late}
    return Examples(
        known=_of(kept, (at for g in whole if g.drawn == "found" for at in g.should_be_flagged)),
        bad=_of(kept, bad),
        good=_of(kept, good),
        by_lot=tuple(LabelledExample(kept[at], at in bad) for at in kept if at in bad | good),
        labels=len(kept),
        labelled=frozenset(kept),
        gone=len(wanted - seen.keys()),
        in_other_modes=len((wanted & seen.keys()) - kept.keys()),
    )


def _of(kept: Mapping[str, Example], ids: Iterable[str]) -> tuple[Example, ...]:
    return tuple(kept[at] for at in sorted(ids) if at in kept)
