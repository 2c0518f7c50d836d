"""The vendor's SDK and this tool see the same event alike, in each generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.client import DefendApi

from .bodies import CUSTOM, EVENT
from .test_vendor_sdk import EXTRAS, RENAMED, VERSIONS, WITH_MAPS, session

if TYPE_CHECKING:
    from .conftest import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STORIES = {
    "passes": [{"completeness": 0.9, "instruction_adherence": 0.9}],
    "improves": [{"completeness": 0.1}, {"completeness": 0.9}],
    "never improves": [{"completeness": 0.1}],
}


@pytest.mark.parametrize(("generation", "version"), VERSIONS.items())
@pytest.mark.parametrize("story", STORIES)
def test_the_same_event(sandbox: Sandbox, generation: str, version: str, story: str) -> None:
    scores = {EVENT["model_output"]: STORIES[story]}
    url = str(sandbox(generation=generation, scores=scores).base_url)
    theirs = session(url, version, {**CUSTOM[generation], **EXTRAS[generation]}, RENAMED)["event"]
    api = DefendApi(url, "sk_test")
    ours = api.event(theirs["workflow_id"], theirs["event_id"], content=True)
    api.close()
    assert ours is not None
    assert (ours.event_id, ours.filtered) == (theirs["event_id"], theirs["filtered"])
    assert ours.flagged is (story != "passes")
    if generation not in WITH_MAPS:
        assert (ours.attempts, ours.evaluations) == (theirs["attempt_number"], ())
        return
    history: list[dict[str, Any]] = theirs["evaluation_history"]
    assert ours.attempts == len(history) - 1
    told = [
        {m: (one.score, one.threshold) for m, one in evaluation.scores.items() if one.score is not None}
        for evaluation in ours.evaluations
    ]
    assert told == [
        {metric: (one["score"], one["threshold"]) for metric, one in each["evaluation_result"].items()}
        for each in history
    ]
    assert [one.cost for one in ours.evaluations] == [each["evaluation_total_cost"] for each in history]
    assert [one.content and one.content["model_output"] for one in ours.evaluations] == [
        each["model_output"] for each in history
    ]
