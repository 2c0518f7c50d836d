"""Which forge runs this pipeline, by the variables that each of them sets."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from defendctl.ci.calls import Calls
from defendctl.ci.forge import ForgeError
from defendctl.ci.github import GitHub
from defendctl.ci.gitlab import GitLab
from defendctl.ci.none import NoForge
from defendctl.state.bounded import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.ci.forge import Forge

_LARGEST: Final = 4 * 1024 * 1024


def open_forge(kind: str, env: Mapping[str, str]) -> Forge:
    """Raises ForgeError where what the runner says of itself cannot be used."""
    if kind == "auto":
        kind = "github" if env.get("GITHUB_ACTIONS") else "gitlab" if env.get("GITLAB_CI") else "none"
    if kind == "github":
        return _github(env)
    return _gitlab(env) if kind == "gitlab" else NoForge()


def _github(env: Mapping[str, str]) -> GitHub:
    url = env.get("GITHUB_API_URL") or "https://api.github.com"
    token = env.get("GH_TOKEN") or env.get("GITHUB_TOKEN")
    event = _event(env.get("GITHUB_EVENT_PATH"))
    if not token:
        return GitHub(env, event, None, None)
    above = url.removesuffix("/api/v3")
    graphql = f"{above}/api" if above != url else url
    return GitHub(env, event, Calls("GitHub", url, token), Calls("GitHub", graphql, token))


def _gitlab(env: Mapping[str, str]) -> GitLab:
    token = env.get("DEFENDCTL_GITLAB_TOKEN")
    url = env.get("CI_API_V4_URL") or "https://gitlab.com/api/v4"
    return GitLab(env, Calls("GitLab", url, token) if token else None)


def _event(path: str | None) -> Any:
    """What happened, in the words of GitHub; nothing outside of a run."""
    if not path:
        return {}
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # before opening: a pipe would hang
            raise ForgeError("GITHUB_EVENT_PATH is not a regular file")
        with Path(path).open("rb") as file:
            return parse(file.read(_LARGEST + 1).decode(), _LARGEST)
    except OSError as error:
        raise ForgeError(f"GITHUB_EVENT_PATH cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ForgeError(f"GITHUB_EVENT_PATH holds no event: {error}") from None
