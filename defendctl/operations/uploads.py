"""The files of the repository that manifests name, as the state knows them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from defendctl.manifest.contents import read
from defendctl.plan.uploads import known_ids, named, with_ids

if TYPE_CHECKING:
    from defendctl.api.client import Speaking
    from defendctl.engine.upload import Uploads
    from defendctl.manifest.desired import Desired
    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.policy.findings import Waiver
    from defendctl.state.session import Session


def with_uploads(desired: Desired, state: State) -> Desired:
    """The same with the id of each file that was uploaded; what is not stays what it holds."""
    ids = known_ids(desired.files, state.uploads)
    if not ids:
        return desired
    return replace(
        desired,
        workflows={address: with_ids(workflow, ids) for address, workflow in desired.workflows.items()},
        waivers=tuple(_waiver(waiver, ids) for waiver in desired.waivers),
        files={**desired.files, **{file_id: desired.files[content] for content, file_id in ids.items()}},
    )


def _waiver(waiver: Waiver, ids: dict[str, str]) -> Waiver:
    """It was written while the plan showed what the file holds, and means the same file."""
    return replace(waiver, to=named(waiver.to, ids)) if isinstance(waiver.to, tuple) else waiver


def uploads(workspace: Workspace, api: Speaking, session: Session) -> Uploads:
    from defendctl.engine.upload import Uploads

    return Uploads(api, session, partial(read, workspace.project.root))
