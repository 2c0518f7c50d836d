"""What a picture of tune shows adds up, whatever the scores: it is drawn from the JSON alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from defendctl.render.page.chart import CLASSES, chart
from defendctl.render.tune.tune_json import tune as tune_document
from tests.evidence.given import M, event, tuned

SCORE = st.one_of(st.none(), st.integers(0, 100).map(lambda k: k / 100), st.floats(0, 1, allow_nan=False))
GRID = st.integers(0, 100).map(lambda k: k / 100)


@given(scores=st.lists(SCORE, max_size=250), today=GRID, limit=st.sampled_from([0.2, 0.4, 0.8]))
def test_the_bars_add_up_and_the_classes_are_the_counts(
    scores: list[float | None], today: float, limit: float
) -> None:
    found = tuned([event(at, {M: score}) for at, score in enumerate(scores)], today, max_flag_rate=limit)
    [told] = tune_document(found)["metrics"]
    seen = told["replay"]
    known = [score for score in scores if score is not None]
    assert (seen["scored"], seen["unscored"]) == (len(known), len(scores) - len(known))
    assert seen["fails_before"] == sum(score < today for score in known)
    drawn = chart(seen)
    if drawn is None:
        assert known == []
        return
    classes: Counter[str] = Counter()
    for column in drawn.columns:
        classes.update(column.counts)
    assert set(classes) <= set(CLASSES)
    assert classes.total() == len(known)
    assert classes["both"] + classes["before"] == seen["fails_before"]
    assert classes["both"] + classes["after"] == seen["fails_after"]
    assert drawn.below(today) == seen["fails_before"]
    then = told["suggested"]
    assert seen["after"] == then
    assert seen["fails_after"] == (0 if then is None else sum(score < then for score in known))
