"""The project file, `defendctl.yaml`."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span, in_order
from defendctl.project.project import DEFAULT_STATE, FILE_NAME, Project
from defendctl.project.sections import check_sample, check_section, policy_rules
from defendctl.project.state_path import check_state_path
from defendctl.project.states import state_place
from defendctl.replay.sample import Sample
from defendctl.schema.checks import is_meant_as, something_else, without_extensions
from defendctl.yamltext.loader import load
from defendctl.yamltext.report import Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from defendctl.schema.models_project import ProjectFile
    from defendctl.yamltext.node import Document


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
    from defendctl.schema.models_project import ProjectFile
    from defendctl.schema.problems import check

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
        check_state_path(base, report)
        return base
    from defendctl.project.environments import KEY, environments

    made = {
        name: replace(one, state_span=document.span((KEY, name, "state", "path")))
        for name, one in environments(data, base, document, report).items()
    }
    for one in made.values():
        check_state_path(one, report)
    return replace(base, environments=made)


def _sound_part(keys: dict[str, Any]) -> ProjectFile:
    """What is right in a file that is not, so that the manifests it names are checked in the same run."""
    from pydantic import ValidationError

    from defendctl.schema.models_project import ProjectFile

    sound: dict[str, Any] = {"version": 1}
    for key in keys.keys() & ProjectFile.model_fields.keys():
        with suppress(ValidationError):
            ProjectFile.model_validate({**sound, key: keys[key]})
            sound[key] = keys[key]
    return ProjectFile.model_validate(sound)


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
        state_span=document.span(("state", "path")),
        spans=tuple(document.span(("manifests", i)) for i in range(len(model.manifests))) if given else (),
        tests=tuple(model.tests),
        test_spans=tuple(document.span(("tests", i)) for i in range(len(model.tests))),
        labels=tuple(model.labels),
        label_spans=tuple(document.span(("labels", i)) for i in range(len(model.labels))),
        includes=tuple(model.policy.include),
        include_spans=tuple(
            document.span(("policy", "include", i)) for i in range(len(model.policy.include))
        ),
        sample=Sample(model.policy.replay.last, model.policy.replay.min_events),
        key_variable=model.api.key_variable,
        uploads=model.api.uploads,
        place=state_place(model.state.url, model.state.options),
    )
