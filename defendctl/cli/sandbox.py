"""`defendctl sandbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defendctl.cli import completing
from defendctl.cli.options import PATH, Command, Group
from defendctl.diagnostics import Usage
from defendctl.model import GENERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.cli.run import Run


_SCORES_HELP = (
    "YAML or JSON with scripted scores, {TEXT: {METRIC: SCORE}}, for events whose output, prompt or nametag"
    " contains TEXT. SCORE is 0 to 1, true, false or null (not scored); a list of such maps: one an attempt."
)


@click.group("sandbox", cls=Group)
def sandbox() -> None:
    """The embedded Defend API."""


@sandbox.command("serve", cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one.")
@click.option(
    "--generation",
    default="2025-12-07",
    shell_complete=completing.generations,
    show_default=True,
    help="The generation that writes must have.",
)
@click.option(
    "--answers",
    default=None,
    shell_complete=completing.generations,
    help="The generation of the answers, if it differs.",
)
@click.option("--data", type=PATH, default=None, help="An SQLite file; in memory by default.")
@click.option("--api-key", default=None, help="The only key it accepts; by default any.")
@click.option("--scores", type=PATH, default=None, help=_SCORES_HELP)
@click.pass_obj
def serve(
    run: Run,
    port: int,
    generation: str,
    answers: str | None,
    data: Path | None,
    api_key: str | None,
    scores: Path | None,
) -> int:
    """Serve the embedded Defend API on loopback; the first line on stdout is its base URL."""
    from defendctl.operations.workspace import sandbox_server

    for given in (generation, answers):
        if given not in (None, *GENERATIONS):
            raise Usage(f"there is no generation {given!r}; there are {', '.join(GENERATIONS)}")
    server = sandbox_server()
    try:
        scripts = server.read_scores(scores) if scores else None
    except server.BadScores as error:
        raise Usage(str(error), f"the form of --scores: {_SCORES_HELP}") from error
    try:
        server.serve(
            port,
            generation,
            answers,
            str(data or ":memory:"),
            api_key,
            lambda url: run.console.show(url + "\n"),
            scripts,
        )
    except server.BadData as error:
        raise Usage(f"--data: {error}", "name a new file, or one that `sandbox serve` wrote") from error
    return 0
