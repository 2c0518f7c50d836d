"""The sections of the project file: each checked by its model, with the place of what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.project.project import KEY_VARIABLE
from defendctl.project.states import state_faults
from defendctl.project.url import base_url_problem
from defendctl.schema.checks import is_key_variable, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.policy.rules import Rule
    from defendctl.replay.sample import Sample
    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


BAD_VARIABLE = (
    "`api.key_variable` must be the name of an environment variable that begins with `DEEPRAILS_`, in "
    f"capitals, like `{KEY_VARIABLE}_STAGING`, and never the key itself."
)


def check_section(data: dict[str, Any], at: KeyPath, document: Document, report: Report) -> None:
    """What no model says of the top of the file, or of one environment at `at`."""
    api = data.get("api")
    url = api.get("base_url") if isinstance(api, dict) else None
    problem = base_url_problem(url) if isinstance(url, str) and url.strip() else None
    if problem:
        report.error("invalid-value", f"`api.base_url` {problem}.", document.span((*at, "api", "base_url")))
    variable = api.get("key_variable") if isinstance(api, dict) else None
    if isinstance(variable, str) and not is_key_variable(variable):
        report.error("invalid-value", BAD_VARIABLE, document.span((*at, "api", "key_variable")))
    _check_paths(data, at, document, report)
    for path, code, message in state_faults(data.get("state")):
        report.error(code, message, document.span((*at, "state", *path), key=code == "conflicting-keys"))
    for path, code, message in repeated(data, ("manifests", "tests", "labels", "custom_metrics", "overlays")):
        report.error(code, message, document.span((*at, *path)))
    policy = data.get("policy")
    for path, code, message in repeated(policy if isinstance(policy, dict) else {}, ("include",)):
        report.error(code, message, document.span((*at, "policy", *path)))


def check_sample(
    sample: Sample, data: dict[str, Any], at: KeyPath, document: Document, report: Report
) -> None:
    """Of the file, or of one environment at `at` that says something of it."""
    policy = data.get("policy")
    said = policy.get("replay") if isinstance(policy, dict) else None
    if sample.last >= sample.min_events or not isinstance(said, dict):
        return
    key = "last" if "last" in said else "min_events"
    message = (
        f"A flag rate needs {sample.min_events} events (`min_events`), and only {sample.last} are read "
        "(`last`), so it is never judged: raise `last`, or lower `min_events`."
    )
    report.error("out-of-range", message, document.span((*at, "policy", "replay", key)))


def policy_rules(
    data: dict[str, Any], at: KeyPath, custom_metrics: Sequence[str], document: Document, report: Report
) -> tuple[Rule, ...]:
    """Those of the project file itself; the files that it names are read with the manifests."""
    policy = data.get("policy")
    if not isinstance(policy, dict) or "rules" not in policy:
        return ()
    from defendctl.project.rule_checks import rules

    return tuple(rules(policy["rules"], (*at, "policy", "rules"), custom_metrics, document, report))


def _check_paths(data: dict[str, Any], at: KeyPath, document: Document, report: Report) -> None:
    """No system takes a NUL in a name, and nobody means another control character."""
    state, policy = data.get("state"), data.get("policy")
    paths: dict[KeyPath, Any] = {
        ("state", key): state.get(key) for key in ("path", "lineage") if isinstance(state, dict)
    }
    for where, section in (((), data), (("policy",), policy if isinstance(policy, dict) else {})):
        for key in ("manifests", "tests", "labels", "overlays", "include"):
            entries = section.get(key)
            items = enumerate(entries if isinstance(entries, list) else ())
            paths |= {(*where, key, i): entry for i, entry in items}
    for path, value in paths.items():
        if isinstance(value, str) and not value.isprintable():
            names = ".".join(str(step) for step in path if isinstance(step, str))
            name = f"`{names}`" if path[0] == "state" else f"An item of `{names}`"
            message = f"{name} must not hold control or invisible characters."
            report.error("invalid-value", message, document.span((*at, *path)))
