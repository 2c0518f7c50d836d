"""What git is asked: the one place that knows its command line.

asking    one call of git, bounded in time, that asks nobody anything
branch    a commit on top of a branch elsewhere, past this checkout
checkout  the commit that is checked out, and what was before it
commits   what any commit holds
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
    is_tracked,
    is_work_tree,
    knows,
    on_branches,
    top_of,
    untracked_or_changed,
)
from defendctl.git.commits import GitFile, blobs_of, commit_of, files_of, place_of

__all__ = [
    "GitFile",
    "Head",
    "NoAnswer",
    "blobs_of",
    "changed_between",
    "commit_of",
    "earlier",
    "files_of",
    "head",
    "is_ancestor",
    "is_shallow",
    "is_tracked",
    "is_work_tree",
    "knows",
    "on_branches",
    "place_of",
    "top_of",
    "untracked_or_changed",
]
