"""The options of plan and apply that say what of the project is meant."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from defendctl.cli.options import files_option, parallelism_option, replace_option, selector, target_option
from defendctl.model import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

reassert_option = click.option(
    "--reassert",
    type=click.Choice(FIELDS),
    multiple=True,
    metavar="FIELD",
    help="Write this field, which cannot be read back, wherever its value is only assumed.",
)


def selecting(decorated: Callable[..., int]) -> Callable[..., int]:
    """The options of plan and apply that say what of the project is meant, given to it as `chosen`."""

    @wraps(decorated)
    def selected(*args: Any, file: tuple[Path, ...], **given: Any) -> int:
        from defendctl.operations.selection import Selection

        names = ("target", "replace", "selector", "reassert", "parallelism")
        chosen = Selection(files=file, **{name: given.pop(name) for name in names})
        return decorated(*args, chosen=chosen, **given)

    for option in reversed(
        (files_option, target_option, replace_option, selector, reassert_option, parallelism_option)
    ):
        selected = option(selected)
    return selected
