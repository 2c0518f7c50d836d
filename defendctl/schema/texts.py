"""What an editor says about each key, in the order in which keys are offered."""

from __future__ import annotations

from typing import Any

from defendctl.model import NEWEST, RUN_MODES, WITHOUT_SEARCH
from defendctl.policy.rules import CHECKS

Hints = dict[str, dict[str, Any]]

ADDRESS_RULE = (
    "an address begins with a lowercase letter, ends with one or a digit, and holds only lowercase letters, "
    "digits, dots, dashes and underscores, 63 characters at most"
)

TYPES = {
    "custom": "You set a threshold from 0 to 1 for each metric.",
    "automatic": "DeepRails sets the thresholds; you set how tolerant they are.",
}
LEVELS = {"low": "Low tolerance.", "medium": "Medium tolerance.", "high": "High tolerance."}
ACTIONS = {
    "fixit": "An answer that fails is repaired.",
    "regenerate": "An answer that fails is generated again.",
    "none": "An answer that fails is reported, and nothing else.",
}
OLD_ACTIONS: dict[str | None, str] = {
    "regen": "Old spelling of `regenerate`.",
    "do_nothing": "Old spelling of `none`.",
    None: "Old spelling of `none`.",
}

OLD = {"deprecated": True, "doNotSuggest": True}
"""Of a key. No `deprecationMessage`: what editors make of it is an error, and this is none."""

MISSING = {
    "version": "add `version: 1`.",
    "improvement_action": "say fixit, regenerate or none, for reviewers must see it.",
    "type": "say custom or automatic.",
    "tolerance": "say low, medium or high for the metrics listed.",
    "metrics": "name at least one metric, or nothing would be guarded.",
    "workflows": "add `workflows:` and under it an address for each workflow.",
    "id": "give the rule a name that waivers and findings can call it by.",
    "level": "say warn or deny.",
    "rules": "add `rules:` and under it a list of rules.",
    "expires": "say the last day on which it counts, like `expires: 2031-12-31`.",
    "reason": "say why this may pass.",
    "approver": "say who lets it pass.",
    "workflow_id": "name the workflow that is to be bound here.",
    "field": "say which one, like `metrics.completeness`.",
    "path": "say which file, like `path: docs/policy.pdf`.",
    "to": "say the value that may pass (null for a metric that is removed).",
    "workflow": "say the address of the workflow that shall judge it.",
    "model_used": "say which model answered.",
    "input": "say what the model was asked.",
    "output": "say what the model answered.",
    "expect": "say flagged or passes, or more in a mapping.",
    "rate": "say the greatest flag rate that is allowed, like `rate: 0.2`.",
    "confidence": "say how sure it must be, like `confidence: 0.95`.",
    "tests": "add `tests:` and under it a name for each case.",
    "labels": "add `labels:` and under it a list of blocks.",
    "drawn": "say uniform, flagged or found, for that decides what the labels can show.",
    "from": "say the first day, like `from: 2026-11-01`.",
    "window.to": "say the last day, like `to: 2026-11-20`.",
    "events": "say how many events there were to draw from.",
}
"""What to do about a key that is missing."""
NOUNS = {
    "environments": "An environment",
    "workflows": "A workflow",
    "rules": "A rule",
    "waivers": "A waiver",
}
"""What stands under these keys, one by one."""
MISPLACED = {
    "Custom": "`tolerance` belongs to `type: automatic`; a custom workflow has a threshold for each metric.",
    "AutomaticLevels": "`tolerance` goes with a list of metrics; here each metric has a level of its own "
    "already.",
}
"""Model → why `tolerance` may not stand in it."""
NO_FIELDS = {
    "status": "Only the console switches a workflow on and off; leave this out. `plan` tells what is off.",
}
"""What the API tells of workflows and events, and why it is nothing to declare."""
IN_OVERLAY = "`defaults` belong in a manifest; an overlay says what differs from it."
BOTH_NAMES = "`max_improvement_attempts` is the old name of `max_retries`, which is here too; keep one."
LIST_OVER_MAPPING = (
    "The metrics below this overlay are a mapping, so give each of these a value too, like "
    "`completeness: 0.8` (null removes one), or add their `tolerance`"
)
LAID_THRESHOLD = "A threshold from 0 to 1; levels belong to `type: automatic`. null removes it."
LAID_LEVEL = "A level (low, medium or high); thresholds belong to `type: custom`. null removes it."
OWN_METRICS = "an organization's own go into `custom_metrics` of defendctl.yaml."
OFF = "may only be true; leave the rule out to turn it off."
FLAG_RATE = "`max_flag_rate` must be a number from 0 to 1, or a mapping of `rate` and `confidence`."
ONE_CHECK = f"A rule holds exactly one check ({', '.join(CHECKS)})"

NOT_BLANK = "This must not be blank; leave the key out for the default."

MANIFEST: Hints = {
    "$schema": {"markdownDescription": "The JSON Schema of this file, for editors. Default: none."},
    "version": {"markdownDescription": "The version of this format: `1`."},
    "defaults": {
        "markdownDescription": "What the workflows of this document leave out. Metrics and labels are filled "
        "in one by one; `null` in a workflow removes one. Default: none."
    },
    "workflows": {
        "markdownDescription": "The workflows, each under its *address*: the name defendctl knows it by. "
        "A manifest is the whole truth: a key left out means its default."
    },
    "waivers": {
        "markdownDescription": "Changes that may pass although a rule of the policy says no. Default: none."
    },
}

OVERLAY: Hints = {
    **{key: MANIFEST[key] for key in ("$schema", "version")},
    "workflows": {
        "markdownDescription": "What differs from the manifests, by address. `null` removes a metric, a "
        "label or a field, and leaves out a workflow. Default: none."
    },
    "waivers": {
        "markdownDescription": "Waivers that count in this environment only; one about the same address, "
        "rule and field stands in the place of the manifest's. Default: none."
    },
}

WAIVER: Hints = {
    "address": {"markdownDescription": "The workflow it is about."},
    "rule": {"markdownDescription": "The `id` of the rule that it lets pass."},
    "field": {
        "markdownDescription": "The path of the field as the plan shows it (`metrics.completeness`, "
        "`max_retries`), or `retire`, or `flag_rate`."
    },
    "to": {
        "markdownDescription": "The value that may pass, and no other: `null` for a metric that is removed; "
        "for `flag_rate` the rate up to which it passes. Required, except for `retire`."
    },
    "reason": {
        "markdownDescription": "Why this may pass.",
        "patternErrorMessage": "Put your own words there; it must not begin with a blank or with `<`.",
    },
    "approver": {
        "markdownDescription": "Who lets it pass.",
        "patternErrorMessage": "Put a name there; it must not begin with a blank or with `<`.",
    },
    "expires": {
        "markdownDescription": "The last day on which it counts, like `2031-12-31`. After it `validate`, "
        "`plan` and `apply` fail until it is taken out.",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "patternErrorMessage": "This must be a date like 2031-12-31.",
        "format": "date",
    },
}

WORKFLOW: Hints = {
    "name": {
        "markdownDescription": "The name shown in DeepRails. Default: the address.",
        "patternErrorMessage": NOT_BLANK,
    },
    "description": {"markdownDescription": "What the workflow is for. Default: empty."},
    "type": {"markdownDescription": "`custom` (a threshold for each metric) or `automatic` (a tolerance)."},
    "tolerance": {
        "markdownDescription": "How tolerant the thresholds are, for every metric listed. "
        "Only with `type: automatic` and a list of metrics, and required there. DeepRails does not say which "
        "end is strict."
    },
    "metrics": {
        "markdownDescription": "What is measured. With `type: custom` a mapping of metric to threshold "
        "(`completeness: 0.8`); with `type: automatic` a list of metrics together with `tolerance`, "
        "or a mapping of metric to `low`, `medium` or `high`."
    },
    "improvement_action": {
        "markdownDescription": "What happens to an answer that fails: `fixit`, `regenerate` or `none`. "
        "Required, because reviewers must see it."
    },
    "max_retries": {"markdownDescription": "How often an answer is improved at most. Default: `10`."},
    "max_improvement_attempts": {
        "markdownDescription": "The old name of `max_retries`, which `defendctl fmt` writes. Default: `10`.",
        **OLD,
    },
    "web_search": {"markdownDescription": "Whether the evaluation may search the web. Default: `false`."},
    "context_awareness": {
        "markdownDescription": "Whether events may carry context for the evaluation. Default: `false`."
    },
    "file_search": {
        "markdownDescription": "The files that may be searched: ids of uploaded ones, and files of the "
        "repository (`{path: docs/policy.pdf}`), which apply uploads if `api.uploads` of defendctl.yaml is "
        "`true`. Default: none."
    },
    "run_mode": {
        "markdownDescription": "How the application should have its events evaluated: advice that `outputs` "
        "hands out. Never sent to DeepRails, for each event says its own. Default: none."
    },
    "labels": {
        "markdownDescription": "Your own words about it (`tier: critical`), by which rules select. "
        "Never sent to DeepRails. Default: none."
    },
    "unmanaged": {
        "markdownDescription": "Fields that are left to the console: neither compared nor sent. Only those "
        "with a default. Default: none."
    },
    "renamed_from": {
        "markdownDescription": "The address that this workflow had before: its binding moves here, and "
        "nothing is sent. May stay. Default: none.",
        "minLength": 1,
    },
    "import": {
        "markdownDescription": "A workflow that exists already: the next apply binds it here instead of "
        "creating one. May stay. Default: none."
    },
}


def run_mode(mode: str) -> str:
    """What there is to say of one."""
    known = "Every generation has it." if mode in RUN_MODES else f"From generation {NEWEST} on."
    return f"{known} Searches nothing." if mode in WITHOUT_SEARCH else known


IMPORT: Hints = {"workflow_id": {"markdownDescription": "Its id, as the console shows it."}}
FILE: Hints = {
    "path": {
        "markdownDescription": "A file of the repository, relative to the folder of defendctl.yaml. Apply "
        "uploads what it holds, once.",
        "patternErrorMessage": "This must name a file, like `docs/policy.pdf`.",
    },
}
FILE_ID = (
    "An item of `file_search` must be the id of an uploaded file, or a file of the repository like "
    "`{path: docs/policy.pdf}`."
)
LABELS = (
    "The name of a label: letters, digits, `.`, `_` and `-`, 63 at most, a prefix like `example.com/` too."
)
LABEL_VALUE = "The value of a label: letters, digits, `.`, `_` and `-`, 63 at most."

PROJECT: Hints = {
    **{key: MANIFEST[key] for key in ("$schema", "version")},
    "manifests": {
        "markdownDescription": "Files, folders (read recursively, `*.yaml` and `*.yml`) or globs, relative "
        "to this file. Default: `[workflows]`."
    },
    "tests": {
        "markdownDescription": "Files with test cases for `defendctl test`: files, folders or globs, "
        "relative to this file. Default: none."
    },
    "labels": {
        "markdownDescription": "Files that say which events should have been flagged: files, folders or "
        "globs, relative to this file. Default: none."
    },
    "api": {
        "markdownDescription": "Where the API is and which form of it is spoken. Default: each key its own."
    },
    "state": {
        "markdownDescription": "Where it is recorded which workflow belongs to which address. "
        "Default: each key its own."
    },
    "custom_metrics": {
        "markdownDescription": "The names of your organization's own guardrail metrics. Default: none."
    },
    "lint": {
        "markdownDescription": "How serious each lint is (what is allowed, but seldom meant); see "
        "docs/lint.md. Default: `warning` each."
    },
    "policy": {
        "markdownDescription": "Rules that every guardrail and every change must keep. Default: none."
    },
    "environments": {
        "markdownDescription": "Staging, production and the like, by name; `--env` takes one. Default: none."
    },
}
API: Hints = {
    "base_url": {
        "markdownDescription": "The address of the API; `DEEP_RAILS_BASE_URL` and `DEEPRAILS_BASE_URL` win "
        "over it. Default: `https://api.deeprails.com`.",
        "pattern": "^([hH][tT][tT][pP][sS]://[^\\s/?#@\\\\]+|[hH][tT][tT][pP]://([lL][oO][cC][aA][lL][hH][oO][sS][tT]"
        "|127(\\.[0-9]{1,3}){3}|\\[[0:]+1\\])(:[0-9]+)?(?=/|$))[^\\s?#@\\\\]*$",
        "patternErrorMessage": "This must be a URL like https://api.deeprails.com, without user or query; "
        "plain http is for loopback alone.",
    },
    "generation": {
        "markdownDescription": "The form of the API that is written, named by the date of its SDK. "
        "Default: `auto`, found out from what the API answers."
    },
    "uploads": {
        "markdownDescription": "Whether `file_search` may name files of the repository, for apply to upload. "
        "Off by default, because the vendor's pages do not say what form the endpoint expects: try it with "
        "one file first. Default: `false`."
    },
}
API["key_variable"] = {
    "markdownDescription": "The name of the environment variable that holds the key, never the key. It "
    "begins with `DEEPRAILS_`. Default: `DEEPRAILS_API_KEY`.",
    "patternErrorMessage": "The name of a variable that begins with DEEPRAILS_, like "
    "DEEPRAILS_API_KEY_STAGING.",
}
STATE: Hints = {
    "path": {
        "markdownDescription": "The state file, relative to this file; not together with `url`. "
        "Default: `defendctl.state.json`.",
        "patternErrorMessage": NOT_BLANK,
    },
    "url": {
        "markdownDescription": "Where every run sees the same state: `git+origin?key=checkout`, "
        "`postgres://db.internal/defend?key=checkout`, `s3://bucket/checkout`, `gs://…`, `az://…`. "
        "Never with a password. Default: none, a file.",
        "patternErrorMessage": "This must be a place like `git+origin?key=checkout`.",
    },
    "lineage": {
        "markdownDescription": "Written by `defendctl init`. With it a missing state is an error, never "
        "taken for an empty one. Default: none.",
        "patternErrorMessage": NOT_BLANK,
    },
    "options": {
        "markdownDescription": "What `url` does not say, like `region` or `endpoint` of a bucket. Never a "
        "secret. Default: none."
    },
}
_LINT = "`error`, `warning` or `ignore`. Default: `warning`."
LINT: Hints = {
    "correctness-in-automatic": {"markdownDescription": f"`correctness` in an automatic workflow. {_LINT}"},
    "import-for-all": {
        "markdownDescription": f"`import` in a manifest of a project with environments. {_LINT}"
    },
    "replay-no-context": {"markdownDescription": f"`context_adherence`, and events without context. {_LINT}"},
    "replay-no-ground-truth": {
        "markdownDescription": f"`ground_truth_adherence`, and events without `ground_truth`. {_LINT}"
    },
    "replay-super-fast-search": {
        "markdownDescription": f"Web or file search, and events in `super_fast`. {_LINT}"
    },
    "retries-without-action": {
        "markdownDescription": f"`max_retries` beside `improvement_action: none`. {_LINT}"
    },
    "retries-zero": {"markdownDescription": f"An action that no retry allows. {_LINT}"},
    "run-mode-of-generation": {
        "markdownDescription": f"A `run_mode` that the generation of the project lacks. {_LINT}"
    },
    "run-mode-without-search": {
        "markdownDescription": f"Web or file search, and a `run_mode` that has neither. {_LINT}"
    },
    "same-name": {"markdownDescription": f"Two workflows of one name. {_LINT}"},
    "threshold-one": {"markdownDescription": f"A threshold of 1. {_LINT}"},
    "threshold-zero": {"markdownDescription": f"A threshold of 0. {_LINT}"},
}
SECTIONS = {"api": API, "state": STATE, "lint": LINT}

RULES = {
    "markdownDescription": "The rules, each with an `id`, a `level` and exactly one check. Default: none."
}
POLICY: Hints = {
    "include": {
        "markdownDescription": "Files that hold more rules: files, folders or globs, relative to this file. "
        "Default: none."
    },
    "replay": {
        "markdownDescription": "How `max_flag_rate` looks at recent events. Default: each key its own."
    },
    "rules": RULES,
}
ENVIRONMENT: Hints = {
    "api": {"markdownDescription": "Where its API is, and where the key. Default: each key as at the top."},
    "state": {"markdownDescription": "Its own state. Default: `defendctl.NAME.state.json`."},
    "policy": {
        "markdownDescription": "Rules besides those at the top, each with an `id` that is not used there. "
        "Default: none."
    },
    "overlays": {
        "markdownDescription": "Files, folders or globs that hold what differs here, relative to this file. "
        "Default: none."
    },
}
STATE_OF_ENVIRONMENT: Hints = {
    **STATE,
    "path": {
        "markdownDescription": "Its state file, relative to this file; not together with `url`. "
        "Default: `defendctl.NAME.state.json`.",
        "patternErrorMessage": NOT_BLANK,
    },
}
POLICY_FILE: Hints = {**{key: MANIFEST[key] for key in ("$schema", "version")}, "rules": RULES}
REPLAY: Hints = {
    "last": {"markdownDescription": "How many of the last events of a workflow are read. Default: `50`."},
    "min_events": {
        "markdownDescription": "With fewer events a flag rate denies nothing, unless even the lower end of "
        "its interval is too high. At most `last`. Default: `20`."
    },
}
RULE: Hints = {
    "id": {
        "markdownDescription": "The name of the rule, which waivers and findings call it by.",
        "patternErrorMessage": "Lowercase letters, digits, `.`, `_` and `-`, a letter first, 63 at most.",
    },
    "level": {"markdownDescription": "`deny` (plan and apply exit 5) or `warn`."},
    "message": {
        "markdownDescription": "What to tell whoever breaks it. Default: a sentence of ours.",
        "patternErrorMessage": NOT_BLANK,
    },
    "select": {"markdownDescription": "Which workflows it is about. Default: all."},
    "min_threshold": {
        "markdownDescription": "The least threshold of each metric named, where a workflow has that metric."
    },
    "require_metrics": {"markdownDescription": "Metrics that every workflow must have."},
    "allow_types": {"markdownDescription": "The types that are allowed."},
    "allow_tolerances": {"markdownDescription": "The levels that are allowed in automatic workflows."},
    "allow_improvement_actions": {"markdownDescription": "The improvement actions that are allowed."},
    "min_retries": {"markdownDescription": "The lowest `max_retries` that is allowed."},
    "max_retries": {"markdownDescription": "The highest `max_retries` that is allowed."},
    "capabilities": {"markdownDescription": "The state that each capability named must be in."},
    "no_loosening": {"markdownDescription": "No change may loosen a guardrail."},
    "no_indeterminate": {"markdownDescription": "The direction of every change must be known."},
    "max_threshold_step": {
        "markdownDescription": "How far a threshold may move at once, up or down; a metric that is taken out "
        "moves down to nothing."
    },
    "no_retire": {"markdownDescription": "No workflow may be retired."},
    "max_creates": {"markdownDescription": "How many workflows one apply may create or replace."},
    "max_changes": {"markdownDescription": "How many workflows one apply may touch."},
    "max_flag_rate": {
        "markdownDescription": "The greatest share of recent events that the proposal may flag, from 0 to 1; "
        "plan and apply replay them by themselves. With `rate` and `confidence` it must be proven of all "
        "events like them."
    },
}
EXACT_RATE: Hints = {
    "rate": {"markdownDescription": "The greatest flag rate of all events like those that are read."},
    "confidence": {"markdownDescription": "How sure that must be, at one look, like `0.95`."},
}
SELECT: Hints = {
    "addresses": {"markdownDescription": "Globs over addresses, like `support-*`. Default: all."},
    "labels": {"markdownDescription": "Labels that the workflow must have. Default: none."},
}
CAPABILITIES: Hints = {
    "web_search": {
        "markdownDescription": "Whether the evaluation must, or must not, search the web. Default: either."
    },
    "context_awareness": {
        "markdownDescription": "Whether events must, or must not, carry context. Default: either."
    },
    "file_search": {
        "markdownDescription": "Whether there must, or must not, be files to search. Default: either."
    },
}

SUITE: Hints = {
    **{key: MANIFEST[key] for key in ("$schema", "version")},
    "defaults": {"markdownDescription": "What the cases of this file leave out. Default: nothing."},
    "tests": {
        "markdownDescription": "The cases, each under a name. Their outputs are evaluated by the API, which "
        "costs money."
    },
}
CASE: Hints = {
    "workflow": {
        "markdownDescription": "The address of the workflow that judges it. Default: that of `defaults`."
    },
    "input": {"markdownDescription": "What the model was asked: a `user_prompt`, and what belongs to it."},
    "output": {"markdownDescription": "What the model answered: it is this that is judged."},
    "model_used": {
        "markdownDescription": "The name of that model. Default: that of `defaults`.",
        "patternErrorMessage": NOT_BLANK,
    },
    "expect": {
        "markdownDescription": "`flagged` (it must be caught) or `passes` (it must not), or a mapping that "
        "says more; then all of it must hold."
    },
    "run_mode": {"markdownDescription": "How it is evaluated. Default: `precision`, which every API knows."},
    "repeats": {
        "markdownDescription": "How often it is submitted at most, for the judge is not deterministic. "
        "Default: `1`."
    },
    "quorum": {
        "markdownDescription": "How many of the repeats must agree for a verdict, or it is flaky. "
        "Default: all."
    },
    "tags": {"markdownDescription": "Words to choose cases by (`--tag`). Default: none."},
    "cost": {
        "markdownDescription": "What one event of it costs at most, for `--max-cost`. Default: what recent "
        "events of its workflow cost in that run mode."
    },
}
CASE_INPUT: Hints = {
    "user_prompt": {"markdownDescription": "What the user asked."},
    "system_prompt": {"markdownDescription": "What the model was told before. Default: nothing."},
    "context": {
        "markdownDescription": "What the answer must be supported by: a text, or a list of texts and of "
        "turns like `{role: user, content: …}`. Default: none."
    },
    "ground_truth": {"markdownDescription": "A reference answer. Default: none."},
}
EXPECT: Hints = {
    "result": {
        "markdownDescription": "All metrics together: `flagged` if at least one fails, else `passes`."
    },
    "metrics": {"markdownDescription": "What is expected of single metrics."},
    "scores": {
        "markdownDescription": "The range of a metric's score, like `[0, 0.5]`; both ends belong to it."
    },
    "improvement": {"markdownDescription": "What the improvement must come to."},
}
SIDES = {"flagged": "It must be caught.", "passes": "It must not be caught."}
OUTCOMES = {
    "improved": "An attempt made it pass.",
    "failed": "No attempt made it pass.",
    "not_required": "It passed at once.",
    "required": "It failed, and nothing was done about it.",
}

LABEL_FILE: Hints = {
    "version": MANIFEST["version"],
    "labels": {
        "markdownDescription": "Blocks of labels: each of one workflow, drawn in one way. Ids alone; what "
        "the events say stays where it is."
    },
}
LABEL_BLOCK: Hints = {
    "workflow": {
        "markdownDescription": "The address of the workflow that judged the events.",
        "patternErrorMessage": "This must not be blank.",
    },
    "drawn": {"markdownDescription": "How the events were chosen: it decides what their labels can show."},
    "window": {
        "markdownDescription": "What they were drawn from, as `events sample` writes it. Default: none."
    },
    "by": {
        "markdownDescription": "Who labelled them: a role, not a person. Default: not said.",
        "patternErrorMessage": NOT_BLANK,
    },
    "metric": {
        "markdownDescription": "The metric whose verdict they are about. Default: all metrics together.",
        "patternErrorMessage": NOT_BLANK,
    },
    "should_be_flagged": {"markdownDescription": "Ids of events that should be flagged. Default: none."},
    "should_pass": {"markdownDescription": "Ids of events that should not be flagged. Default: none."},
    "unsure": {
        "markdownDescription": "Ids of events of which nobody can tell, or has told yet. Default: none."
    },
}
LABEL_WINDOW: Hints = {
    "from": {"markdownDescription": "Its first day, or the time of its oldest event."},
    "to": {"markdownDescription": "Its last day, or the time of its newest event. Required."},
    "events": {"markdownDescription": "How many events there were to draw from."},
}
DRAWN = {
    "uniform": "By lot among all events: shows what is caught and what is missed.",
    "flagged": "By lot among the flagged ones: shows how many flags were right, nothing of what is missed.",
    "found": "Known cases, found by somebody: shows which of them are caught, and no rate.",
}
