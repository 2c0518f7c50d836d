"""GitHub: the record is a check run on the head of a pull request, which no user and no fork can make.

Forms and limits are those of its REST API, version 2022-11-28. A check of another app, a pull request
that was merged elsewhere, and an older check than the newest count for nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from defendctl.ci.calls import Calls, NoCertainty, part, text
from defendctl.ci.forge import (
    MOST_COMMITS,
    MOST_REQUESTS,
    Context,
    ForgeError,
    KeptRecord,
    Merged,
    NotAllowed,
    RangeTooLong,
)
from defendctl.ci.record import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from defendctl.ci.forge import Related, Title
    from defendctl.ci.record import Record

APP: Final = "github-actions"
BOT: Final = "github-actions[bot]"
DEPENDABOT: Final = "dependabot[bot]"
LABEL: Final = "defendctl"
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_QUEUED: Final = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([0-9]+)-[0-9a-f]+")
_SHA: Final = re.compile(r"[0-9a-f]{40,64}")
_TRIES: Final = 4
_VERDICTS: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
_OURS: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Who belongs to the repository: anybody at all may approve in a public one."""
_RELATED: Final[dict[str, Related]] = {
    "identical": "same",
    "ahead": "descendant",
    "behind": "ancestor",
    "diverged": "diverged",
}


class GitHub:
    """One repository. `event` is what the runner keeps at GITHUB_EVENT_PATH."""

    name = "GitHub"

    def __init__(
        self, env: Mapping[str, str], event: Any, calls: Calls | None, graphql: Calls | None
    ) -> None:
        self._env, self._event, self._given, self._graphql = env, event, calls, graphql
        repository = env.get("GITHUB_REPOSITORY", "")
        if not _REPOSITORY.fullmatch(repository):
            raise ForgeError("GITHUB_REPOSITORY is not the name of a repository (OWNER/NAME)")
        self._repository, self._repo = repository, f"/repos/{repository}"
        self._login: str | None = None

    @property
    def _calls(self) -> Calls:
        if self._given is None:
            raise NotAllowed(
                "GH_TOKEN and GITHUB_TOKEN are not set: nothing can be read from GitHub or written there"
            )
        return self._given

    def context(self) -> Context:
        env, event = self._env, self._event
        request = part(event, "pull_request")
        named = env.get("GITHUB_EVENT_NAME", "")
        group = part(event, "merge_group")
        server, run = env.get("GITHUB_SERVER_URL"), env.get("GITHUB_RUN_ID")
        number = part(request, "number")
        base = text(request, "base", "sha") if request else text(group, "base_sha")
        return Context(
            event="pull_request" if request else named,
            commit=env.get("GITHUB_SHA"),
            number=number if isinstance(number, int) else None,
            head=_sha(text(request, "head", "sha")),
            base=_sha(base),
            fork=request is not None and text(request, "head", "repo", "full_name") != self._repository,
            dependabot=env.get("GITHUB_ACTOR") == DEPENDABOT,
            branch=_branch(env),
            default_branch=text(event, "repository", "default_branch"),
            run=f"{server}/{self._repository}/actions/runs/{run}" if server and run else None,
        )

    def try_token(self) -> None:
        self._calls.get(self._repo)

    def range(self, first: str | None, last: str) -> Sequence[Merged]:
        commits = list(self._commits(first, last)) if first and first != last else [last]
        found: dict[int, Merged] = {}
        unclaimed = set()
        for commit in commits:
            requests = [*self._requests(commit)]
            found |= {one.number: one for one in requests}
            unclaimed |= set() if requests else {commit}
        if unclaimed:
            found = {one.number: one for one in self._merged_as(unclaimed)} | found
            found |= {one.number: one for one in self._queued()}
        if len(found) > MOST_REQUESTS:
            raise RangeTooLong(f"more than {MOST_REQUESTS} pull requests were merged since the last apply")
        return list(found.values())

    def _commits(self, first: str, last: str) -> Iterator[str]:
        path, seen, page = f"{self._repo}/compare/{first}...{last}", 0, 1
        while True:
            told = self._calls.get(path, {"per_page": 100, "page": page})
            total, commits = part(told, "total_commits"), part(told, "commits")
            if not (isinstance(total, int) and isinstance(commits, list)):
                raise ForgeError(f"GitHub: its answer for {path} has an unknown form")
            if total > MOST_COMMITS:
                raise RangeTooLong(
                    f"{total} commits came since the last apply; defendctl looks at {MOST_COMMITS} at most"
                )
            yield from (sha for one in commits if (sha := _sha(text(one, "sha"))))
            seen, page = seen + len(commits), page + 1
            if seen >= total or not commits:
                return

    def _requests(self, commit: str) -> Iterator[Merged]:
        for one in self._calls.pages(f"{self._repo}/commits/{commit}/pulls", {}):
            if self._counts(one):
                yield Merged(part(one, "number"), str(text(one, "head", "sha")))

    def _merged_as(self, commits: set[str]) -> Iterator[Merged]:
        """A squashed or rebased one may be known by its last commit alone."""
        params = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": 100}
        for one in self._calls.get(f"{self._repo}/pulls", params) or ():
            if text(one, "merge_commit_sha") in commits and self._counts(one):
                yield Merged(part(one, "number"), str(text(one, "head", "sha")))

    def _queued(self) -> Iterator[Merged]:
        """That of a merge group, which its ref is named after: where it is squashed no commit tells of it."""
        named = _QUEUED.fullmatch(text(self._event, "merge_group", "head_ref") or "")
        one = self._calls.get(f"{self._repo}/pulls/{named[1]}") if named else None
        if self._counts(one):
            yield Merged(part(one, "number"), str(text(one, "head", "sha")))

    def _counts(self, one: Any) -> bool:
        """Whether it went into the default branch here, or is about to where a group waits for it."""
        here = self.context()
        into = text(one, "base", "ref"), text(one, "base", "repo", "full_name")
        waits = here.event == "merge_group" and text(one, "state") == "open"
        merged = text(one, "merged_at") is not None or waits
        return (
            merged
            and isinstance(part(one, "number"), int)
            and into == (here.default_branch, self._repository)
            and _sha(text(one, "head", "sha")) is not None
        )

    def reviews(self, merged: Merged, name: Title) -> KeptRecord | None:
        path = f"{self._repo}/commits/{merged.head}/check-runs"
        params = {"check_name": name.name, "filter": "latest"}
        done = [
            one
            for one in self._calls.pages(path, params, "check_runs")
            if text(one, "name") == name.name
            and text(one, "app", "slug") == APP
            and text(one, "status") == "completed"
            and text(one, "head_sha") == merged.head
        ]
        newest = max(done, key=_when, default=None)
        if newest is None or text(newest, "conclusion") != "success":
            return None
        record = from_text(part(newest, "output", "text"))
        if record is None or (record.environment, record.commit) != (name.environment, merged.head):
            return None
        return KeptRecord(record, str(text(newest, "completed_at")))

    def record(self, name: Title, record: Record | None, *, passed: bool, text: str) -> str | None:
        block = {"text": to_text(record)} if record else {}
        made = self._calls.change(
            "POST",
            f"{self._repo}/check-runs",
            {
                "name": name.name,
                "head_sha": name.head,
                "status": "completed",
                "conclusion": "success" if passed else "failure",
                "output": {"title": name.name, "summary": text, **block},
            },
        )
        return _url(made)

    def comment(self, marker: str, text: str, number: int) -> str | None:
        path = f"{self._repo}/issues/{number}/comments"
        for _ in range(_TRIES):
            mine = self._mine(self._calls.pages(path, {}), marker)
            try:
                if mine is not None:
                    return _url(
                        self._calls.change("PATCH", f"{self._repo}/issues/comments/{mine}", {"body": text})
                    )
                return _url(self._calls.add(path, {"body": text}))
            except NoCertainty as error:  # it may be there: a look tells, a second one would stay
                lost = error
        raise lost

    def issue(self, marker: str, title: str, text: str | None) -> str | None:
        path, content = f"{self._repo}/issues", {"title": title, "body": text}
        for _ in range(_TRIES):
            every = self._calls.pages(path, {"labels": LABEL, "state": "open"})
            mine = self._mine((one for one in every if part(one, "pull_request") is None), marker, "number")
            if text is None:
                return (
                    _url(self._calls.change("PATCH", f"{path}/{mine}", {"state": "closed"})) if mine else None
                )
            try:
                if mine is not None:
                    return _url(self._calls.change("PATCH", f"{path}/{mine}", content))
                return _url(self._calls.add(path, {**content, "labels": [LABEL]}))
            except NoCertainty as error:
                lost = error
        raise lost

    def _mine(self, entries: Iterator[Any], marker: str, key: str = "id") -> int | None:
        """The first that begins with the marker and that this very bot wrote."""
        for one in entries:
            written = text(one, "body") or ""
            if written.startswith(marker) and text(one, "user", "login") == self._own_login():
                found = part(one, key)
                return found if isinstance(found, int) else None
        return None

    def _own_login(self) -> str:
        """GraphQL knows it for every kind of token; REST only for that of a user."""
        if self._login is None:
            self._login = self._asked_login() or BOT
        return self._login

    def _asked_login(self) -> str | None:
        try:
            if self._graphql:
                told = self._graphql.change("POST", "/graphql", {"query": "query{viewer{login}}"})
                if login := text(told, "data", "viewer", "login"):
                    return login
            return text(self._calls.get("/user"), "login")
        except NotAllowed:
            return None

    def compare(self, first: str, second: str) -> Related:
        try:
            told = self._calls.get(f"{self._repo}/compare/{first}...{second}", {"per_page": 1})
        except NotAllowed:
            return "unknown"
        return _RELATED.get(text(told, "status") or "", "unknown")

    def approved_after(self, merged: Merged, at: str) -> bool:
        reviews = self._calls.pages(f"{self._repo}/pulls/{merged.number}/reviews", {})
        said = [one for one in reviews if text(one, "state") in _VERDICTS]
        last = {text(one, "user", "login"): one for one in said}  # told in the order of time
        return any(
            text(one, "state") == "APPROVED"
            and text(one, "author_association") in _OURS
            and text(one, "commit_id") == merged.head
            and (text(one, "submitted_at") or "") > at
            for one in last.values()
        )


def _branch(env: Mapping[str, str]) -> str | None:
    """A tag may have the name of a branch."""
    return env.get("GITHUB_REF_NAME") if env.get("GITHUB_REF", "").startswith("refs/heads/") else None


def _sha(value: str | None) -> str | None:
    return value if value and _SHA.fullmatch(value) else None


def _when(run: Any) -> tuple[str, int]:
    number = part(run, "id")
    return text(run, "completed_at") or "", number if isinstance(number, int) else 0


def _url(made: Any) -> str | None:
    return text(made, "html_url")
