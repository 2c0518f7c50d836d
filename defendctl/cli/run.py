"""What the global options said, wherever they stood."""

from __future__ import annotations

import os
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

from defendctl.cli.console import Console
from defendctl.command import speak_with
from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from defendctl.operations.workspace import Settings, Workspace


class Run:
    """What the global options said, gathered from both places."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}
        self._typed: set[str] = set()
        self.console = Console()
        self.environment: str | None = None
        """The one that the command works in, once its workspace was opened."""

    def remember(self, name: str, value: Any, *, typed: bool) -> None:
        self.said[name] = value
        if typed:
            self._typed.add(name)

    def enter(self) -> None:
        self.console.no_color = bool(self.said.get("no_color"))
        self.console.quiet = bool(self.said.get("quiet"))
        self.console.verbose = bool(self.said.get("verbose"))
        speak_with(self._said_again())
        folder = self.said.get("chdir")
        try:
            os.chdir(folder or ".")
        except OSError as error:
            raise DefendctlError(
                f"cannot work in {folder or 'the current folder'}: {error.strerror}"
            ) from error

    def _said_again(self) -> list[str]:
        """Which project, environment and API are meant: a command that is copied needs that as well."""
        said = [
            ("-C", "chdir"),
            ("--config", "config"),
            ("--env", "env"),
            ("--state-url", "state_url"),
        ]
        words = [(option, str(self.said[name])) for option, name in said if name in self.said]
        return [*chain.from_iterable(words), *(["--sandbox"] if self.said.get("sandbox") else [])]

    def typed(self, name: str) -> Any:
        """What the command line itself said, and no variable."""
        return self.said.get(name) if name in self._typed else None

    def settings(self) -> Settings:
        from defendctl.operations.places import place_said
        from defendctl.operations.workspace import Settings

        return Settings(
            config=self.said.get("config"),
            env=self.said.get("env"),
            sandbox=bool(self.said.get("sandbox")),
            timeout=self.said.get("timeout"),
            warn=self.console.warn,
            log=self.console.log,
            waits=self.console.ticker.wait,
            new_state=bool(self.said.get("new_state")),
            pin=not self.said.get("no_pin"),
            ask=self.console.confirm if sys.stdin.isatty() else None,
            older_checkout=bool(self.said.get("older_checkout")),
            state_url=place_said(said) if (said := self.said.get("state_url")) else None,
            lock_timeout=self.said.get("lock_timeout") or 0,
            offline=bool(self.said.get("offline")),
        )

    def workspace(self, *, choose: bool = True) -> Workspace:
        """Without `choose`, that of a project with several environments may be in none of them."""
        from defendctl.operations.workspace import open_workspace

        self.console.prepare()
        opened = open_workspace(self.settings(), choose=choose)
        self.environment = opened.project.environment
        return opened
