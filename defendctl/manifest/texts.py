"""What an editor says about each key, in the order in which keys are offered."""

from __future__ import annotations

from typing import Any

Hints = dict[str, dict[str, Any]]

ADDRESS_RULE = (
    "an address begins with a small letter, ends with one or a digit, and holds only small letters, digits, "
    "dots, dashes and underscores, 63 at most"
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

NOT_BLANK = "This must not be blank; leave the key out for the default."

MANIFEST: Hints = {
    "$schema": {"markdownDescription": "The JSON Schema of this file, for editors."},
    "version": {"markdownDescription": "The version of this format: `1`."},
    "workflows": {
        "markdownDescription": "The workflows, each under its *address*: the name defendctl knows it by. "
        "A manifest is the whole truth: a key left out means its default."
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
        "Only with `type: automatic` and a list of metrics. DeepRails does not say which end is strict."
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
        "markdownDescription": "The old name of `max_retries`.",
        "deprecationMessage": "This is the old name of `max_retries`.",
    },
    "web_search": {"markdownDescription": "Whether the evaluation may search the web. Default: `false`."},
    "context_awareness": {
        "markdownDescription": "Whether events may carry context for the evaluation. Default: `false`."
    },
    "file_search": {"markdownDescription": "The ids of uploaded files that may be searched. Default: none."},
}

PROJECT: Hints = {
    **{key: MANIFEST[key] for key in ("$schema", "version")},
    "manifests": {
        "markdownDescription": "Files, folders (read recursively, `*.yaml` and `*.yml`) or globs, relative "
        "to this file. Default: `[workflows]`."
    },
    "api": {"markdownDescription": "Where the API is and which form of it is spoken."},
    "state": {"markdownDescription": "Where it is recorded which workflow belongs to which address."},
    "custom_metrics": {
        "markdownDescription": "The names of your organization's own guardrail metrics. Default: none."
    },
    "lint": {"markdownDescription": "How grave is what is allowed and seldom meant; see docs/lint.md."},
}
API: Hints = {
    "base_url": {
        "markdownDescription": "The address of the API; `DEEP_RAILS_BASE_URL` and `DEEPRAILS_BASE_URL` win "
        "over it. Default: `https://api.deeprails.com`.",
        "pattern": "^[hH][tT][tT][pP][sS]?://[^\\s/?#@\\\\]+[^\\s?#@\\\\]*$",
        "patternErrorMessage": "This must be a URL like https://api.deeprails.com, without user or query.",
    },
    "generation": {
        "markdownDescription": "The form of the API that is written, named by the date of its SDK. "
        "Default: `auto`, found out from what the API answers."
    },
}
STATE: Hints = {
    "path": {
        "markdownDescription": "The state file, relative to this file. Default: `defendctl.state.json`.",
        "patternErrorMessage": NOT_BLANK,
    },
    "lineage": {
        "markdownDescription": "Written by `defendctl init`. With it a missing state is an error, never "
        "taken for an empty one. Default: none.",
        "patternErrorMessage": NOT_BLANK,
    },
}
_LINT = "`error`, `warning` or `ignore`. Default: `warning`."
LINT: Hints = {
    "correctness-in-automatic": {"markdownDescription": f"`correctness` in an automatic workflow. {_LINT}"},
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
    "same-name": {"markdownDescription": f"Two workflows of one name. {_LINT}"},
    "threshold-one": {"markdownDescription": f"A threshold of 1. {_LINT}"},
    "threshold-zero": {"markdownDescription": f"A threshold of 0. {_LINT}"},
}
SECTIONS = {"api": API, "state": STATE, "lint": LINT}
