"""`defendctl fmt`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli.options import Command, ManifestPath
from defendctl.exits import Exit
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run


@click.command("fmt", cls=Command)
@click.argument("paths", nargs=-1, type=ManifestPath())
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if a file is not formatted.")
@click.pass_obj
def fmt(run: Run, /, paths: tuple[Path, ...], check: bool) -> int:
    """Rewrite manifests in canonical spelling and key order, offline, and name the files that change.

    With `-`, format stdin and print the result.
    """
    from defendctl.operations.fmt import fmt as operation

    done = operation(run.workspace(choose=False), paths, check=check)
    for note in done.notes:
        run.console.warn(note)
    if done.text is not None and not check:
        run.console.out_bytes(done.text)
        return 0
    for name in done.changed:
        run.console.out(inert(name) + "\n")
    return Exit.FOUND if check and done.changed else Exit.OK
