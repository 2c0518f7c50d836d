"""GitLab: the record is a note under the merge request, by the very user whose token this is.

Whoever may edit notes of others may change one: maintainers, who could apply anyway. Without a token of the
project there is no record, and a manual job with the plan of its own pipeline is what is approved.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
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

LABEL: Final = "defendctl"
_EVENTS: Final = {"merge_request_event": "pull_request"}
_SHA: Final = re.compile(r"[0-9a-f]{40,64}")
_TRIES: Final = 4
_ORDER: Final = re.compile(r"^/", re.MULTILINE)
_APPROVED: Final = "approved this merge request"
_TAKEN_BACK: Final = "unapproved this merge request"
_FAILED: Final = "The newest plan did not pass: nothing of it may be applied.\n"


class GitLab:
    name = "GitLab"

    def __init__(self, env: Mapping[str, str], calls: Calls | None) -> None:
        self._env, self._given = env, calls
        project = env.get("CI_PROJECT_ID", "")
        if not project.isascii() or not project.isdigit():
            raise ForgeError("CI_PROJECT_ID is not the number of a project")
        self._project = f"/projects/{project}"
        self._user: int | None = None

    @property
    def _calls(self) -> Calls:
        if self._given is None:
            raise NotAllowed(
                "DEFENDCTL_GITLAB_TOKEN is not set: nothing can be read from GitLab or written there"
            )
        return self._given

    def context(self) -> Context:
        env = self._env
        source = env.get("CI_PIPELINE_SOURCE", "")
        number = env.get("CI_MERGE_REQUEST_IID", "")
        head = env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or env.get("CI_COMMIT_SHA")
        from_, into = env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), env.get("CI_MERGE_REQUEST_PROJECT_ID")
        return Context(
            event=_EVENTS.get(source, source),
            commit=env.get("CI_COMMIT_SHA"),
            number=int(number) if number.isdecimal() else None,
            head=_sha(head) if number else None,
            base=_sha(env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")),
            fork=from_ != into,
            branch=env.get("CI_COMMIT_BRANCH"),
            default_branch=env.get("CI_DEFAULT_BRANCH"),
            run=env.get("CI_JOB_URL"),
        )

    def try_token(self) -> None:
        self._calls.get(self._project)

    def range(self, first: str | None, last: str) -> Sequence[Merged]:
        commits = self._commits(first, last) if first and first != last else [last]
        found: dict[int, Merged] = {}
        for commit in commits:
            for one in self._calls.pages(f"{self._project}/repository/commits/{commit}/merge_requests", {}):
                if self._counts(one):
                    found[part(one, "iid")] = Merged(part(one, "iid"), str(text(one, "sha")))
        if len(found) > MOST_REQUESTS:
            raise RangeTooLong(f"more than {MOST_REQUESTS} merge requests were merged since the last apply")
        return list(found.values())

    def _commits(self, first: str, last: str) -> list[str]:
        told = self._calls.get(f"{self._project}/repository/compare", {"from": first, "to": last})
        commits = part(told, "commits")
        if not isinstance(commits, list):
            raise ForgeError("GitLab: its answer to a comparison has an unknown form")
        if len(commits) > MOST_COMMITS:
            raise RangeTooLong(
                f"{len(commits)} commits came since the last apply; defendctl looks at {MOST_COMMITS} at most"
            )
        return [sha for one in commits if (sha := _sha(text(one, "id")))]

    def _counts(self, one: Any) -> bool:
        into = text(one, "target_branch"), str(part(one, "target_project_id"))
        return (
            text(one, "state") == "merged"
            and isinstance(part(one, "iid"), int)
            and into == (self.context().default_branch, self._env["CI_PROJECT_ID"])
            and _sha(text(one, "sha")) is not None
        )

    def reviews(self, merged: Merged, name: Title) -> KeptRecord | None:
        mine = self._mine(self._notes(merged.number), _marker(name))
        record = from_text(part(mine, "body"))
        if record is None or (record.environment, record.commit) != (name.environment, merged.head):
            return None
        return KeptRecord(record, str(text(mine, "updated_at")))

    def record(self, name: Title, record: Record | None, *, passed: bool, text: str) -> str | None:
        """One note for an environment: what passed takes the place of what did not, and the reverse."""
        number = self.context().number
        if number is None:
            return None
        marker = _marker(name)
        body = to_text(record) if record and passed else _FAILED
        return self.comment(marker, f"{marker}{body}", number)

    def comment(self, marker: str, text: str, number: int) -> str | None:
        path = f"{self._project}/merge_requests/{number}/notes"
        for _ in range(_TRIES):
            mine = part(self._mine(self._notes(number), marker), "id")
            try:
                if isinstance(mine, int):
                    made = self._calls.change("PUT", f"{path}/{mine}", {"body": _unheeded(text)})
                else:
                    made = self._calls.add(path, {"body": _unheeded(text)})
                return self._note_url(number, part(made, "id"))
            except NoCertainty as error:  # it may be there: a look tells, a second one would stay
                lost = error
        raise lost

    def issue(self, marker: str, title: str, text: str | None) -> str | None:
        path, content = f"{self._project}/issues", {"title": title, "description": _unheeded(text or "")}
        for _ in range(_TRIES):
            every = self._calls.pages(path, {"labels": LABEL, "state": "opened"})
            mine = part(self._mine(every, marker, "description"), "iid")
            if text is None:
                closed = {"state_event": "close"}
                return _url(self._calls.change("PUT", f"{path}/{mine}", closed)) if mine else None
            try:
                if mine is not None:
                    return _url(self._calls.change("PUT", f"{path}/{mine}", content))
                return _url(self._calls.add(path, {**content, "labels": LABEL}))
            except NoCertainty as error:
                lost = error
        raise lost

    def _note_url(self, number: int, note: object) -> str | None:
        project = self._env.get("CI_MERGE_REQUEST_PROJECT_URL")
        anchor = f"#note_{note}" if isinstance(note, int) else ""
        return f"{project}/-/merge_requests/{number}{anchor}" if project else None

    def _notes(self, number: int) -> Iterator[Any]:
        notes = self._calls.pages(f"{self._project}/merge_requests/{number}/notes", {})
        return (one for one in notes if part(one, "system") is not True)

    def _mine(self, entries: Iterator[Any], marker: str, key: str = "body") -> Any:
        """The newest with this marker by the user whose token this is; an id tells, never a name."""
        mine = [
            one
            for one in entries
            if (text(one, key) or "").startswith(marker) and part(one, "author", "id") == self._own_id()
        ]
        return max(mine, key=lambda one: _moment(text(one, "updated_at")), default=None)

    def _own_id(self) -> int:
        if self._user is None:
            found = part(self._calls.get("/user"), "id")
            if not isinstance(found, int):
                raise ForgeError("GitLab does not say whose token this is")
            self._user = found
        return self._user

    def compare(self, first: str, second: str) -> Related:
        if first == second:
            return "same"
        try:
            told = self._calls.get(f"{self._project}/repository/merge_base", {"refs[]": [first, second]})
        except NotAllowed:
            return "unknown"
        base = text(told, "id")
        if base is None:
            return "unknown"
        return "descendant" if base == first else "ancestor" if base == second else "diverged"

    def approved_after(self, merged: Merged, at: str) -> bool:
        """When somebody approved, or took that back, is told by a note of the system."""
        last: dict[Any, tuple[datetime, str]] = {}
        for one in self._calls.pages(f"{self._project}/merge_requests/{merged.number}/notes", {}):
            said, who = text(one, "body") or "", part(one, "author", "id")
            if part(one, "system") is True and said.startswith((_APPROVED, _TAKEN_BACK)):
                told = _moment(text(one, "created_at")), said
                last[who] = max(last.get(who, told), told)
        return any(said.startswith(_APPROVED) and when > _moment(at) for when, said in last.values())


def _marker(name: Title) -> str:
    folder = f"{name.folder}/" if name.folder else ""
    return f"<!-- defendctl:review {folder}{name.environment or '-'} -->\n"


def _unheeded(text: str) -> str:
    """A line that begins with a slash may be an order to GitLab (`/approve`), which does not know each block
    of code for one: those with a fence of more than three backticks, say."""
    return _ORDER.sub(" /", text)


def _sha(value: str | None) -> str | None:
    return value if value and _SHA.fullmatch(value) else None


def _moment(said: str | None) -> datetime:
    """A server may tell times by its own clock, whose distance from UTC changes. Raises ForgeError."""
    try:
        return datetime.fromisoformat(said or "").astimezone(UTC)
    except ValueError:
        raise ForgeError("GitLab: the time of a note has an unknown form") from None


def _url(made: Any) -> str | None:
    return text(made, "web_url")
