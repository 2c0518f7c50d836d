"""The project file and what it names: entries, environments, overlays, policies, suites."""

from __future__ import annotations

from typing import Final

from defendctl.catalogue.entry import PROJECT, SUITE, Explained

_RULE: Final = "    - {id: keep, level: deny, no_loosening: true}\n"


def _case(name: str = "greets", expect: str = "passes") -> str:
    return (
        f"  {name}:\n    workflow: support-bot\n    model_used: gpt-5\n    input: {{user_prompt: Hello}}\n"
        f"    output: Good day.\n    expect: {expect}\n"
    )


def _suite(*cases: str) -> str:
    return "version: 1\ntests:\n" + "".join(cases)


def _environments(second: str) -> str:
    return (
        "version: 1\nenvironments:\n  test:\n    state: {path: test.state.json}\n"
        f"  live:\n    state: {{path: {second}.state.json}}\n"
    )


ENTRIES: Final = (
    Explained(
        "conflicting-overlays",
        "Two overlays of one environment set the same value",
        "Which of them held would depend on the names of files.",
        "Set it in one of them.",
    ),
    Explained(
        "duplicate-rule",
        "Two rules have one id",
        "A waiver names the rule by its id: which one it lets pass must be certain.",
        "Give one of them another id.",
        f"version: 1\npolicy:\n  rules:\n{_RULE}{_RULE}",
        f"version: 1\npolicy:\n  rules:\n{_RULE}",
        PROJECT,
    ),
    Explained(
        "duplicate-test",
        "Two tests have one name",
        "Results are told and compared by name.",
        "Give one of them another name.",
    ),
    Explained(
        "empty-expectation",
        "A test that expects nothing",
        "It costs an event and cannot fail.",
        "Say `flagged` or `passes`, or what of metrics and scores.",
        _suite(_case(expect="{}")),
        _suite(_case()),
        SUITE,
    ),
    Explained(
        "idle-rule",
        "A rule that selects no workflow",
        "A misspelt selector is a rule that is off.",
        "Correct its `select`, or take the rule out.",
        "version: 1\npolicy:\n  rules:\n"
        "    - {id: keep, level: deny, no_loosening: true, select: {labels: {team: suport}}}\n",
        f"version: 1\npolicy:\n  rules:\n{_RULE}",
        PROJECT,
    ),
    Explained(
        "invalid-name",
        "A word that cannot be the name of a test",
        "Names of tests stand in reports and on the command line: they are of the same characters as "
        "addresses.",
        "Write it as the message says.",
        _suite(_case("'Greets!'")),
        _suite(_case()),
        SUITE,
    ),
    Explained(
        "metric-not-evaluated",
        "A test expects something of a metric that its workflow does not have",
        "No score of it will ever come, so the test could only fail.",
        "Take the metric out of the test, or put it into the workflow.",
    ),
    Explained(
        "not-a-policy",
        "A file that is no policy",
        "What `policy.include` leads to is read as rules; to skip it silently would be to judge by fewer.",
        "Write `version: 1` and `rules:` with a list, or correct the path.",
    ),
    Explained(
        "not-a-project",
        "A project file that is none",
        "It holds exactly one document, with `version: 1`.",
        "Add `version: 1`, and take out what follows the first document.",
        "- version\n",
        "version: 1\n",
        PROJECT,
    ),
    Explained(
        "not-a-suite",
        "A file that holds no tests",
        "What `tests` in the project file leads to is read as test cases; to skip it would hide a "
        "misspelt one.",
        "Write `version: 1` and `tests:`, or move the file elsewhere.",
        "hello: world\n",
        _suite(_case()),
        SUITE,
    ),
    Explained(
        "not-an-overlay",
        "A file that is no overlay",
        "What `overlays` of an environment leads to is laid over the manifests; to skip it would change "
        "what is meant.",
        "Write `version: 1` and `workflows:` with what differs, or correct the path.",
    ),
    Explained(
        "not-found",
        "There is no such file or folder",
        "A path that leads nowhere may be misspelt: with it fewer workflows would be declared than were "
        "meant.",
        "Correct the path. It is relative to the file that it stands in.",
        "version: 1\nmanifests: [workflow]\n",
        "version: 1\nmanifests: [workflows]\n",
        PROJECT,
    ),
    Explained(
        "policy",
        "The policy forbids what a manifest says, or warns of it",
        "A rule of the team says so; the message names it. Where it denies, nothing is sent (exit 5).",
        "Change the value, or have a waiver approved for it.",
        "version: 1\npolicy:\n  rules:\n    - {id: strict, level: deny, min_threshold: {completeness: "
        "0.9}}\n",
        "version: 1\npolicy:\n  rules:\n    - {id: strict, level: deny, min_threshold: {completeness: "
        "0.5}}\n",
        PROJECT,
    ),
    Explained(
        "shared-state",
        "Two environments share a state",
        "The one would take over the workflows of the other, and retire them.",
        "Give each a `path`, a `url` or a `lineage` of its own.",
        _environments("test"),
        _environments("live"),
        PROJECT,
    ),
    Explained(
        "too-many-files",
        "A folder holds more files than may be read",
        "A path that leads to the root of a disk would be read for hours.",
        "Name a smaller folder.",
    ),
)
