"""`environments:` of the project file → the project as it is in each of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defendctl.project.project import DEFAULT_STATE, default_state
from defendctl.project.sections import check_sample, check_section, policy_rules
from defendctl.project.states import state_place
from defendctl.schema import models_project
from defendctl.schema.checks import is_environment
from defendctl.schema.problems import check
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from defendctl.project.project import Project
    from defendctl.yamltext.node import Document
    from defendctl.yamltext.report import Report


KEY = "environments"
_A_NAME = "small letters and digits, a letter first, parts of it joined by one `-`, 32 characters at most"


def environments(
    data: dict[str, Any], base: Project, document: Document, report: Report
) -> dict[str, Project]:
    """Of each that is named rightly; what is wrong with one is left at its default and told."""
    section = data[KEY] if isinstance(data[KEY], dict) else {}
    _refuse_common_state(data, document, report)
    made = {
        name: _environment(name, section[name], base, document, report)
        for name in section
        if _is_name(name, document, report)
    }
    _refuse_shared(made, section, document, report)
    overlays = {name: one.overlays for name, one in made.items()}
    return {
        name: replace(
            one,
            other_overlays=tuple(e for other, of in overlays.items() if other != name for e in of),
        )
        for name, one in made.items()
    }


def _is_name(name: str, document: Document, report: Report) -> bool:
    valid = is_environment(name)
    if not valid:
        message = f"{quoted(name)} cannot be the name of an environment: {_A_NAME}."
        report.error("invalid-value", message, document.span((KEY, name), key=True))
    return valid


def _refuse_common_state(data: dict[str, Any], document: Document, report: Report) -> None:
    if "state" in data:
        message = (
            "With `environments` each has a state of its own: move `state` into the environment whose "
            f"workflows it holds{_and_path(data['state'])}, or they are created a second time."
        )
        report.error("conflicting-keys", message, document.span(("state",), key=True))


def _and_path(state: Any) -> str:
    """What a file of the default name is by default, it is not in an environment."""
    elsewhere = isinstance(state, dict) and ("path" in state or "url" in state)
    return "" if elsewhere else f", with `path: {DEFAULT_STATE}`"


def _environment(name: str, body: Any, base: Project, document: Document, report: Report) -> Project:
    at = (KEY, name)
    data = {} if body is None else body  # `staging:` and nothing else
    model = check(models_project.Environment, data, at, document, report) or models_project.Environment()
    rules: tuple[Any, ...] = ()
    if isinstance(data, dict):
        check_section(data, at, document, report)
        rules = policy_rules(data, at, base.custom_metrics, document, report)
    policy, api = model.policy, model.api
    includes = tuple(policy.include)
    said = policy.replay.model_fields_set
    sample = replace(base.sample, **policy.replay.model_dump(include=said))
    check_sample(sample, data if said else document.data, at if said else (), document, report)
    return replace(
        base,
        environment=name,
        state_path=Path(os.path.normpath(base.root / (model.state.path or default_state(name)))),
        lineage=model.state.lineage or None,
        base_url=api.base_url or base.base_url,
        own_url=bool(api.base_url),
        generation=api.generation if "generation" in api.model_fields_set else base.generation,
        key_variable=api.key_variable if "key_variable" in api.model_fields_set else base.key_variable,
        uploads=api.uploads if "uploads" in api.model_fields_set else base.uploads,
        place=state_place(model.state.url, model.state.options),
        rules=(*base.rules, *rules),
        includes=(*base.includes, *includes),
        include_spans=(
            *base.include_spans,
            *(document.span((*at, "policy", "include", i)) for i in range(len(includes))),
        ),
        sample=sample,
        overlays=tuple(model.overlays),
        overlay_spans=tuple(document.span((*at, "overlays", i)) for i in range(len(model.overlays))),
    )


def _where(one: Project) -> tuple[str, str, str]:
    """What no other may have, the key that says it, and what it is called.

    Links are followed; a name that no system takes is told elsewhere.
    """
    if one.place:
        return one.place.name, "url", "state"
    path = one.state_path
    return os.path.realpath(path) if str(path).isprintable() else str(path), "path", "state file"


def _refuse_shared(
    made: dict[str, Project], section: dict[str, Any], document: Document, report: Report
) -> None:
    """A state of two environments would give the one the ids of the other."""
    paths: dict[str, str] = {}
    lineages: dict[str, str] = {}
    for name, one in made.items():
        where, key, what = _where(one)
        first = paths.setdefault(where, name)
        if first != name:
            message = f"`{name}` has the same {what} as `{first}`; each environment needs one of its own."
            report.error("shared-state", message, document.span((KEY, name, "state", key)))
        first = lineages.setdefault(one.lineage, name) if one.lineage else name
        if first != name:
            message = f"`{name}` has the same lineage as `{first}`: each state has one of its own."
            report.error("shared-state", message, document.span((KEY, name, "state", "lineage")))
