"""The rules of the project file and of the files that it names → one Policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span
from defendctl.policy.rules import Policy
from defendctl.project.entries import list_files, own_file
from defendctl.schema.checks import is_meant_as, something_else, without_extensions
from defendctl.yamltext.loader import load
from defendctl.yamltext.report import Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from defendctl.policy.rules import Rule
    from defendctl.project.entries import Listing
    from defendctl.project.project import Project
    from defendctl.yamltext.node import Document


_A_POLICY = "A policy file holds one document, `version: 1` and `rules:` with a list of rules"


def list_policies(project: Project, cwd: Path) -> Listing:
    """The files that `policy.include` names."""
    named = zip(project.includes, project.include_spans, strict=True)
    return list_files(project, cwd, "policy file", named, own_file(project))


def read_policy(project: Project, files: Iterable[Path], cwd: Path) -> tuple[Policy, list[Diagnostic]]:
    """What is right of the rules, and what is wrong with the others."""
    from defendctl.project.rule_checks import repeated_ids

    read = [_read(file, shown(file, cwd), project.custom_metrics) for file in files]
    rules = (*project.rules, *(rule for some, _ in read for rule in some))
    problems = [problem for _, some in read for problem in some]
    for rule, message in repeated_ids(rules) if rules else ():
        problems.append(Diagnostic("error", "duplicate-rule", message, rule.span))
    return Policy(rules, project.sample), problems


def _read(file: Path, name: str, custom_metrics: tuple[str, ...]) -> tuple[list[Rule], list[Diagnostic]]:
    """The rules of one file."""
    documents, loaded = load(file, name)
    report = Report(name, loaded)
    rules: list[Rule] = []
    with report.stopping():
        if loaded or len(documents) == 1:
            for document in documents:
                rules.extend(_rules(document, custom_metrics, report))
        else:
            span = documents[1].span(()) if documents else Span(name, 1, 1)
            report.error("not-a-policy", f"{_A_POLICY}.", span)
    return rules, [*loaded, *report.diagnostics]


def _rules(document: Document, custom_metrics: tuple[str, ...], report: Report) -> Iterator[Rule]:
    from defendctl.project.rule_checks import rules
    from defendctl.schema import models_policy
    from defendctl.schema.problems import check

    data: Any = document.data
    if not is_meant_as(data, ("rules",)):
        report.error("not-a-policy", f"{_A_POLICY}, found {something_else(data)}.", document.span(()))
        return
    check(models_policy.PolicyFile, without_extensions(data), (), document, report)
    yield from rules(data.get("rules"), ("rules",), custom_metrics, document, report)
