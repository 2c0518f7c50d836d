"""Colour that never carries meaning alone."""

from __future__ import annotations

from collections.abc import Callable

import click

Paint = Callable[[str, str], str]
"""From a text and a colour to what is printed."""


def coloured(text: str, colour: str) -> str:
    return click.style(text, fg=colour, bold=colour == "red")


def plain(text: str, colour: str) -> str:
    return text


def painter(colour: bool) -> Paint:
    return coloured if colour else plain
