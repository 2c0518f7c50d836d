"""Plans in which every text that is not ours begins with a mark, and says anything after it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from defendctl.diagnostics import Diagnostic, Span
from defendctl.plan.changes import ACTIONS, IMPOSSIBLE, Change, Options, Plan, Reason
from defendctl.plan.compare import FieldChange
from defendctl.plan.direction import WORST_FIRST, worst
from defendctl.plan.drift import Drifted
from defendctl.policy.findings import VERDICTS, Finding
from defendctl.replay.replay import MetricReplay
from defendctl.review import Review
from tests.cases.built import HOSTILE, REPLAY, WAIVER, change

MARK = "zqx"
PIECES = [
    *HOSTILE,
    "`",
    "``",
    "|",
    "\\",
    "\n",
    "\n\n",
    "```\n",
    "~~~",
    "@a/b",
    "</code>",
    "-->",
    "<a href=x>",
]
PIECES += [
    "http://x.example",
    "www.x.example",
    "&lt;",
    "**",
    "_",
    "%0A",
    "%",
    "::",
    ",",
    ";",
    "; ",
    "##[",
    "$`x`$",
]

texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=4).map(
    lambda parts: MARK + "".join(parts)
)
maybe = st.none() | texts
spans = st.none() | st.builds(Span, texts, st.none() | st.integers(1, 99), st.none() | st.integers(1, 9))
values = st.none() | texts | st.floats(0, 1) | st.lists(texts, max_size=2).map(tuple)
fields = st.builds(
    FieldChange,
    texts | st.sampled_from(["status", "max_retries"]),
    values,
    values,
    values,
    st.sampled_from([None, "live", "applied", "unknown"]),
    st.sampled_from([None, "pending", "drift", "conflict"]),
    st.sampled_from(WORST_FIRST),
)
waivers = st.builds(
    lambda to, reason, who: replace(WAIVER, to=to, reason=reason, approver=who), values, texts, texts
)
findings = st.builds(
    Finding,
    texts,
    st.sampled_from(VERDICTS),
    texts,
    texts,
    maybe,
    maybe,
    st.booleans(),
    spans,
    st.none() | waivers,
    maybe,
)
metrics = st.builds(
    MetricReplay, texts, st.none() | st.floats(0, 1), st.none() | st.floats(0, 1), *[st.integers(0, 9)] * 5
)
replays = st.builds(
    lambda address, metric, mode, ids, window, why: replace(
        REPLAY,
        address=address,
        metrics=(metric,),
        run_modes={mode: 1},
        newly_flagged=tuple(ids),
        window=window,
        why_not=why,
    ),
    texts,
    metrics,
    texts,
    st.lists(texts, max_size=3),
    st.none() | st.tuples(texts, texts),
    maybe,
)
diagnostics = st.builds(Diagnostic, st.sampled_from(["error", "warning"]), texts, texts, spans)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    told = tuple(draw(st.lists(fields, max_size=5)))
    action = draw(st.sampled_from(ACTIONS))
    reason = Reason(IMPOSSIBLE, draw(texts))
    return change(draw(texts), *told, action=action, id=draw(maybe), reason=reason)


@st.composite
def reviews(draw: st.DrawFn) -> Review:
    made = tuple(draw(st.lists(changes(), max_size=4)))
    found = [span for span in draw(st.lists(spans, max_size=2)) if span]
    options = Options(tuple(draw(st.lists(texts, max_size=2))))
    head = (draw(texts), draw(maybe), draw(st.integers(0, 9)), draw(texts))
    return Review(
        Plan(*head, options, made, refreshed=draw(st.booleans())),
        tuple(draw(st.lists(diagnostics, max_size=2))),
        tuple(draw(st.lists(findings, max_size=3))),
        tuple(draw(st.lists(replays, max_size=2))),
        places={(change.address, ""): span for change, span in zip(made, found, strict=False)},
    )


@st.composite
def drifts(draw: st.DrawFn) -> list[Drifted]:
    def one() -> Drifted:
        told = tuple(draw(st.lists(fields, max_size=3)))
        way = worst(each.direction for each in told)
        return Drifted(draw(texts), draw(texts), way, draw(texts), told, missing=not told)

    return [one() for _ in range(draw(st.integers(0, 3)))]
