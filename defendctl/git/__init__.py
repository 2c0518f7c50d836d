"""What git is asked: the one place that knows its command line.

asking    one call of git, bounded in time, that asks nobody anything
checkout  the commit that is checked out, and what was before it
objects   values and commits as git keeps them, without a name
remote    refs of another repository: read, fetched, and swapped
"""

from defendctl.git.asking import NoAnswer
from defendctl.git.checkout import (
    Head,
    changed_between,
    earlier,
    head,
    is_ancestor,
    is_shallow,
    is_work_tree,
    knows,
    untracked_or_changed,
)

__all__ = [
    "Head",
    "NoAnswer",
    "changed_between",
    "earlier",
    "head",
    "is_ancestor",
    "is_shallow",
    "is_work_tree",
    "knows",
    "untracked_or_changed",
]
