"""What tune suggests, and when it does not: laws over drawn events, and cases counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.evidence.bounds import lower_limit, most_hits
from defendctl.evidence.goals import Goal
from defendctl.evidence.tuning import Examples, Tuned
from tests.evidence.given import OTHER, M, event, events, spread, tuned

SCORE = st.one_of(st.none(), st.integers(0, 100).map(lambda k: k / 100), st.floats(0, 1, allow_nan=False))
SCORES = st.lists(SCORE, max_size=80)
TODAY = st.one_of(st.integers(0, 100).map(lambda k: k / 100), st.floats(0, 1, allow_nan=False))
LIMIT = st.sampled_from([0.05, 0.1, 0.2, 0.4, 0.8])


def allowed_of(found: Tuned) -> int:
    allowed = found.goals[0].goal.allowed
    assert allowed is not None
    return allowed


def sure(scores: list[float | None], threshold: float) -> int:
    return sum(score is not None and score < threshold for score in scores)


def most(scores: list[float | None], threshold: float) -> int:
    return sum(score is None or score < threshold for score in scores)


@given(scores=SCORES, today=TODAY, limit=LIMIT)
def test_nothing_below_todays_unless_that_is_broken(
    scores: list[float | None], today: float, limit: float
) -> None:
    [found] = tuned(events(scores), today, max_flag_rate=limit).metrics
    if found.suggested is not None and found.suggested < today - 1e-6:
        assert lower_limit(sure(scores, today), len(scores), 0.05) > limit
        assert found.direction == "loosens"


@given(scores=SCORES, today=TODAY, limit=LIMIT)
def test_what_is_proven_is_the_most_that_is(scores: list[float | None], today: float, limit: float) -> None:
    """By counting: so many may be flagged, and one step further there are more."""
    told = tuned(events(scores), today, max_flag_rate=limit)
    allowed = most_hits(told.goals[0].goal.effective, limit, 1 - 0.95)
    [found] = told.metrics
    if found.range is None:
        assert allowed is None or most(scores, 0.0) > allowed_of(told)
        return
    low, high = found.range
    assert low == 0.0
    assert most(scores, high) <= allowed_of(told)
    assert high == 1.0 or most(scores, round(high * 100 + 1) / 100) > allowed_of(told)
    assert found.suggested in (None, high)


@given(scores=SCORES, today=TODAY, limit=LIMIT)
def test_the_exit_code_says_what_stands_there(scores: list[float | None], today: float, limit: float) -> None:
    found = tuned(events(scores), today, max_flag_rate=limit)
    if found.exit_code == 0:
        assert (found.today_is, found.status) == ("proven", "proven")
        assert most(scores, today) <= allowed_of(found)
    if found.exit_code == 2:
        assert found.suggests
        assert found.today_is != "proven"
    if found.exit_code == 5:
        assert found.why or {"drift", "bursts"} & set(found.caveats)


@pytest.mark.parametrize("limit", [0.05, 0.5, 0.999])
def test_no_events_no_suggestion(limit: float) -> None:
    found = tuned([], max_flag_rate=limit)
    assert (found.exit_code, found.suggests, found.today_is) == (5, False, "undecided")
    assert "0 are there" in found.why[0]


@pytest.mark.parametrize(
    ("n", "today", "limit", "code", "today_is", "suggested"),
    [
        (100, 0.05, 0.2, 0, "proven", 0.13),  # 13 of 100 are allowed; the strictest is shown
        (100, 0.13, 0.2, 0, "proven", None),
        (100, 0.14, 0.2, 5, "undecided", None),
        (100, 0.20, 0.2, 5, "undecided", None),
        (100, 0.27, 0.2, 5, "undecided", None),
        (100, 0.28, 0.2, 2, "broken", 0.13),  # at least 20.7 % of all
        (100, 0.90, 0.2, 2, "broken", 0.13),
        (13, 0.0, 0.2, 5, "undecided", None),  # 14 are needed
        (14, 0.0, 0.2, 0, "proven", None),
    ],
)
def test_of_a_hundred_events(
    n: int, today: float, limit: float, code: int, today_is: str, suggested: float | None
) -> None:
    found = tuned(events(spread(n)), today, max_flag_rate=limit)
    assert (found.exit_code, found.today_is, found.metrics[0].suggested) == (code, today_is, suggested)


def test_too_few_say_how_many() -> None:
    found = tuned(events([0.9] * 41), max_flag_rate=0.05)
    assert found.why == ("flag rate at most 5 %: 59 events are needed, 41 are there",)
    assert found.status == "not_provable"


def test_why_nothing_is_loosened() -> None:
    found = tuned(events(spread(100)), 0.2, max_flag_rate=0.2)
    assert found.why == (
        "flag rate at most 20 %: 20 of 100 events are flagged with today's threshold, which neither proves "
        "nor breaks the goal: at most 13 may be",
        "completeness 0.13 would be proven; it is not suggested, for nothing shows that today's breaks the "
        "goal",
    )


def test_other_metrics_alone_may_flag_too_many() -> None:
    """Nothing that could be said of this one would help."""
    found = tuned(events(spread(100), other=0.4), {M: 0.1, OTHER: 0.5}, max_flag_rate=0.2)
    assert (found.status, found.exit_code) == ("impossible", 5)
    assert found.why == (
        "flag rate at most 20 %: at most 13 of 100 events may be flagged, but correctness alone flags 100, "
        "so no threshold of completeness can reach the goal",
    )


def test_events_without_a_score_may_be_too_many() -> None:
    """Nothing else flags them, and no metric is said to."""
    found = tuned([*events(spread(80)), *events([None] * 20)], {M: 0.1}, max_flag_rate=0.2)
    assert found.why == (
        "flag rate at most 20 %: at most 13 of 100 events may be flagged, but 20 without a score count as "
        "flagged, so no threshold of completeness can reach the goal",
    )


def test_the_others_stay_and_count() -> None:
    seen = [event(at, {M: 0.9, OTHER: 0.1 if at * 37 % 100 < 10 else 0.9}) for at in range(100)]
    found = tuned(seen, {M: 0.5, OTHER: 0.5}, max_flag_rate=0.2)
    assert found.goals[0].hits == (10, 10)
    assert found.metrics[0].suggested == 0.9


@pytest.mark.parametrize(("unknown", "code"), [(3, 0), (4, 5)])
def test_what_is_unscored_counts_as_flagged(unknown: int, code: int) -> None:
    scores: list[float | None] = [*([0.1] * 10), *([None] * unknown), *([0.9] * (87 - unknown)), *([0.9] * 3)]
    mixed = [scores[at * 37 % 100] for at in range(100)]
    found = tuned(events(mixed), 0.5, max_flag_rate=0.2)
    assert (found.goals[0].hits, found.exit_code) == ((10, 10 + unknown), code)
    assert found.evidence.unscored == unknown


def test_more_looks_allow_fewer() -> None:
    allowed = [
        tuned(events(spread(100)), max_flag_rate=0.2, looks=looks).goals[0].goal.allowed for looks in (1, 20)
    ]
    assert allowed == [13, 9]
    assert "many-looks" in tuned(events(spread(100)), max_flag_rate=0.2, looks=2).caveats


def test_a_judge_that_moved_proves_nothing() -> None:
    """All of the older half are above all of the newer one."""
    moved = [0.9 + at % 7 / 100 for at in range(50)] + [0.8 + at % 7 / 100 for at in range(50)]
    found = tuned(events(moved), 0.5, max_flag_rate=0.2)
    assert (found.exit_code, found.status, found.suggests) == (5, "not_provable", False)
    assert "drift" in found.caveats
    again = tuned(events(moved), 0.5, max_flag_rate=0.2, recent_only=True)
    assert (again.exit_code, again.evidence.events) == (0, 50)


def test_bursts_make_an_estimate_of_it_and_allow_less() -> None:
    """Ten alike at a time."""
    burst = [0.1 + (at // 10 * 7 % 10) / 20 for at in range(200)]
    found = tuned(events(burst), 0.05, max_flag_rate=0.2)
    [goal] = found.goals
    assert found.evidence.inflation > 1.3
    assert goal.goal.effective < 200
    assert allowed_of(found) < (most_hits(200, 0.2, 0.05) or 0)
    assert (found.exit_code, found.status) == (5, "estimate")
    assert "bursts" in found.caveats


def test_bursts_of_what_stays_are_bursts_of_flags() -> None:
    """Each flag is another metric's, ten at a time: what may move says nothing of it."""
    low = [0.1 if at // 10 in (3, 11, 12) else 0.9 for at in range(200)]
    seen = [event(at, {M: 0.9 + at * 37 % 100 / 1000, OTHER: other}) for at, other in enumerate(low)]
    found = tuned(seen[::-1], {M: 0.5, OTHER: 0.5}, max_flag_rate=0.4)
    assert found.goals[0].hits == (30, 30)
    assert (found.status, found.exit_code) == ("estimate", 5)
    assert "bursts" in found.caveats


@given(st.floats(1.0, 60.0), LIMIT, st.sampled_from([0.05, 0.01]))
def test_as_many_as_are_needed_could_prove_it(times: float, limit: float, delta: float) -> None:
    needed = Goal("max_flag_rate", (), limit, delta, times).needed
    enough = Goal("max_flag_rate", [{M: 0.9}] * needed, limit, delta, times)
    assert enough.allowed is not None
    assert Goal("max_flag_rate", [{M: 0.9}] * (needed - 1), limit, delta, times).allowed is None


# --- known cases ---


def cases(*scores: float | None) -> Examples:
    return Examples(known=tuple({M: score, OTHER: 0.9} for score in scores))


BOTH = {M: 0.2, OTHER: 0.5}


def test_every_known_bad_case_is_caught() -> None:
    found = tuned(events(spread(50), other=0.9), BOTH, cases(0.3, 0.42, 0.42), catch="tests")
    assert (found.exit_code, found.today_is) == (2, "broken")
    assert (found.metrics[0].suggested, found.metrics[0].range) == (0.43, (0.43, 1.0))
    assert found.goals[0].hits == (3, 3)
    assert "cases-are-no-sample" in found.caveats


def test_a_goal_of_recall_never_loosens() -> None:
    found = tuned(events(spread(50), other=0.9), {M: 0.9, OTHER: 0.5}, cases(0.3), catch="tests")
    assert (found.exit_code, found.suggests) == (0, False)


@pytest.mark.parametrize(
    ("score", "but"),
    [(1.0, "even a threshold of 1 for completeness misses 1"), (None, "1 without a score counts as missed")],
)
def test_what_no_threshold_catches(score: float | None, but: str) -> None:
    found = tuned(events(spread(50), other=0.9), BOTH, cases(0.1, score), catch="tests")
    assert (found.exit_code, found.status) == (5, "impossible")
    assert found.why == (
        f"every known bad case caught: none of 2 known bad cases may be missed, but {but}, so no threshold "
        "of completeness can reach the goal",
    )


def test_what_another_metric_catches_asks_nothing_of_this_one() -> None:
    caught = Examples(known=({M: 1.0, OTHER: 0.1},))
    found = tuned(events(spread(50), other=0.9), BOTH, caught, catch="tests")
    assert (found.exit_code, found.today_is) == (0, "proven")


def test_no_case_says_so() -> None:
    found = tuned(events(spread(50), other=0.9), BOTH, Examples(), catch="tests")
    assert (found.exit_code, found.why) == (5, ("every known bad case caught: no known bad case is there",))


def test_goals_that_contradict_say_so() -> None:
    """The most useful answer that it gives."""
    found = tuned(events(spread(100), other=0.9), BOTH, cases(0.76), catch="tests", max_flag_rate=0.2)
    assert (found.exit_code, found.status, found.metrics[0].range) == (5, "impossible", None)
    assert found.why[-1] == (
        "every known bad case caught needs completeness 0.77 or more, flag rate at most 20 % allows "
        "completeness 0.13 or less: no threshold does both"
    )


@pytest.mark.parametrize(("today", "code"), [(0.655, 0), (0.65, 5), (0.66, 5)])
def test_todays_may_do_what_no_hundredth_does(today: float, code: int) -> None:
    """A case at 0.652 must be caught, and of the events 14 score 0.657, where 13 may be flagged."""
    scores: list[float | None] = [0.657 if at % 7 == 0 and at < 98 else 0.9 for at in range(100)]
    found = tuned(
        events(scores, other=0.9), {M: today, OTHER: 0.5}, cases(0.652), catch="tests", max_flag_rate=0.2
    )
    assert (found.exit_code, found.suggests) == (code, False)
    if code == 0:
        assert (found.status, found.metrics[0].range, found.why) == ("proven", (0.655, 0.655), ())
    else:
        assert "no threshold does both" in found.why[-1]


def test_what_is_missed_is_told_in_a_sentence() -> None:
    found = tuned(events(spread(50), other=0.9), BOTH, cases(0.3, None, 0.1), catch="tests")
    assert "even" not in found.why[0]
    found = tuned(events(spread(50), other=0.9), BOTH, cases(0.3, 0.1), catch="tests")
    assert found.why == (
        "every known bad case caught: 1 of 2 known bad cases are missed with today's threshold, which breaks "
        "the goal: none may be",
    )


def test_goals_that_agree_leave_an_interval() -> None:
    found = tuned(
        events(spread(100), other=0.9), {M: 0.02, OTHER: 0.5}, cases(0.05), catch="tests", max_flag_rate=0.2
    )
    assert found.metrics[0].range == (0.06, 0.13)
    assert (found.metrics[0].suggested, found.exit_code, found.metrics[0].direction) == (0.13, 2, "tightens")


# --- several metrics at once ---


@given(
    rows=st.lists(st.tuples(SCORE, SCORE), max_size=120),
    today=st.tuples(TODAY, TODAY),
    limit=LIMIT,
)
def test_several_rise_together_and_the_newer_half_judges(
    rows: list[tuple[float | None, float | None]], today: tuple[float, float], limit: float
) -> None:
    both = [event(at, {M: first, OTHER: second}) for at, (first, second) in enumerate(rows)]
    found = tuned(both, {M: today[0], OTHER: today[1]}, metrics=(M, OTHER), max_flag_rate=limit)
    [goal] = found.goals
    newer = rows[len(rows) // 2 :]
    assert goal.goal.of == len(newer)
    if found.suggests:
        at = [one.suggested for one in found.metrics]
        assert None not in at
        flagged = sum(
            any(s is None or (t is not None and s < t) for s, t in zip(row, at, strict=True)) for row in newer
        )
        assert flagged <= allowed_of(found)
        if found.today_is != "broken":
            assert not found.loosens
