"""`--reassert`, of plan and apply."""

from __future__ import annotations

import click

from defendctl.model import FIELDS

reassert_option = click.option(
    "--reassert",
    type=click.Choice(FIELDS),
    multiple=True,
    metavar="FIELD",
    help="Write this field where it is only assumed, for it cannot be read back.",
)
