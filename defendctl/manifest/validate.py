"""A document → its workflows, or everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import suggest
from defendctl.manifest import models, past
from defendctl.manifest.defaults import check_defaults, filled
from defendctl.manifest.file_search import named_files
from defendctl.manifest.places import placed
from defendctl.manifest.problems import check
from defendctl.manifest.texts import ADDRESS_RULE, BOTH_NAMES
from defendctl.manifest.words import kind_of, quoted
from defendctl.model import ADDRESS, METRICS, Workflow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.manifest.file_search import Named
    from defendctl.manifest.loader import Document
    from defendctl.manifest.overlays import Overlays
    from defendctl.manifest.places import Placed
    from defendctl.manifest.report import Report

Path = tuple[str | int, ...]

_LABEL = (
    "letters, digits, `.`, `_` and `-`, a letter or digit first and last, 63 at most "
    "(a name may have a prefix like `example.com/`)"
)

_OWN_METRICS = " An organization's own metrics go into `custom_metrics` of defendctl.yaml."
_A_MANIFEST = "A manifest holds `version: 1` and `workflows:` with a mapping of addresses to workflows"


@dataclass(frozen=True, slots=True)
class Declared:
    """An address where it stands; the workflow is None if anything is wrong with it."""

    address: str
    span: Span
    workflow: Workflow | None
    placed: Placed
    labels: Mapping[str, str]
    renamed_from: str = ""
    imports: str = ""
    """The id of a workflow that is to be bound here."""
    files: Sequence[Named] = ()


def validate(
    document: Document, custom_metrics: Collection[str], report: Report, overlays: Overlays | None = None
) -> Iterator[tuple[Document, Declared]]:
    """Each address that the document declares, and in the report everything that is wrong with it.

    With it the document in which it stands whole: this one, or one with `defaults:` and overlays in it.
    """
    if not is_manifest(document.data):
        message = f"{_A_MANIFEST}, found {something_else(document.data)}."
        report.error("not-a-manifest", message, document.span(()))
        return
    data = without_extensions(document.data)
    check(models.Manifest, data, (), document, report)
    metrics = known_metrics(custom_metrics)
    if "defaults" in data:
        check_defaults(document, metrics, report)
    workflows = data.get("workflows")
    for address in workflows if isinstance(workflows, dict) else ():
        whole = filled(document, address, report) if "defaults" in data else document
        laid = overlays.over(whole, address, report) if overlays else whole
        if laid is not None:
            yield laid, declared(address, laid, metrics, report)


def known_metrics(custom_metrics: Collection[str]) -> Collection[str]:
    return dict.fromkeys((*METRICS, *custom_metrics))


def without_extensions(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not key.startswith("x-")}


def is_manifest(data: Any) -> bool:
    """Whether it was meant as one: then its faults are told one by one."""
    return is_meant_as(data, ("workflows",), also=("waivers", "defaults"))


def is_meant_as(data: Any, telling: Collection[str], also: Collection[str] = ()) -> bool:
    """Whether a file was meant to be ours: by a key that tells, also misspelt. Of another file nothing is
    quoted, not even a key."""
    if not isinstance(data, dict):
        return False
    keys = [key for key in without_extensions(data) if key != "$schema"]
    if keys == ["version"] or not {*telling, *also}.isdisjoint(keys):
        return True
    return any(get_close_matches(word, keys[:20], cutoff=0.75) for word in telling)


def declared(address: str, document: Document, metrics: Collection[str], report: Report) -> Declared:
    """An address that stands in the document."""
    at: Path = ("workflows", address)
    body = document.data["workflows"][address]
    span = document.span(at, key=True)
    valid = ADDRESS.fullmatch(address) is not None
    if not valid:
        report.error("invalid-address", _invalid(address), span)
    model = check(_model(body), body, at, document, report)
    sound = not isinstance(body, dict) or rules_hold(body, at, metrics, document, report)
    workflow = canonical(address, model) if valid and sound and model is not None else None
    files, known = named_files(body, at, document, report)
    workflow = workflow if known else None
    declared = Declared(address, span, workflow, placed(address, document), {}, files=files)
    if model is None:
        return declared
    imports = model.import_.workflow_id if "import_" in model.model_fields_set else ""
    return replace(declared, labels=model.labels, renamed_from=model.renamed_from, imports=imports)


def something_else(data: Any) -> str:
    """What a document is that was not meant as one of ours."""
    return "a mapping with other keys" if isinstance(data, dict) and data else kind_of(data)


def _invalid(address: str) -> str:
    near = re.sub("[^a-z0-9._-]+", "-", address[:63].lower()).strip("._-")
    named = quoted(address, "This")
    hint = f" Try `{near}`." if ADDRESS.fullmatch(near) and address in named else ""
    return f"{named} cannot be an address: {ADDRESS_RULE}.{hint}"


def _model(body: Any) -> type[models.Workflow]:
    kind = body.get("type") if isinstance(body, dict) else None
    if kind == "custom":
        return models.Custom
    if kind == "automatic":
        return models.AutomaticLevels if isinstance(body.get("metrics"), dict) else models.AutomaticList
    return models.Untyped


def rules_hold(
    body: dict[str, Any], at: Path, metrics: Collection[str], document: Document, report: Report
) -> bool:
    """What no model says: whether all of it holds."""
    sound = True
    repeats = repeated(body, ("metrics", "file_search", "unmanaged"))
    unknown = unknown_metrics(body, "metrics", metrics)
    for path, code, message in chain(
        _both_names(body), repeats, unknown, _labels(body), past.of_one(str(at[-1]), body)
    ):
        report.error(code, message, document.span((*at, *path), key=True))
        sound = False
    return sound


Fault = tuple[Path, str, str]


def _both_names(body: dict[str, Any]) -> Iterator[Fault]:
    if {"max_retries", "max_improvement_attempts"} <= body.keys():
        yield ("max_improvement_attempts",), "conflicting-keys", BOTH_NAMES


def repeated(body: dict[str, Any], fields: tuple[str, ...]) -> Iterator[Fault]:
    """Each item that stands in one of these lists before."""
    for field in fields:
        items = body.get(field)
        seen: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, str) and item in seen:
                yield (field, index), "duplicate-item", f"{quoted(item)} stands twice in `{field}`."
            elif isinstance(item, str):
                seen.add(item)


def unknown_metrics(body: dict[str, Any], field: str, metrics: Collection[str]) -> Iterator[Fault]:
    """Each name of a metric, in a list or as a key, that is none."""
    given = body.get(field)
    places = given.items() if isinstance(given, dict) else enumerate(given if isinstance(given, list) else ())
    for place, item in places:
        name = place if isinstance(given, dict) else item
        if isinstance(name, str) and name not in metrics:
            hint = suggest(name, islice(metrics, 100)) or _OWN_METRICS
            yield (field, place), "unknown-metric", f"{quoted(name)} is not a metric.{hint}"


def _labels(body: dict[str, Any]) -> Iterator[Fault]:
    given = body.get("labels")
    labels = given if isinstance(given, dict) else {}
    if len(labels) > models.MAX_LABELS:
        message = f"A workflow has {models.MAX_LABELS} labels at most, found {len(labels)}."
        yield ("labels",), "too-many-items", message
    for name, value in labels.items():
        if not re.fullmatch(models.LABEL_KEY, name):
            yield (
                ("labels", name),
                "invalid-label",
                f"{quoted(name)} cannot be the name of a label: {_LABEL}.",
            )
        if isinstance(value, str) and not re.fullmatch(models.LABEL_VALUE, value):
            message = f"{quoted(value)} cannot be the value of a label: {_LABEL}."
            yield ("labels", name), "invalid-label", message


def canonical(address: str, model: models.Workflow) -> Workflow:
    """The one shape everything after this works with, but for the files that are still to be read."""
    old_name = "max_improvement_attempts" in model.model_fields_set
    return Workflow(
        name=model.name or address,
        type=model.type,
        metrics=_canonical_metrics(model),
        improvement_action=model.improvement_action,
        description=model.description,
        max_retries=model.max_improvement_attempts if old_name else model.max_retries,
        web_search=model.web_search,
        context_awareness=model.context_awareness,
        file_search=tuple(sorted(item for item in model.file_search if isinstance(item, str))),
        unmanaged=frozenset(model.unmanaged),
    )


def _canonical_metrics(model: models.Workflow) -> dict[str, float | str]:
    if isinstance(model, models.AutomaticList):
        return dict.fromkeys(sorted(model.metrics), model.tolerance)
    return dict(sorted(model.metrics.items()))
