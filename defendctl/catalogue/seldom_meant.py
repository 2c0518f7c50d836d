"""What is allowed and seldom meant; docs/lint.md says the same, word for word."""

from __future__ import annotations

from typing import Final

from defendctl.catalogue.entry import PROJECT, SOUND, Explained, sound, workflow


def _named(second: str) -> str:
    body = "type: custom, metrics: {completeness: 0.8}, improvement_action: none"
    first = f"version: 1\nworkflows:\n  support: {{name: Support, {body}}}\n"
    return f"{first}  sales: {{name: {second}, {body}}}\n"


ENTRIES: Final = (
    Explained(
        "correctness-in-automatic",
        "`correctness` in an automatic workflow",
        "`correctness` in an automatic workflow. The vendor's pages list five metrics for automatic "
        "thresholds, without this one, while their tests use it: nobody outside knows whether it is "
        "judged.",
        "Where it must be, use `type: custom` with a threshold.",
        workflow("type: automatic\ntolerance: low\nmetrics: [correctness]\nimprovement_action: none"),
        workflow("type: custom\nmetrics: {correctness: 0.8}\nimprovement_action: none"),
    ),
    Explained(
        "import-for-all",
        "`import` in a manifest of a project with environments",
        "A manifest is read in every environment, and an id is of one: in the others the API answers 404, "
        "and the address is blocked.",
        "Put `import` into an overlay of the environment where the workflow lives, or take it out once the "
        "address is bound.",
    ),
    Explained(
        "replay-no-context",
        "`context_adherence`, and events without context",
        "`context_adherence` scores whether claims are supported by the context of an event, and none of "
        "the last events carried any.",
        "Send `context` with the events, or take the metric out: it costs evaluations and says nothing.",
    ),
    Explained(
        "replay-no-ground-truth",
        "`ground_truth_adherence`, and events without `ground_truth`",
        "`ground_truth_adherence` scores how close an output comes to a reference, and none of the last "
        "events carried one.",
        "Send `ground_truth` with the events, or take the metric out.",
    ),
    Explained(
        "replay-super-fast-search",
        "Web or file search, and events in `super_fast`",
        "The workflow has `web_search` or `file_search`, and events were submitted in the run mode "
        "`super_fast`, which has neither.",
        "Submit them in another run mode, or leave the search out.",
    ),
    Explained(
        "retries-without-action",
        "`max_retries` beside `improvement_action: none`",
        "`max_retries` beside `improvement_action: none`. Without an action there is nothing to retry, so"
        " the number has no effect, and a reader may think that it has.",
        "Leave it out, or choose an action.",
        sound("max_retries: 3"),
        sound(),
    ),
    Explained(
        "retries-zero",
        "An action that no retry allows",
        "`max_retries: 0` beside `fixit` or `regenerate`. The action is named and never taken. Whether "
        "the API takes a 0 at all is not documented.",
        "Write `improvement_action: none` if that is what is meant.",
        workflow(SOUND.replace("none", "fixit") + "\nmax_retries: 0"),
        workflow(SOUND.replace("none", "fixit") + "\nmax_retries: 1"),
    ),
    Explained(
        "run-mode-of-generation",
        "A run mode that the generation lacks",
        "The project pins a generation of the API in `api.generation`, and a workflow advises a `run_mode` "
        "that this generation does not have: it would refuse the events of an application that follows.",
        "Choose one that it has, or let the generation be told by what the API answers (`auto`).",
    ),
    Explained(
        "run-mode-without-search",
        "Web or file search, and a run mode without",
        "The workflow has `web_search` or `file_search`, and its `run_mode` is `super_fast` or `ultra_fast`,"
        " which have neither.",
        "Advise another run mode, or leave the search out.",
        sound("web_search: true\nrun_mode: super_fast"),
        sound("web_search: true\nrun_mode: fast"),
    ),
    Explained(
        "same-name",
        "Two workflows of one name",
        "Two workflows of one name. Names need not be unique, but they are all that a person in the "
        "console goes by, also when a create with an unknown outcome must be looked up there.",
        "",
        _named("Support"),
        _named("Sales"),
    ),
    Explained(
        "threshold-one",
        "A threshold of 1",
        "A threshold of 1 flags every answer that is not scored perfect. A score equal to the threshold "
        "passes.",
        "",
        workflow(SOUND.replace("0.8", "1")),
        workflow(SOUND.replace("0.8", "0.95")),
    ),
    Explained(
        "threshold-zero",
        "A threshold of 0",
        "A threshold of 0 never flags anything, for no score is below it: the metric costs evaluations "
        "and guards nothing.",
        "",
        workflow(SOUND.replace("0.8", "0")),
        workflow(SOUND.replace("0.8", "0.5")),
    ),
    Explained(
        "unpinned-state",
        "The lineage of a state is not pinned",
        "The project file does not say the `lineage` of its state, or of that of an environment. Then a "
        "state file that is lost (a new runner, an artefact that expired, a wrong folder) cannot be told "
        "from a first run, and the next apply would create every workflow a second time.",
        "The first apply writes the line; for a state that is there already the warning prints it. It is "
        "told by `validate`, `plan` and `doctor`; the setting is `validate`'s alone.",
        "version: 1\n",
        "version: 1\nstate: {lineage: 0b0e6c1e-5a3f-4d1c-9a53-7c1d8f1f2a10}\n",
        PROJECT,
    ),
)
