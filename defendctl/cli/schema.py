"""`defendctl schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli.options import RESULT, subcommand

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run


@subcommand("schema")
@click.argument(
    "kind",
    type=click.Choice(["manifest", "overlay", "project", "policy", "tests", "labels", "plan", "tune"]),
    default="manifest",
)
@click.option("--output", type=RESULT, help="Write to this file instead of stdout.")
@click.pass_obj
def schema(run: Run, kind: str, output: Path | None) -> int:
    """Print a JSON Schema. Inside a project, the schema of manifests includes its custom metrics."""
    from defendctl.operations.destinations import Destination, check_destinations
    from defendctl.operations.schema import schema as operation

    workspace = run.workspace(choose=False)
    content = operation(kind, workspace.project.custom_metrics)
    if output is None:
        run.console.out(content)
        return 0
    file = Destination(f"--output {output}", output, kind, "schema")
    check_destinations(workspace, [file])
    file.write(content)
    return 0
