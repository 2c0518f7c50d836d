"""What `import --from` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.cli.options import progress_of
from defendctl.diagnostics import DefendctlError
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from defendctl.cli.run import Run
    from defendctl.operations.adopt import Undeclared
    from defendctl.operations.import_many import Imported


def import_many(run: Run, source: Path, write: Path | None, parallelism: int, *, now: bool) -> int:
    from defendctl.operations.import_many import import_from

    done = import_from(run.workspace(), source, write, parallelism, progress_of(run), now=now)
    if done.to_paste:
        _refuse(run, done)
    for address, binding in done.bound.items():
        run.console.out(f"{address} is bound to {inert(binding.workflow_id)}\n")
    told = [f"{len(done.bound)} bound", f"{done.already} bound already" if done.already else ""]
    told.append(f"{len(done.files)} files written" if done.files else "")
    run.console.out(f"Imported: {', '.join(part for part in told if part)}.\n")
    if done.assumed:
        fields = ", ".join(done.assumed)
        run.console.warn(f"{fields} cannot be read back; they are assumed to be as the manifests say")
    return 0


def _refuse(run: Run, done: Imported) -> None:
    """As `import` of a single one does. Raises DefendctlError."""
    from defendctl.render.yaml import manifests

    run.console.out(manifests((one.address, one.fields) for one in done.to_paste))
    raise DefendctlError(
        f"{len(done.to_paste)} of these addresses are not declared, so nothing was bound",
        how_to_paste(done.to_paste, ", or have it written with --write"),
    )


def how_to_paste(found: Sequence[Undeclared], otherwise: str = "") -> str:
    """What nobody could read must be filled in, and only then does another way lead on."""
    lacking = list(dict.fromkeys(name for one in found for name in one.lacking))
    if lacking:
        return f"put the manifest above into your workflows, fill in {', '.join(lacking)}, and import again"
    return f"put the manifest above into your workflows and import again{otherwise}"
