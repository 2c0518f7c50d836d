"""A list of rules → Rules, or everything that is wrong with them."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic
from defendctl.model import METRICS
from defendctl.policy.rules import CHECKS, FLAG_RATE_CHECK, FlagRate, Rule, Selector
from defendctl.schema import models_policy
from defendctl.schema.checks import Fault, unknown_metrics
from defendctl.schema.problems import check, known_keys
from defendctl.schema.texts import OFF, ONE_CHECK
from defendctl.yamltext.quote import found, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from defendctl.policy.rules import Policy
    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


def rules(
    entries: Any, at: KeyPath, custom_metrics: Collection[str], document: Document, report: Report
) -> Iterator[Rule]:
    """Each rule of the list at `at` that is right."""
    metrics = dict.fromkeys((*METRICS, *custom_metrics))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        place = (*at, index)
        model = check(models_policy.RuleEntry, entry, place, document, report)
        sound = not isinstance(entry, dict) or (
            _sound(entry, place, metrics, document, report) and _flag_rate(entry, place, document, report)
        )
        if model is not None and sound:
            yield _rule(model, entry, document, place)


def _sound(
    entry: dict[str, Any], at: KeyPath, metrics: Collection[str], document: Document, report: Report
) -> bool:
    """What the model does not say: whether all of it holds."""
    faults = list(
        chain(_id(entry), _one_check(entry), _switches(entry), _metrics(entry, metrics), _empty(entry))
    )
    for path, code, message in faults:
        report.error(code, message, document.span((*at, *path), key=True))
    return not faults


def _id(entry: dict[str, Any]) -> Iterator[Fault]:
    value = entry.get("id")
    if isinstance(value, str) and not re.fullmatch(models_policy.RULE_ID, value):
        message = (
            f"`id` must be a word like `no-loosening` (a lowercase letter first, then lowercase letters, "
            f"digits, dots, dashes and underscores, 63 at most), found {found(value)}."
        )
        yield ("id",), "invalid-value", message


def _one_check(entry: dict[str, Any]) -> Iterator[Fault]:
    given = [key for key in entry if key in CHECKS]
    if not given and entry.keys() <= set(
        known_keys(models_policy.RuleEntry)
    ):  # or a check is misspelt, and told
        yield (), "missing-key", f"{ONE_CHECK}; this one has none."
    for key in given[1:]:
        yield (
            (key,),
            "conflicting-keys",
            f"A rule holds exactly one check, and `{given[0]}` is one; split it.",
        )


def _switches(entry: dict[str, Any]) -> Iterator[Fault]:
    for key in ("no_loosening", "no_indeterminate", "no_retire"):
        if entry.get(key) is False:
            yield (key,), "invalid-value", f"`{key}` {OFF}"


def _metrics(entry: dict[str, Any], metrics: Collection[str]) -> Iterator[Fault]:
    for key in ("min_threshold", "require_metrics"):
        yield from unknown_metrics(entry, key, metrics)


def _empty(entry: dict[str, Any]) -> Iterator[Fault]:
    for key in ("capabilities", "select"):
        if entry.get(key) == {}:
            yield (key,), "invalid-value", f"`{key}` is empty; say what is meant, or leave it out."


def _flag_rate(entry: dict[str, Any], at: KeyPath, document: Document, report: Report) -> bool:
    """Whether it is one of the two forms that there are, if it is there."""
    given = entry.get(FLAG_RATE_CHECK, 0)
    if isinstance(given, dict):
        return check(models_policy.ExactRate, given, (*at, FLAG_RATE_CHECK), document, report) is not None
    return check(models_policy.PlainRate, {FLAG_RATE_CHECK: given}, at, document, report) is not None


def _rule(model: models_policy.RuleEntry, entry: dict[str, Any], document: Document, at: KeyPath) -> Rule:
    check = next(key for key in CHECKS if key in entry)
    limit = getattr(model, check)
    if check == FLAG_RATE_CHECK and isinstance(limit, dict):
        limit = FlagRate(**limit)
    if check == "capabilities":
        limit = {name: getattr(limit, name) for name in sorted(limit.model_fields_set)}
    select = model.select
    named = tuple(select.addresses) if "addresses" in select.model_fields_set else ()
    selector = Selector(named, dict(select.labels))
    return Rule(model.id, model.level, check, limit, model.message, selector, document.span((*at, "id")))


def repeated_ids(given: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
    """Each rule whose id stands before, and what to say of it."""
    first: dict[str, Rule] = {}
    for rule in given:
        other = first.setdefault(rule.id, rule)
        if other is not rule and other.span:
            yield (
                rule,
                f"The rule {quoted(rule.id)} is defined already in {other.span.file}:{other.span.line}.",
            )


def idle_rules(
    given: Iterable[Rule], labels: Mapping[str, Mapping[str, str]], addresses: Collection[str]
) -> Iterator[Diagnostic]:
    """A warning for each that selects nothing: a misspelt selector is a rule that is off."""
    for rule in given:
        if addresses and not any(rule.select.holds(a, labels.get(a, {})) for a in addresses):
            message = f"The rule {quoted(rule.id)} selects none of the workflows that are declared."
            yield Diagnostic("warning", "idle-rule", message, rule.span)


def unprovable_rules(policy: Policy) -> Iterator[Diagnostic]:
    """An error for each that no sample of so few events as are read could keep."""
    for rule in policy.rules:
        if isinstance(rule.limit, FlagRate) and rule.limit.needs > policy.sample.last:
            message = (
                f"A flag rate of {rule.limit.rate:g} takes {rule.limit.needs} events to be proven with a "
                f"confidence of {rule.limit.confidence:g}, and only {policy.sample.last} are read "
                f"(`policy.replay.last`), so that nothing could keep this rule: raise `last`."
            )
            yield Diagnostic("error", "out-of-range", message, rule.span)
