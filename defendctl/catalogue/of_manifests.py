"""What a manifest may say of workflows and waivers."""

from __future__ import annotations

from typing import Final

from defendctl.catalogue.entry import SOUND, Explained, sound, workflow


def _waived(field: str = "max_retries", expires: str = "2999-01-01", **others: str) -> str:
    given = {"address": "support-bot", "rule": "enough-retries", "reason": "a trial", "approver": "Ann"}
    said = "".join(f"    {key}: {value}\n" for key, value in (given | others).items()).removeprefix("    ")
    return f"{sound()}waivers:\n  - {said}    field: {field}\n    to: 1\n    expires: {expires}\n"


ENTRIES: Final = (
    Explained(
        "conflicting-keys",
        "Two keys that exclude each other",
        "Both would say the same thing, perhaps differently, and only one of them could hold.",
        "Keep one of them.",
        workflow(SOUND.replace("none", "fixit") + "\nmax_retries: 1\nmax_improvement_attempts: 2"),
        workflow(SOUND.replace("none", "fixit") + "\nmax_retries: 2"),
    ),
    Explained(
        "duplicate-address",
        "One address is declared twice",
        "An address is one workflow: two declarations would overwrite each other with each apply.",
        "Give one of them another address, or take it out.",
        f"{sound()}---\n{sound()}",
        sound(),
    ),
    Explained(
        "duplicate-id",
        "Two addresses take over one workflow",
        "Each would be applied to the same workflow, and undo the other.",
        "Correct one of the ids.",
        "version: 1\nworkflows:\n  a: &a\n    type: custom\n    metrics: {completeness: 0.8}\n"
        "    improvement_action: none\n    name: a\n    import: {workflow_id: wf-1}\n  b: {<<: *a, name:"
        " b}\n",
        sound("import: {workflow_id: wf-1}"),
    ),
    Explained(
        "duplicate-item",
        "An item is listed twice",
        "It has no effect, and one of the two may have been meant as something else.",
        "Keep one of them.",
        workflow(
            "type: automatic\ntolerance: low\nmetrics: [completeness, completeness]\nimprovement_action: none"
        ),
        workflow("type: automatic\ntolerance: low\nmetrics: [completeness]\nimprovement_action: none"),
    ),
    Explained(
        "empty-file",
        "A file to search in is empty",
        "An upload of nothing costs a request and finds nothing.",
        "Fill the file, or take it out of `file_search`.",
    ),
    Explained(
        "empty-metrics",
        "A workflow without metrics",
        "It would guard nothing, and look like a guardrail.",
        "Name at least one metric.",
        workflow("type: custom\nmetrics: {}\nimprovement_action: none"),
        sound(),
    ),
    Explained(
        "expired-waiver",
        "A waiver has expired",
        "A waiver lets something pass until a day, so that somebody looks at it again.",
        "Take it out, or have it approved again with a new date.",
        _waived(expires="2020-01-01"),
        _waived(),
    ),
    Explained(
        "expiring-waiver",
        "A waiver will soon expire",
        "From its day on it is an error, and a pull request that renews it takes its time.",
        "Take it out, or have it approved again with a new date.",
    ),
    Explained(
        "hidden-file",
        "A hidden file, or one in a hidden folder, stands in `file_search`",
        "Hidden files hold keys and histories; those are never sent.",
        "Put what shall be searched into a file that is not hidden.",
    ),
    Explained(
        "invalid-address",
        "A word that cannot be an address",
        "Addresses stand in commands, in the state and in labels of CI: they are of few characters.",
        "A lowercase letter first, then lowercase letters, digits, `.`, `_` and `-`, 63 at most.",
        sound().replace("support-bot", "Support Bot!"),
        sound(),
    ),
    Explained(
        "invalid-label",
        "A name or a value that no label can have",
        "Labels are written on the command line as `name=value`, so they are of few characters.",
        "Write it as the message says.",
        sound("labels: {team: 'a, b'}"),
        sound("labels: {team: a-b}"),
    ),
    Explained(
        "invalid-rename",
        "`renamed_from` that names no former address",
        "It tells which binding an address takes over: an address that is still declared, or this one, "
        "has its own.",
        "Name the address that the workflow had before, or take the key out.",
        sound("renamed_from: support-bot"),
        sound("renamed_from: help-bot"),
    ),
    Explained(
        "invalid-value",
        "A value that is not among those allowed",
        "It stands where it may and has the right type, and means nothing there.",
        "Use one of the values that the message names.",
        workflow(SOUND.replace("none", "fix")),
        workflow(SOUND.replace("none", "fixit")),
    ),
    Explained(
        "key-not-for-type",
        "A key that this type of workflow, or this kind of file, does not have",
        "A tolerance belongs to automatic workflows with a list of metrics; defaults belong to manifests.",
        "Take it out, or use the other type.",
        sound("tolerance: low"),
        workflow("type: automatic\ntolerance: low\nmetrics: [completeness]\nimprovement_action: none"),
    ),
    Explained(
        "missing-key",
        "A key that must be there is not",
        "There is no default for it that would be safe to assume.",
        "Add it.",
        workflow("type: custom\nmetrics: {completeness: 0.8}"),
        sound(),
    ),
    Explained(
        "not-a-default",
        "A key that cannot be a default",
        "An address, an id or a former name is of one workflow: all would share it.",
        "Put it under the workflow that it is of.",
        "version: 1\ndefaults: {renamed_from: help-bot}\n" + sound().removeprefix("version: 1\n"),
        "version: 1\ndefaults: {web_search: false}\n" + sound().removeprefix("version: 1\n"),
    ),
    Explained(
        "not-a-manifest",
        "A file that is no manifest",
        "What `manifests` leads to is read as manifests; to skip a file silently would hide a misspelt one.",
        "Add `version: 1` and `workflows:`, or move the file elsewhere.",
        "hello: world\n",
        sound(),
    ),
    Explained(
        "nothing-to-remove",
        "A null that takes nothing away",
        "A null in a layer takes away what the layer below says, and that says nothing of the kind: it "
        "may be misspelt.",
        "Correct the name, or take the line out.",
        "version: 1\ndefaults: {metrics: {completeness: null}}\n" + sound().removeprefix("version: 1\n"),
        "version: 1\ndefaults: {metrics: {completeness: 0.7}}\n" + sound().removeprefix("version: 1\n"),
    ),
    Explained(
        "out-of-range",
        "A number or a text beyond its limits",
        "The API refuses it, or it would mean nothing: scores, thresholds and rates go from 0 to 1.",
        "Write one within the range that the message names; a percentage is divided by 100.",
        workflow("type: custom\nmetrics: {completeness: 80}\nimprovement_action: none"),
        workflow("type: custom\nmetrics: {completeness: 0.8}\nimprovement_action: none"),
    ),
    Explained(
        "outside-project",
        "A path leads out of the project",
        "What is read or sent must be what a review of the project has seen.",
        "Copy the file into the project, or replace the link.",
    ),
    Explained(
        "placeholder",
        "A placeholder was left in a waiver",
        "A waiver is as good as its reason and the person who approved it.",
        "Put your own words there.",
        _waived(reason="<why this may pass>"),
        _waived(),
    ),
    Explained(
        "too-many-items",
        "More items than there may be",
        "The limits are far above what people write; more of them come from a mistake of a generator.",
        "Take some out, or split the file.",
        sound("labels:\n" + "\n".join(f"  n{n}: x" for n in range(101))),
        sound("labels: {team: support}"),
    ),
    Explained(
        "unknown-address",
        "An address that is not declared",
        "An overlay, a waiver, a test or a label of a workflow that there is not has no effect; it may be "
        "misspelt.",
        "Correct the address, or take it out.",
        _waived(address="suport-bot"),
        _waived(),
    ),
    Explained(
        "unknown-field",
        "A waiver of a field that workflows do not have",
        "It could let nothing pass.",
        "Write the path as the plan shows it, like `metrics.completeness`.",
        _waived("max_retry"),
        _waived(),
    ),
    Explained(
        "unknown-key",
        "A key that is not known here",
        "A misspelt key that was skipped would be a guardrail that is not there.",
        "Correct it, or take it out. Keys of your own begin with `x-`, at the top of a document.",
        sound("descripton: Answers customers."),
        sound("description: Answers customers."),
    ),
    Explained(
        "unknown-metric",
        "A metric that is not known",
        "The API may take any name, and a misspelt metric is never scored.",
        "Correct the name; an organization's own metrics stand under `custom_metrics` in defendctl.yaml.",
        workflow("type: custom\nmetrics: {completness: 0.8}\nimprovement_action: none"),
        sound(),
    ),
    Explained(
        "unknown-rule",
        "A waiver of a rule that no policy has",
        "It lets nothing pass; the rule may be gone, or misspelt.",
        "Correct the rule, or take the waiver out.",
        _waived(rule="enough-retires"),
        _waived(),
    ),
    Explained(
        "unneeded-waiver",
        "Nothing needs this waiver any more",
        "A waiver that lies about would let the next such change pass unseen.",
        "Remove it.",
    ),
    Explained(
        "unusable-id",
        "A text that cannot be a workflow id",
        "Ids stand in the path of requests: blanks and endless texts are mistakes of copying.",
        "Copy the id from the console again.",
        sound("import: {workflow_id: 'wf 1'}"),
        sound("import: {workflow_id: wf-1}"),
    ),
    Explained(
        "uploads-off",
        "A file to send, in a project that sends none",
        "The vendor's pages do not say what form the endpoint expects, "
        "so uploads are off until you have tried it.",
        "Set `api.uploads: true` in defendctl.yaml, or write the id of a file that is uploaded already.",
    ),
    Explained(
        "wrong-type",
        "A value of another type",
        "Text, numbers, lists and mappings are not converted into each other: what was meant would be a "
        "guess.",
        "Write it as the message says; a number or a switch stands without quotes.",
        workflow("type: custom\nmetrics: {completeness: '0.8'}\nimprovement_action: none"),
        sound(),
    ),
)
