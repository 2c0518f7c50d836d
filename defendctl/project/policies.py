"""The rules of the project file and of the files that it names → one Policy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span
from defendctl.policy.rules import Policy
from defendctl.project.entries import Entries, unique
from defendctl.schema.checks import is_meant_as, something_else, without_extensions
from defendctl.yamltext.loader import load
from defendctl.yamltext.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from defendctl.policy.rules import Rule
    from defendctl.project.project import Project
    from defendctl.yamltext.node import Document


_A_POLICY = "A policy file holds one document, `version: 1` and `rules:` with a list of rules"


class Policies:
    """One reading of them; gathers what is wrong. Without an `include` nothing is read."""

    def __init__(self, project: Project, cwd: Path) -> None:
        own = {os.path.realpath(project.file)} if project.file else set()
        self._project = project
        self._entries = Entries(project.root, cwd, "policy file", own)
        includes = zip(project.includes, project.include_spans, strict=True)
        self.files = unique(file for entry, span in includes for file in self._entries.entry(entry, span))
        self._found: list[Diagnostic] = []

    @property
    def real_files(self) -> set[str]:
        """What a folder of manifests may hold besides manifests."""
        return {os.path.realpath(file) for file in self.files}

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return [*self._entries.diagnostics, *self._found]

    def read(self) -> Policy:
        """What is right of them, with the rest in the diagnostics."""
        from defendctl.project.rule_checks import repeated_ids

        given = [*self._project.rules, *(rule for file in self.files for rule in self._of(file))]
        for rule, message in repeated_ids(given) if given else ():
            self._found.append(Diagnostic("error", "duplicate-rule", message, rule.span))
        return Policy(tuple(given), self._project.sample)

    def _of(self, file: Path) -> Iterator[Rule]:
        name = self._entries.shown(file)
        documents, loaded = load(file, name)
        report = Report(name, loaded)
        with report.stopping():
            if loaded or len(documents) == 1:
                for document in documents:
                    yield from _rules(document, self._project.custom_metrics, report)
            else:
                span = documents[1].span(()) if documents else Span(name, 1, 1)
                report.error("not-a-policy", f"{_A_POLICY}.", span)
        self._found += [*loaded, *report.diagnostics]


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
