"""Plans with a replay of events that are known, and what a page of HTML is made of."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from defendctl.event import Scored
from defendctl.replay.replay import Proposal, replay
from defendctl.replay.sample import Sample
from tests.cases import built

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.replay.replay import Replay
    from defendctl.review import Review

BEFORE = {"completeness": 0.85, "instruction_adherence": 0.65}
AFTER = {"completeness": 0.6, "instruction_adherence": 0.75}


def traffic(seed: int = 3, n: int = 100) -> list[Scored]:
    """A judge of two decimals: most answers are good, some are not, and a few got no score for one metric."""
    rng = random.Random(seed)
    return [_event(rng, at) for at in range(n)]


def _event(rng: random.Random, at: int) -> Scored:
    poor = rng.random() < 0.18
    completeness = rng.gauss(0.55, 0.12) if poor else rng.gauss(0.88, 0.07)
    told = {
        "completeness": round(min(1.0, max(0.0, completeness)), 2),
        "instruction_adherence": round(rng.betavariate(9, 2), 2) if at % 31 else None,
    }
    when = f"2026-11-{1 + at // 6:02}T08:{at % 60:02}:00Z"
    return Scored(f"evt_{at:04}", when, "fast" if at % 4 else "precision", told, costs=(0.002,))


def replayed(
    events: Sequence[Scored],
    before: dict[str, float] = BEFORE,
    after: dict[str, float] = AFTER,
    address: str = "support-bot",
) -> Replay:
    asks = Proposal(address, f"wkfl_{address}", before, after, 6, same_cycle=True)
    return replay(asks, events, len(events), Sample(len(events), 20))


def loosening(events: Sequence[Scored]) -> Review:
    """What `traffic` would have met, beside what is harmless and what the policy denies."""
    moved = [built.field(f"metrics.{name}", BEFORE[name], AFTER[name]) for name in BEFORE]
    looser = built.change("support-bot", *moved, built.field("max_retries", 5, 8))
    other = built.change("triage", built.field("metrics.correctness", 0.7, 0.8))
    return built.a_plan(
        looser,
        other,
        built.ADDED,
        findings=(built.DENIED,),
        replays=(replayed(events), built.NOT_REPLAYED),
        environment="production",
    )


_TEXT = "body main article header footer section h1 h2 h3 h4 h5 p ul li dl dt dd pre code span a small div"
_REST = "html head meta title style table caption thead tbody tr th td details summary figure figcaption"
_DRAWN = "svg desc defs clippath pattern g rect path circle text"
ELEMENTS = frozenset(" ".join([_TEXT, _REST, _DRAWN]).split())
EMPTY = frozenset({"meta"})


@dataclass
class Found(HTMLParser):
    """A page as a parser sees it, which is how a browser does."""

    attributes: list[tuple[str, str, str | None]] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Element, and text that stands directly in it."""
    style: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        elif data.strip():
            self.texts.append((self._open[-1] if self._open else "", data))

    def values(self, name: str) -> list[str]:
        return [value or "" for _, each, value in self.attributes if each == name]

    @property
    def text(self) -> str:
        return " ".join(text for _, text in self.texts)


def parsed(page: str) -> Found:
    found = Found()
    found.feed(page)
    found.close()
    assert not found._open, "every element is closed"
    return found


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table, as text."""
    collected: list[list[str]] = []

    class Cells(HTMLParser):
        inside = False

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag == "tr":
                collected.append([])
            if tag in ("td", "th"):
                collected[-1].append("")
                self.inside = True

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag not in ("td", "th")

        def handle_data(self, data: str) -> None:
            if self.inside:
                collected[-1][-1] += data

    Cells().feed(page)
    return collected
