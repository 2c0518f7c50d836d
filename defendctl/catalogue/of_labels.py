"""Label files: what people said of events."""

from __future__ import annotations

from typing import Final

from defendctl.catalogue.entry import LABELS, Explained


def _labels(*lists: str, workflow: str = "support-bot") -> str:
    body = "".join(f"    {one}\n" for one in lists)
    return f"version: 1\nlabels:\n  - workflow: {workflow}\n    drawn: uniform\n{body}"


_SOUND: Final = _labels("should_be_flagged: [evt_a]", "should_pass: [evt_b]")

ENTRIES: Final = (
    Explained(
        "conflicting-labels",
        "One event has two labels in one file",
        "It cannot be right both to flag it and to let it pass; whichever counted would be a guess.",
        "Keep one of them, or put the event under `unsure`.",
        _labels("should_be_flagged: [evt_a]", "should_pass: [evt_a]"),
        _SOUND,
        LABELS,
    ),
    Explained(
        "labelled-elsewhere",
        "One event is labelled under two workflows",
        "An event belongs to the workflow that judged it; under another it would be counted as missing.",
        "Take it out of the block of the other workflow.",
    ),
    Explained(
        "labels-disagree",
        "Two label files say different things of one event",
        "Two people judged it differently. As long as they do, it counts as unsure.",
        "Have them agree, and change one of the files.",
    ),
    Explained(
        "not-labels",
        "A file that holds no labels",
        "What `labels` in the project file leads to is read as labels; to skip it would hide a misspelt one.",
        "Write `version: 1` and `labels:` with a list of blocks, or move the file elsewhere.",
        "hello: world\n",
        _SOUND,
        LABELS,
    ),
)
