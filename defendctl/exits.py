"""How a run ended, as a number for whoever started it. The meanings are fixed; none gets a second one."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Exit(IntEnum):
    OK = 0
    """Done, or nothing to do."""
    FAILED = 1
    FOUND = 2
    """It ran, and found what it was asked to look for: changes, drift, a failed case."""
    KEY_REFUSED = 3
    PARTLY = 4
    """Some of it was done, and some failed."""
    BLOCKED = 5
    """By a policy or a gate, or not possible in place."""
    PRECONDITION = 6
    """A stale plan; a state that is locked, missing, damaged, older, newer or another's."""
    UNKNOWN = 7
    """A create whose outcome nobody knows."""
    USAGE = 64
    """Not 2: a typo in CI must never read as a finding."""
    INTERRUPTED = 130


PRECEDENCE: Final = (
    Exit.UNKNOWN,
    Exit.INTERRUPTED,
    Exit.PARTLY,
    Exit.PRECONDITION,
    Exit.BLOCKED,
    Exit.KEY_REFUSED,
    Exit.FAILED,
    Exit.FOUND,
)
"""The first of these that holds wins."""

MEANINGS: Final = {
    Exit.OK: "done, or nothing to do",
    Exit.FAILED: (
        "failure: invalid manifests, API or state error, a bound workflow that answers 404, declined"
    ),
    Exit.FOUND: (
        "found something: `plan --detailed-exitcode`, `compare --detailed-exitcode`, `drift`, `fmt "
        "--check`, `init --ci --check`, `test` (failed or flaky), `verify` (differs), `tune` (another "
        "threshold is proven)"
    ),
    Exit.KEY_REFUSED: "the API refused the key",
    Exit.PARTLY: "apply: some done, some failed",
    Exit.BLOCKED: (
        "blocked: not possible in place, denied by the policy, more than `test --max-cost`, or a goal of "
        "`tune` that no threshold is proven to reach"
    ),
    Exit.PRECONDITION: (
        "precondition failed: stale, spent or not reviewed plan; older checkout; state locked, missing, "
        "damaged, older, newer, or another host's or environment's"
    ),
    Exit.UNKNOWN: "a create has an unknown outcome: `state resolve` is needed",
    Exit.USAGE: "the command line is wrong",
    Exit.INTERRUPTED: "interrupted (SIGINT, SIGTERM, SIGHUP), after what was under way has been recorded",
}
"""What the reference says of each, in Markdown."""


def worst_exit(codes: Iterable[int]) -> int:
    """The code that wins; 0 if none holds."""
    held = set(codes)
    return next((code for code in PRECEDENCE if code in held), Exit.OK)
