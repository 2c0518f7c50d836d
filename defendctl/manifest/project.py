"""The project file, `defendctl.yaml`."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span, in_order
from defendctl.manifest.loader import Document, load
from defendctl.manifest.report import Report
from defendctl.manifest.url import base_url_problem
from defendctl.manifest.words import shown
from defendctl.plan.replay import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.manifest.models import LintLevel, ProjectFile
    from defendctl.policy.rules import Rule

Path_ = tuple[str | int, ...]

FILE_NAME = "defendctl.yaml"
DEFAULT_MANIFESTS = ("workflows",)
DEFAULT_STATE = "defendctl.state.json"
KEY_VARIABLE = "DEEPRAILS_API_KEY"
KEY_VARIABLES = r"DEEPRAILS_[A-Z0-9_]{1,90}"
"""No other variable is ever sent: a file of the repository must not choose among all there are. Capitals
only: a key that somebody puts here by mistake has small letters, and is refused."""
BAD_VARIABLE = (
    "`api.key_variable` must be the name of an environment variable that begins with `DEEPRAILS_`, in "
    f"capitals, like `{KEY_VARIABLE}_STAGING`, and never the key itself."
)


@dataclass(frozen=True, slots=True)
class Project:
    """Where things are. Without a project file every value is its default and `file` is None."""

    root: Path
    file: Path | None
    state_path: Path
    manifests: tuple[str, ...] = DEFAULT_MANIFESTS
    base_url: str | None = None
    generation: str = "auto"
    lineage: str | None = None
    custom_metrics: tuple[str, ...] = ()
    lint: Mapping[str, LintLevel] = field(default_factory=dict)
    """Code → how grave it is."""
    spans: tuple[Span, ...] = ()
    """Where each of `manifests` stands; empty if the file does not say them."""
    tests: tuple[str, ...] = ()
    test_spans: tuple[Span, ...] = ()
    rules: tuple[Rule, ...] = ()
    includes: tuple[str, ...] = ()
    include_spans: tuple[Span, ...] = ()
    sample: Sample = field(default_factory=Sample)
    """The events that rules of the policy are judged on."""
    key_variable: str = KEY_VARIABLE
    """The name of the environment variable that holds the key."""
    environment: str | None = None
    environments: Mapping[str, Project] = field(default_factory=dict)
    """Of a project that has any: the project as it is in each of them."""
    own_url: bool = False
    """Whether the environment itself says `base_url`: then no variable may send its key elsewhere."""
    overlays: tuple[str, ...] = ()
    overlay_spans: tuple[Span, ...] = ()
    other_overlays: tuple[str, ...] = ()
    """Those of the other environments, which are no manifests either."""
    uploads: bool = False
    """Whether files of the repository may be uploaded."""


def is_key_variable(name: str) -> bool:
    return re.fullmatch(KEY_VARIABLES, name) is not None


def find_project(start: Path) -> Path | None:
    """`defendctl.yaml` in a folder or the nearest of its parents."""
    folder = start.absolute()
    for candidate in (folder, *folder.parents):
        if _may_be_file(candidate / FILE_NAME):
            return candidate / FILE_NAME
    return None


def _may_be_file(path: Path) -> bool:
    """Also where the disk does not say: whoever reads it is told why. Closed folders are passed over."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    except OSError:
        return True


def load_project(file: Path | None, start: Path) -> tuple[Project, list[Diagnostic]]:
    """The project of `file`, or of the one found from `start` upwards, or the defaults with `start` as root.

    Always gives a Project, with defaults for what is wrong: ask the diagnostics before using it.
    """
    file = start.absolute() / file if file else find_project(start)
    if file is None:
        return _default(start.absolute(), None), []
    name = shown(file, start.absolute())
    documents, loaded = load(file, name)
    report = Report(name, loaded)
    if not loaded and len(documents) != 1:
        span = documents[1].span(()) if documents else Span(name, 1, 1)
        report.error("not-a-project", "A project file holds exactly one document, with `version: 1`.", span)
    project = _default(file.parent, file)
    with report.stopping():
        project = _project(file, documents[0], report) if documents else project
    return project, in_order([*loaded, *report.diagnostics])


def _default(root: Path, file: Path | None) -> Project:
    return Project(root, file, root / DEFAULT_STATE)


def _project(file: Path, document: Document, report: Report) -> Project:
    from defendctl.manifest.models import ProjectFile
    from defendctl.manifest.problems import check
    from defendctl.manifest.validate import is_meant_as, something_else, without_extensions

    data = document.data
    if not is_meant_as(data, ProjectFile.model_fields.keys() - {"schema_", "version"}):
        message = f"A project file is a mapping with `version: 1`, found {something_else(data)}."
        report.error("not-a-project", message, document.span(()))
        return _default(file.parent, file)
    keys = without_extensions(data)
    model = check(ProjectFile, keys, (), document, report) or _sound_part(keys)
    check_section(data, (), document, report)
    base = replace(
        _built(file, model, document), rules=policy_rules(data, (), model.custom_metrics, document, report)
    )
    if "environments" not in data:
        check_sample(base.sample, data, (), document, report)
        return base
    from defendctl.manifest.environments import environments

    return replace(base, environments=environments(data, base, document, report))


def _sound_part(keys: dict[str, Any]) -> ProjectFile:
    """What is right in a file that is not, so that the manifests it names are checked in the same run."""
    from pydantic import ValidationError

    from defendctl.manifest.models import ProjectFile

    sound: dict[str, Any] = {"version": 1}
    for key in keys.keys() & ProjectFile.model_fields.keys():
        with suppress(ValidationError):
            ProjectFile.model_validate({**sound, key: keys[key]})
            sound[key] = keys[key]
    return ProjectFile.model_validate(sound)


def check_section(data: dict[str, Any], at: Path_, document: Document, report: Report) -> None:
    """What no model says of the top of the file, or of one environment at `at`."""
    from defendctl.manifest.validate import repeated

    api = data.get("api")
    url = api.get("base_url") if isinstance(api, dict) else None
    problem = base_url_problem(url) if isinstance(url, str) and url.strip() else None
    if problem:
        report.error("invalid-value", f"`api.base_url` {problem}.", document.span((*at, "api", "base_url")))
    variable = api.get("key_variable") if isinstance(api, dict) else None
    if isinstance(variable, str) and not is_key_variable(variable):
        report.error("invalid-value", BAD_VARIABLE, document.span((*at, "api", "key_variable")))
    _check_paths(data, at, document, report)
    for path, code, message in repeated(data, ("manifests", "tests", "custom_metrics", "overlays")):
        report.error(code, message, document.span((*at, *path)))
    policy = data.get("policy")
    for path, code, message in repeated(policy if isinstance(policy, dict) else {}, ("include",)):
        report.error(code, message, document.span((*at, "policy", *path)))


def check_sample(sample: Sample, data: dict[str, Any], at: Path_, document: Document, report: Report) -> None:
    """Of the file, or of one environment at `at` that says something of it."""
    policy = data.get("policy")
    said = policy.get("replay") if isinstance(policy, dict) else None
    if sample.last >= sample.min_events or not isinstance(said, dict):
        return
    key = "last" if "last" in said else "min_events"
    message = (
        f"Of {sample.last} events (`last`) no flag rate is ever judged that needs {sample.min_events} "
        "(`min_events`): raise `last`, or lower `min_events`."
    )
    report.error("out-of-range", message, document.span((*at, "policy", "replay", key)))


def policy_rules(
    data: dict[str, Any], at: Path_, custom_metrics: Sequence[str], document: Document, report: Report
) -> tuple[Rule, ...]:
    """Those of the project file itself; the files that it names are read with the manifests."""
    policy = data.get("policy")
    if not isinstance(policy, dict) or "rules" not in policy:
        return ()
    from defendctl.manifest.rules import rules

    return tuple(rules(policy["rules"], (*at, "policy", "rules"), custom_metrics, document, report))


def _check_paths(data: dict[str, Any], at: Path_, document: Document, report: Report) -> None:
    """No system takes a NUL in a name, and nobody means another control character."""
    state, policy = data.get("state"), data.get("policy")
    paths: dict[Path_, Any] = {
        ("state", key): state.get(key) for key in ("path", "lineage") if isinstance(state, dict)
    }
    for where, section in (((), data), (("policy",), policy if isinstance(policy, dict) else {})):
        for key in ("manifests", "tests", "overlays", "include"):
            entries = section.get(key)
            items = enumerate(entries if isinstance(entries, list) else ())
            paths |= {(*where, key, i): entry for i, entry in items}
    for path, value in paths.items():
        if isinstance(value, str) and not value.isprintable():
            names = ".".join(str(step) for step in path if isinstance(step, str))
            name = f"`{names}`" if path[0] == "state" else f"An item of `{names}`"
            message = f"{name} must not hold control or invisible characters."
            report.error("invalid-value", message, document.span((*at, *path)))


def _built(file: Path, model: ProjectFile, document: Document) -> Project:
    given = "manifests" in model.model_fields_set
    return Project(
        root=file.parent,
        file=file,
        state_path=Path(os.path.normpath(file.parent / model.state.path)),
        manifests=tuple(model.manifests),
        base_url=model.api.base_url or None,
        generation=model.api.generation,
        lineage=model.state.lineage or None,
        custom_metrics=tuple(model.custom_metrics),
        lint=model.lint.model_dump(by_alias=True, exclude_unset=True),
        spans=tuple(document.span(("manifests", i)) for i in range(len(model.manifests))) if given else (),
        tests=tuple(model.tests),
        test_spans=tuple(document.span(("tests", i)) for i in range(len(model.tests))),
        includes=tuple(model.policy.include),
        include_spans=tuple(
            document.span(("policy", "include", i)) for i in range(len(model.policy.include))
        ),
        sample=Sample(model.policy.replay.last, model.policy.replay.min_events),
        key_variable=model.api.key_variable,
        uploads=model.api.uploads,
    )
