"""A page stays small, and says what it leaves out."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from defendctl.event import Scored
from defendctl.plan.changes import Same
from defendctl.render.html.blocks import MOST_PICTURES
from defendctl.render.html.page import plan
from tests.cases import built
from tests.render.html.given import parsed, replayed
from tests.render.html.test_page import check

if TYPE_CHECKING:
    from defendctl.replay.replay import Replay
    from defendctl.review import Review

MOST = 2 * 1024 * 1024


def many(changed: int, of: int) -> Review:
    """Scores of many decimals, so that every picture has as many steps as there may be."""
    changes = []
    for at in range(of):
        address = f"{'w' * 40}-{at:04}"
        moved = [built.field(f"metrics.m{n}", 0.8, 0.7) for n in range(3)] if at < changed else []
        changes.append(built.change(address, *moved) if moved else Same(address, f"wkfl_{at}"))
    replays = tuple(a_replay(change.address, at) for at, change in enumerate(changes[:changed]))
    return replace(built.a_plan(*changes), replays=replays)


def a_replay(address: str, seed: int) -> Replay:
    rng = random.Random(seed)
    events = [
        Scored(f"evt_{address}_{n:04}", None, "fast", {f"m{k}": rng.betavariate(8, 2) for k in range(3)})
        for n in range(190)
    ]
    before, after = (dict.fromkeys(["m0", "m1", "m2"], threshold) for threshold in (0.8, 0.7))
    return replayed(events, before, after, address)


def test_500_workflows_of_which_100_change() -> None:
    review = many(100, 500)
    began = time.process_time()
    page = plan(review)
    print(f"{len(page.encode()) / 1024:.0f} KiB in {time.process_time() - began:.2f} s of CPU")
    assert len(page.encode()) < MOST
    check(page)
    assert page.count("<figure>") == MOST_PICTURES
    assert f"{3 * 100 - MOST_PICTURES} more metrics move." in parsed(page).text
    assert page.count("Flagged by each metric alone") == 100, "their numbers are there all the same"
    assert f"{'w' * 40}-0100" not in page, "what does not change is not drawn"


def test_an_event_list_without_end_is_cut() -> None:
    review = many(1, 1)
    endless = replace(review.replays[0], newly_flagged=tuple(f"evt_{n}" for n in range(9999)))
    assert "and 9499 more" in plan(replace(review, replays=(endless,)))
