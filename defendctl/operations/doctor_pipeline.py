"""doctor, in a job of a pipeline: which forge it is, whose job, and whether its token is taken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from defendctl.ci.choose import open_forge
from defendctl.ci.forge import ForgeError
from defendctl.command import command
from defendctl.inspection.checkup import Check, note, ok, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.ci.forge import Context, Forge
    from defendctl.operations.workspace import Workspace

_TOKEN: Final = (
    "set GH_TOKEN (GitHub) or DEFENDCTL_GITLAB_TOKEN (GitLab), with the rights that docs/ci.md names"
)


def check_pipeline(workspace: Workspace) -> Iterator[Check]:
    """Nothing outside of a pipeline. Of rights to write a read tells nothing, and only a read is tried."""
    try:
        forge = open_forge("auto", os.environ)
        context = forge.context()
    except ForgeError as error:
        yield wrong("pipeline", error.message, "look at the variables of the runner", error.exit_code)
        return
    if forge.name == "none":
        return
    yield ok("pipeline", f"{forge.name}, {context.event or 'no event'}")
    yield from _request(workspace, context)
    yield _token(forge)


def _request(workspace: Workspace, context: Context) -> Iterator[Check]:
    if context.fork:
        yield note(
            "fork", "it comes from a fork: nothing is written for it", "look at the plan in its summary"
        )
    elif context.is_request and os.environ.get(workspace.project.key_variable, "").strip():
        yield note(
            "secret",
            f"a job of a request has {workspace.project.key_variable}: whoever may push can have it printed",
            "keep it in an environment of the forge for the default branch alone, as "
            f"`{command('init --ci github')}` does, and plan with --offline",
        )


def _token(forge: Forge) -> Check:
    try:
        forge.try_token()
    except ForgeError as error:
        return note("token", error.message, _TOKEN)
    return ok("token", f"{forge.name} takes it")
