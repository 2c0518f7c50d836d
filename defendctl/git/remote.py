"""Refs of another repository, and what is behind them: listed, fetched, and each swapped as one value.

Of this repository no ref, no reflog, no index and no setting is changed; its settings and its credentials
are used.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError
from defendctl.git.asking import NoAnswer, Said, TooSlow, ask, call
from defendctl.hosts import secrets_in, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from defendctl.git.trees import Trees

_NO_UPKEEP: Final = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")
_FETCH: Final = (
    "fetch",
    "--quiet",
    "--no-write-fetch-head",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-prune",
    "--refmap=",  # a clone may map every ref to one of its own
    "--no-write-commit-graph",
)
_PUSH: Final = (
    "push",
    "--porcelain",
    "--no-verify",
    "--no-signed",
    "--no-follow-tags",
    "--no-recurse-submodules",
    "--no-force-if-includes",
)
_MOVED: Final = re.compile(
    r"stale info|fetch first|non-fast-forward|cannot lock ref|failed to (update|lock)|already exists"
    r"|incorrect old value|remote ref updated"
)
_STAYS: Final = re.compile(
    r"hook declined|hidden ref|protected|prohibited|denied|not allowed|forbidden|deny|rule violations"
    r"|funny refname|read.only|shallow update",
    re.IGNORECASE,
)
_NO_ACCESS: Final = re.compile(
    r"returned error: 40[134]|authentication failed|could not read (username|password)|prompts disabled"
    r"|permission .*denied|access denied|denied to|unauthorized|not found|not allowed"
    r"|does not appear to be a git repository|does not exist|host key verification failed|no such"
    r"|unsupported protocol|unable to find remote helper|not enabled|no path specified",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_WHO_ASKS: Final = re.compile(r" \S*(?:auth|token|key|secret|cookie)\S*:.*?(\S+)\s*$", re.IGNORECASE)
_BOTH: Final = re.compile(r"^(?:remote:|fatal:|error:|ERROR:)\s*(.*)$")


class Moved(Exception):
    """The ref is not at the commit that was expected, or could not be looked at."""


class Silent(DefendctlError):
    """No answer, or one that says nothing: whether it was done, only the ref can tell."""


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    folder: Path
    target: str
    """Its URL."""
    shown: str
    """For messages: its name, or its URL."""
    env: Mapping[str, str]

    def refs(self, *patterns: str) -> dict[str, str]:
        """Ref → commit, of those that match. Raises NoAnswer, DefendctlError, Silent."""
        said = self._call(None, "ls-remote", "--refs", "--quiet", self.target, *patterns)
        if said.code:
            raise self._trouble(said, "read")
        lines = (line.split("\t", 1) for line in said.out.decode(errors="replace").splitlines())
        return {ref: commit for commit, ref in lines}

    def fetch(self, trees: Trees, *refs: str) -> None:
        """What is behind these refs, by their names. Raises as `refs` does."""
        said = self._call(trees.env, *_FETCH, self.target, *refs)
        if said.code:
            raise self._trouble(said, "read")

    def swap(self, trees: Trees, ref: str, new: str, old: str | None) -> None:
        """Raises Moved, Silent, DefendctlError."""
        self._push(trees, f"--force-with-lease={ref}:{old or ''}", self.target, f"{new}:{ref}")

    def put(self, trees: Trees, ref: str, new: str) -> None:
        self._push(trees, "--force", self.target, f"{new}:{ref}")

    def delete(self, trees: Trees, *refs: str) -> None:
        self._push(trees, "--force", self.target, *(f":{ref}" for ref in refs))

    def _push(self, trees: Trees, *arguments: str) -> None:
        said = self._call(trees.env, *_PUSH, *arguments)
        if not said.code:
            return
        refused = [line for line in said.out.decode(errors="replace").splitlines() if line[:2] == "!\t"]
        if not refused:
            raise self._trouble(said, "written")
        why = self._without_secrets(refused[0].rpartition("\t")[2])
        told = self._words(said)
        if _MOVED.search(why):
            raise Moved(f"{why} {told}".rstrip())
        if not _STAYS.search(f"{why} {told}"):
            raise Silent(f"{why} {told}")
        ref = refused[0].split("\t")[1].rpartition(":")[2]
        allowed = f"`{ref.rpartition('/')[0]}/*`"
        raise DefendctlError(
            f"{self.shown} refuses {ref}: {why} {told}".rstrip(),
            f"whoever runs it must let this user push {allowed}, or the state must be elsewhere",
        )

    def _trouble(self, said: Said, wanted: str) -> DefendctlError:
        told = self._words(said)
        if not _NO_ACCESS.search(told):
            return Silent(told)
        hint = f"git's own credentials are used: `git ls-remote {self.shown}` must work without a question"
        return DefendctlError(f"{self.shown} cannot be {wanted}: {told}", hint)

    def _call(self, env: Mapping[str, str] | None, *arguments: str) -> Said:
        try:
            return call(self.folder, *_NO_UPKEEP, *arguments, env={**self.env, **(env or {})})
        except TooSlow as error:
            raise Silent(error.message) from error

    def _words(self, said: Said) -> str:
        """What the server and git say, on one line; the advice that git adds is about something else."""
        lines = said.err.decode(errors="replace").splitlines()
        told = [found[1].strip() for found in map(_BOTH.match, lines) if found]
        told = [line for line in told if line and not line.startswith("failed to push some refs")]
        return self._without_secrets("; ".join(told) or said.reason)[:300].strip()

    def _without_secrets(self, text: str) -> str:
        return without_secrets(text, [*secrets_in(self.target), *_in_headers(self.folder)])


def open_remote(folder: Path, target: str) -> RemoteRefs:
    """Where a ref is written there it is read too. Raises DefendctlError for what is none.

    By its URL, for git moves refs of this repository along where a remote is named that maps them.
    """
    if target.startswith("-"):
        raise DefendctlError(f"{target} is no remote of git")
    if not _NAME.fullmatch(target):
        return RemoteRefs(folder, target, shown_as(target), _ssh(folder))
    try:
        urls = ask(folder, "remote", "get-url", "--push", "--all", target).splitlines()
    except NoAnswer as error:
        raise DefendctlError(
            f"git knows no remote {target} in {folder}: {error.message}",
            "`git remote -v` lists those there are; a URL can be said instead, like `git+https://…?key=…`",
        ) from error
    if len(urls) != 1:
        raise DefendctlError(f"the remote {target} pushes to {len(urls)} places, and a state has one")
    return RemoteRefs(folder, urls[0].decode(errors="surrogateescape"), target, _ssh(folder))


def _in_headers(folder: Path) -> list[str]:
    """What the settings of git send along with each request to say who asks, as jobs of GitHub do; and the
    password that is encoded in it."""
    said = call(folder, "config", "--get-regexp", r"^http\..*extraheader$").out.decode(errors="replace")
    found = [header[1] for header in map(_WHO_ASKS.search, said.splitlines()) if header]
    return [*found, *filter(None, map(_password_in, found))]


def _password_in(basic: str) -> str:
    try:
        return b64decode(basic, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _ssh(folder: Path) -> dict[str, str]:
    """Whoever has chosen a command for ssh keeps it."""
    if not {"GIT_SSH_COMMAND", "GIT_SSH"}.isdisjoint(os.environ):
        return {}
    chosen = call(folder, "config", "--get", "core.sshCommand").out
    return {} if chosen else {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


def shown_as(target: str) -> str:
    """Without user, password and query."""
    return without_secrets(target)
