"""What every command stands on: the project, its state, and the API it speaks to."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import (
    DefendctlError,
    Diagnostic,
    Invalid,
    KeyRefused,
    Precondition,
    Usage,
    errors,
    suggest,
)
from defendctl.documentation import adding
from defendctl.hosts import api_host, is_listed
from defendctl.model import NEWEST, SANDBOX
from defendctl.operations.places import (
    elsewhere_advice,
    open_state,
    place_of_state,
    read_copy,
    sandboxed,
    state_folder,
)
from defendctl.project.load import load_project
from defendctl.project.project import KEY_VARIABLE, Project
from defendctl.project.sections import BAD_VARIABLE
from defendctl.project.url import base_url_problem
from defendctl.schema.checks import is_key_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import ModuleType

    from defendctl.api.client import DefendApi
    from defendctl.manifest.desired import Desired
    from defendctl.model import State
    from defendctl.state.place import Place
    from defendctl.state.session import Snapshot
    from defendctl.state.store import Store

DEFAULT_URL = "https://api.deeprails.com"
ALLOWED_HOSTS = "DEFENDCTL_ALLOWED_HOSTS"


def _silent(line: str) -> None:
    pass


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Settings:
    """The global options of a run, and where its side remarks go."""

    config: Path | None = None
    env: str | None = None
    """The name of the environment, if one was named."""
    sandbox: bool = False
    timeout: float | None = None
    warn: Callable[[str], None] = _silent
    log: Callable[[str], None] = _silent
    waits: Callable[[float], None] = lambda seconds: None
    """Told for how many seconds the API asks to wait."""
    today: date = field(default_factory=_today)
    """By which waivers expire."""
    new_state: bool = False
    """Whether it was said that this run begins a state."""
    pin: bool = True
    """Whether the project file is written where a state begins."""
    ask: Callable[[str], bool] | None = None
    """Asks a person; None without a terminal."""
    older_checkout: bool = False
    """Whether a checkout may be applied that is older than the one last applied."""
    state_url: Place | None = None
    """Where the state of this run is, whatever the project file says."""
    lock_timeout: float = 0
    """Seconds to wait for the lock of another run."""
    offline: bool = False
    """Whether a state that is elsewhere is taken as it was read last."""

    @property
    def own_state(self) -> bool:
        """Whether the state is the one that the project file speaks of: its lineage is pinned there."""
        return not (self.sandbox or self.state_url)


@dataclass(frozen=True, slots=True)
class Workspace:
    project: Project
    settings: Settings
    cwd: Path
    opened: Callable[[], Store]
    """The store, which is opened when it is asked for first: what it needs may be heavy."""
    problems: list[Diagnostic]
    """What is wrong with the project file."""
    whole: Project
    """The project as its file was read, in none of its environments."""

    @property
    def store(self) -> Store:
        """Raises DefendctlError where what its place needs is not installed."""
        return self.opened()

    @property
    def place(self) -> Place | None:
        """Where the state is, if it is no file of this machine."""
        return _place(self.project, self.settings)

    @property
    def folder(self) -> Path:
        """Locks, copies and the sandbox: never committed."""
        return state_folder(self.project)

    def desired(
        self, paths: Sequence[Path] | None, *, for_changes: bool = False, filling: bool = False
    ) -> Desired:
        """Raises Invalid with every problem of the project file, the policy and the manifests.

        An expired waiver is one of them where it could let a change pass, and a folder without manifests
        but where it is being filled.
        """
        from defendctl.manifest.resolve import resolve

        today = self.settings.today if for_changes else None
        desired = resolve(self.project, paths, self.cwd, today, filling=filling)
        found = [*self.problems, *desired.diagnostics]
        if errors(found):
            raise Invalid(found)
        return desired

    def read_state(self) -> Snapshot:
        """Raises Precondition for a state that cannot be used."""
        self.require_sound()
        if self.settings.offline and self.place:
            return read_copy(self.project, self.place, self.settings.warn)
        return self.store.read()

    @property
    def environments(self) -> list[Workspace]:
        """Each one of a project in which none was chosen; else this one alone."""
        if self.project.environment or not self.project.environments:
            return [self]
        return [_work_in(project, self) for project in self.project.environments.values()]

    def require_sound(self) -> None:
        """The project file must be right, and something must be here at all."""
        if errors(self.problems):
            raise Invalid(self.problems)
        said = self.project.file or self.settings.state_url or (self.project.root / "workflows").exists()
        if not (said or self.store.exists()):
            raise DefendctlError(
                "there is no defendctl.yaml here or in a parent folder", f"run `{command('init')}`"
            )

    def base_url(self) -> str:
        """From the variables, then the project file. Raises DefendctlError if the key may not go there."""
        new, old = os.environ.get("DEEP_RAILS_BASE_URL"), os.environ.get("DEEPRAILS_BASE_URL")
        if new and old and new.rstrip("/") != old.rstrip("/"):
            self.settings.warn("DEEP_RAILS_BASE_URL and DEEPRAILS_BASE_URL differ; the first is taken")
        url = (new or old or self.project.base_url or DEFAULT_URL).strip()
        problem = base_url_problem(url)
        if problem:
            raise DefendctlError(f"the base URL of the API {problem}")
        self._refuse_other_host(url)
        _refuse_host_not_allowed(url)
        return url

    def _refuse_other_host(self, url: str) -> None:
        """A variable that was set for one environment must not take the key of another with it."""
        own = self.project.base_url or url
        if self.project.own_url and api_host(own) != api_host(url):
            raise Precondition(
                f"a variable sends this run to {api_host(url)}, but the environment "
                f"{self.project.environment} is on {api_host(own)}",
                "unset DEEP_RAILS_BASE_URL and DEEPRAILS_BASE_URL, or name another environment",
            )

    def host(self) -> str:
        """What the state and the digest remember the API by."""
        return SANDBOX if self.settings.sandbox else api_host(self.base_url())

    def check_host(self, state: State) -> None:
        """Raises Precondition if the state speaks of workflows on another host."""
        host = self.host()
        if state.api_host not in (None, host):
            raise Precondition(
                f"the state belongs to the API host {state.api_host}, but this run speaks to {host}",
                elsewhere_advice(self.project.environment),
            )

    @contextmanager
    def api(self) -> Iterator[DefendApi]:
        """Raises DefendctlError without a key. Under --sandbox, an embedded server while it is used."""
        from defendctl.api.client import DefendApi
        from defendctl.api.patience import Patience

        with self._endpoint() as (url, key):
            api = DefendApi(
                url,
                key,
                seconds=self.settings.timeout,
                log=self.settings.log,
                patience=Patience(waits=self.settings.waits),
            )
            try:
                yield api
            except KeyRefused as error:
                if self.project.environment:
                    error.hint = (
                        f"the key of {self.project.environment} is taken from {self.project.key_variable}"
                    )
                raise
            finally:
                api.close()

    @contextmanager
    def _endpoint(self) -> Iterator[tuple[str, str]]:
        if not self.settings.sandbox:
            yield self.base_url(), api_key(self.project.key_variable)
            return
        import secrets

        server = sandbox_server()
        self.folder.mkdir(parents=True, exist_ok=True)
        pinned = self.project.generation
        generation = NEWEST if pinned == "auto" else pinned
        file, key = self.folder / f"{sandboxed(self.project)}.sqlite", secrets.token_hex(16)
        try:
            with server.embedded(str(file), generation, api_key=key) as url:
                yield url, key  # others on this machine have none
        except server.BadData as error:
            raise DefendctlError(str(error), "remove that file; the sandbox then begins empty") from error


def open_workspace(settings: Settings, *, choose: bool = True) -> Workspace:
    """Reads the project file. Its problems are kept for the command to tell with all others.

    Raises Usage if the environment is not clear; without `choose` only for one that there is not.
    """
    cwd = Path.cwd()
    if settings.config and not settings.config.is_file():
        raise DefendctlError(f"there is no project file {settings.config}")
    whole, problems = load_project(settings.config, cwd)
    project = _chosen(whole, settings.env, problems, choose)
    return Workspace(project, settings, cwd, _opening(project, settings), problems, whole)


def in_environment(workspace: Workspace, name: str) -> Workspace:
    """Raises Usage for one that there is not."""
    return _work_in(_chosen(workspace.whole, name, workspace.problems, choose=True), workspace)


def in_none(workspace: Workspace) -> Workspace:
    """What the project is in all its environments, whichever was named."""
    if not workspace.project.environment:
        return workspace
    return _work_in(_chosen(workspace.whole, None, workspace.problems, choose=False), workspace)


def _chosen(project: Project, name: str | None, problems: list[Diagnostic], choose: bool) -> Project:
    """The project in the environment that is named, or in the only one."""
    there = project.environments
    if name is None:
        if len(there) > 1 and choose:
            raise Usage(f"name the environment: {_options(there)}", "or set DEFENDCTL_ENV")
        return next(iter(there.values())) if len(there) == 1 else project
    if name in there:
        return there[name]
    if errors(problems):
        raise Invalid(problems)
    if not there:
        raise Usage(
            f"environment {name!r}: this project has no environments",
            "leave --env and DEFENDCTL_ENV out, or name it under `environments:` of defendctl.yaml",
        )
    others = suggest(name, there) or f" There are: {', '.join(there)}."
    raise Usage(f"there is no environment {name!r}.{others}")


def _options(names: Iterable[str]) -> str:
    return " or ".join(f"--env {name}" for name in names)


def _work_in(project: Project, workspace: Workspace) -> Workspace:
    return replace(workspace, project=project, opened=_opening(project, workspace.settings))


def _opening(project: Project, settings: Settings) -> Callable[[], Store]:
    place, patience = _place(project, settings), settings.lock_timeout
    return cache(partial(open_state, project, place, sandbox=settings.sandbox, patience=patience))


def _place(project: Project, settings: Settings) -> Place | None:
    return None if settings.sandbox else place_of_state(project, settings.state_url)


def warn_unresolved(workspace: Workspace, addresses: Iterable[str]) -> None:
    for address in sorted(addresses):
        workspace.settings.warn(
            f"{address}: a create has an unknown outcome; `{command('state list')}` tells what to do"
        )


def _refuse_host_not_allowed(url: str) -> None:
    """Who may change the project file, or some variable, shall not choose where the key goes."""
    allowed = os.environ.get(ALLOWED_HOSTS)
    if allowed is not None and not is_listed(url, allowed):
        raise Precondition(
            f"{ALLOWED_HOSTS} does not allow the API host {api_host(url)}",
            f"it holds whole hosts, HOST or HOST:PORT, separated by commas; now: {allowed.strip() or 'none'}",
        )


def api_key(variable: str = KEY_VARIABLE) -> str:
    """Raises DefendctlError for a variable that may not be sent, or that holds no key."""
    if not is_key_variable(variable):
        raise DefendctlError(BAD_VARIABLE.rstrip("."))
    key = os.environ.get(variable, "").strip()
    if not key:
        raise DefendctlError(f"{variable} is not set", "set it to the key of the API")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise DefendctlError(f"{variable} holds characters that a key cannot have")
    return key


def sandbox_server() -> ModuleType:
    """The module of the embedded API, which needs the extra `sandbox`."""
    try:
        from defendctl.sandbox import server
    except ImportError as error:
        raise DefendctlError(
            f"the sandbox needs {error.name}, which is not installed", adding("sandbox", sys.executable)
        ) from None
    return server
