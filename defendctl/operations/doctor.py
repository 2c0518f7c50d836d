"""doctor: what is here, what is remembered and what the server answers like, in one run. Changes nothing."""

from __future__ import annotations

import os
import platform
import re
import sys
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING, Final

from defendctl import __version__
from defendctl.api.dialects import DIALECTS
from defendctl.api.network import read_network
from defendctl.command import command
from defendctl.diagnostics import DefendctlError, KeyRefused, errors
from defendctl.engine.generation import generation
from defendctl.hosts import api_host
from defendctl.inspection.checkup import Check, Checkup, Served, note, ok, wrong
from defendctl.inspection.questions import Answers, questions
from defendctl.manifest.resolve import resolve
from defendctl.model import FIELDS
from defendctl.operations.doctor_pipeline import check_pipeline
from defendctl.operations.doctor_state import check_lock, check_state
from defendctl.operations.schema import schema
from defendctl.operations.workspace import api_key
from defendctl.plan.identity import another_id, import_command
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from defendctl.api.client import DefendApi
    from defendctl.inspection.questions import Seen
    from defendctl.manifest.desired import Desired
    from defendctl.model import Binding, State
    from defendctl.operations.workspace import Workspace


LOWEST_PYTHON: Final = (3, 11)
ABSENT: Final = "wkfl_there_is_no_such_workflow"
"""Asked for to see what a refusal looks like. A read of what is not there changes nothing."""
MOST: Final = 10
"""Workflows that are read; more of them tell no more of the server."""
_LARGEST: Final = 1 << 22
_SCHEMAS: Final = ("manifest", "project", "policy")


def doctor(workspace: Workspace) -> Checkup:
    """Everything that can be checked, also where some of it fails. The API gets nothing but GET; a state that
    is elsewhere is tried with values of our own, which are taken away again."""
    desired = resolve(workspace.project, None, workspace.cwd)
    checks = [*_tool(), *_project(workspace, desired), *_schemas(workspace), *_endpoint(workspace)]
    snapshot, found = check_state(workspace, desired)
    checks += [*found, *check_lock(workspace), *check_pipeline(workspace)]
    state = snapshot.state if snapshot else None
    if any(
        check.verdict == "problem" and check.topic in ("key", "base URL", "network", "host")
        for check in checks
    ):
        advice = "fix what is wrong with the key, the base URL, the network or the state, and run this again"
        return Checkup((*checks, note("API", "it was not asked", advice)), None, questions(Answers()))
    answers, told = _asked(workspace, state)
    return Checkup((*checks, *told), _served(workspace, state, answers), questions(answers))


def _tool() -> Iterator[Check]:
    version = platform.python_version()
    if sys.version_info < LOWEST_PYTHON:
        yield wrong("Python", f"this is {version}", "use Python 3.11 or newer")
    else:
        yield ok("Python", f"{version}, defendctl {__version__}")
    missing, there = [], []
    for requirement in _requirements():
        name, least = requirement
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        there.append(f"{name} {installed}")
        if _numbers(installed) < _numbers(least):
            missing.append(f"{name} from {least} on")
    if missing:
        yield wrong("packages", f"missing or too old: {', '.join(missing)}", "install defendctl anew")
    else:
        yield ok("packages", ", ".join(there))


def _requirements() -> Iterator[tuple[str, str]]:
    """Name and lowest version of what we need always; without an installation nothing says it."""
    with suppress(metadata.PackageNotFoundError):
        for line in metadata.requires("defendctl") or ():
            found = re.match(r"([A-Za-z0-9_.-]+)[^;]*?>=\s*([0-9.]+)", line)
            if found and "extra" not in line:
                yield found[1], found[2]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _project(workspace: Workspace, desired: Desired) -> Iterator[Check]:
    """A message for each thing that is wrong with the project file; manifests are counted."""
    project = workspace.project
    if project.file is None and not (workspace.store.exists() or (project.root / "workflows").exists()):
        yield wrong(
            "project", "there is no defendctl.yaml here or in a parent folder", f"run `{command('init')}`"
        )
        return
    if project.environment:
        yield ok("env", project.environment)
    for diagnostic in errors(workspace.problems):
        place = f"{diagnostic.span.file}:{diagnostic.span.line or 1}: " if diagnostic.span else ""
        yield wrong("project", place + diagnostic.message, f"run `{command('validate')}` and correct it")
    if not errors(workspace.problems):
        yield ok("project", str(project.file or "no project file: every key has its default"))
    wrongs = len(errors(desired.diagnostics))
    if wrongs:
        yield wrong(
            "manifests", f"{count(wrongs, 'error')} in them", f"run `{command('validate')}` and correct them"
        )
    else:
        yield ok("manifests", f"{count(len(desired.workflows), 'workflow')} declared")


def _schemas(workspace: Workspace) -> Iterator[Check]:
    """Those that stand where `init` puts them; editors go by them."""
    for kind in _SCHEMAS:
        name = f"schemas/{kind}.schema.json"
        there = _text(workspace.project.root / name)
        if there is None:
            continue  # before any is generated: that takes long
        if there in (schema(kind), schema(kind, workspace.project.custom_metrics)):
            yield ok("schema", f"{name} is up to date with defendctl {__version__}")
        else:
            file = os.path.relpath(workspace.project.root / name, workspace.cwd)
            advice = f"run `{command('schema {} --output {}', kind, file)}`"
            yield wrong("schema", f"{name} is not up to date with defendctl {__version__}", advice)


def _text(path: Path) -> str | None:
    """None where no file stands; empty for one that cannot be read."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _endpoint(workspace: Workspace) -> Iterator[Check]:
    if workspace.settings.sandbox:
        yield ok("base URL", "the embedded sandbox, which needs no key")
        return
    variable = workspace.project.key_variable
    try:
        url = workspace.base_url()
        yield ok("base URL", f"{url} ({_base_url_from(workspace)})")
        yield _network(url)
    except DefendctlError as error:
        advice = error.hint or f"correct it in {_base_url_from(workspace)}"
        yield wrong("base URL", error.message, advice, error.exit_code)
    try:
        api_key(variable)
        yield ok("key", f"{variable} is set")
    except DefendctlError as error:
        advice = f"set {variable} to the key of your organization"
        yield wrong("key", error.message, advice, error.exit_code)


def _network(url: str) -> Check:
    try:
        network = read_network(url)
    except DefendctlError as error:
        return wrong("network", error.message, error.hint or "correct it", error.exit_code)
    way = f"through the proxy {network.proxy}" if network.proxy else "without a proxy"
    return ok("network", way + (f"; trusted: {network.trust.source}" if network.trust else ""))


def _base_url_from(workspace: Workspace) -> str:
    for name in ("DEEP_RAILS_BASE_URL", "DEEPRAILS_BASE_URL"):
        if os.environ.get(name):
            return name
    return "the project file" if workspace.project.base_url else "the default"


def _asked(workspace: Workspace, state: State | None) -> tuple[Answers, list[Check]]:
    bound = sorted(state.bindings.items())[:MOST] if state else []
    reads: list[Seen] = []
    checks: list[Check] = []
    absent = zero = None
    try:
        with workspace.api() as api:
            absent = api.examine(ABSENT, 1)
            checks += [*_key(workspace), *_odd(absent)]
            for address, binding in bound:
                checks += _read(api, address, binding, reads)
            if reads:
                zero = api.examine(next(b.workflow_id for _, b in bound), 0)
    except KeyRefused as error:
        checks.append(
            wrong(
                "key", error.message, f"set {workspace.project.key_variable} to a key of this organization", 3
            )
        )
    except DefendctlError as error:
        advice = error.hint or "check the network, the proxy and the base URL"
        checks.append(wrong("API", error.message, advice, error.exit_code))
    if not bound:
        either_way = f"`{command('apply')}` or `{command('import ADDRESS WORKFLOW_ID')}`"
        advice = f"bind a workflow with {either_way}, and run it again"
        checks.append(note("API", "nothing is bound, so nothing could be read", advice))
    return Answers(tuple(reads), absent, zero), checks


def _key(workspace: Workspace) -> list[Check]:
    where = "the sandbox" if workspace.settings.sandbox else api_host(workspace.base_url())
    return [ok("key", f"{where} accepts it")]


def _odd(absent: Seen) -> list[Check]:
    if absent.status == 404:
        return []
    message = f"a workflow that cannot exist answers {absent.status}, not 404"
    return [note("API", message, "check that the base URL leads to the API and not to something else")]


def _read(api: DefendApi, address: str, binding: Binding, reads: list[Seen]) -> list[Check]:
    seen = api.examine(binding.workflow_id, 1)
    if seen.status == 404:
        advice = (
            f"check key and host; if it is gone: `{command('apply --replace {}', address)}` "
            f"or `{command('state rm {}', address)}`"
        )
        return [wrong("workflow", f"{address}: {binding.workflow_id} answers 404", advice)]
    if seen.error:
        message = f"{address}: the API answered {seen.status} with {seen.error}, which is no workflow"
        return [wrong("workflow", message, "check that the base URL leads to the API")]
    reads.append(seen)
    other = _another(address, binding, seen)
    return [*other, *_not_active(address, seen), *_unknown_capabilities(address, seen)]


def _another(address: str, binding: Binding, seen: Seen) -> Iterator[Check]:
    if seen.workflow_id and seen.workflow_id != binding.workflow_id:
        said = f"{address}: {another_id(binding.workflow_id, seen.workflow_id)}"
        advice = import_command(address, seen.workflow_id, bound=True)
        yield note("workflow", said, advice or "look at it in the console")


def _not_active(address: str, seen: Seen) -> Iterator[Check]:
    if seen.state not in ("active", None):
        yield note("workflow", f"{address}: its status is {seen.state}", "activate it in the console")


def _unknown_capabilities(address: str, seen: Seen) -> Iterator[Check]:
    if seen.capabilities:
        said = f"{address}: it has capabilities that no manifest can declare: {', '.join(seen.capabilities)}"
        yield note("workflow", said, "look at them in the console, or use a newer defendctl that knows them")


def _served(workspace: Workspace, state: State | None, answers: Answers) -> Served | None:
    """None where nothing was read: then nothing is known of this server."""
    if not answers.reads:
        return None
    evidence = {seen.evidence for seen in answers.reads if seen.evidence}
    spoken = generation(workspace.project.generation, evidence, state.generation if state else None)
    support = DIALECTS[spoken].support
    readable = frozenset[str]().union(*(seen.readable for seen in answers.reads))
    names = dict.fromkeys(name for seen in answers.reads for name in seen.names)
    unknown = dict.fromkeys(name for seen in answers.reads for name in seen.unknown)
    return Served(
        read=len(answers.reads),
        evidence=tuple(sorted(evidence)),
        generation=spoken,
        readable=tuple(name for name in FIELDS if name in readable),
        unreadable=tuple(name for name in FIELDS if name not in readable),
        creatable=tuple(name for name in FIELDS if name in support.create),
        updatable=tuple(name for name in FIELDS if name in support.update),
        names=tuple(names),
        unknown=tuple(unknown),
    )
