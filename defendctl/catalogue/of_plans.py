"""What is told of the state, the checkout and the API, and of pairs and events that are read for one run."""

from __future__ import annotations

from typing import Final

from defendctl.catalogue.entry import Explained

ENTRIES: Final = (
    Explained(
        "bound-already",
        "An address or a workflow that an import names is bound already",
        "One address is one workflow: a second binding would leave the first one live and unknown.",
        "Take the line out, or forget the old binding with `defendctl state rm ADDRESS`.",
    ),
    Explained(
        "diverged-checkout",
        "This checkout and the commit last applied have parted",
        "What the other branch changed would be undone by an apply from here.",
        "Merge, or rebase on, the commit that was applied last.",
    ),
    Explained(
        "generations-differ",
        "Answers of several generations of the API were read",
        "What is written must be of one generation; the newest one seen is taken.",
        "Pin `api.generation` in defendctl.yaml if that is wrong.",
    ),
    Explained(
        "unclaimed-state",
        "A state lies in the project, and the project file does not name it",
        "A state that is begun beside it knows none of its workflows, and would create each a second time.",
        "Name it: `state: {path: …, lineage: …}`, with `environments` in the one that it is of.",
    ),
    Explained(
        "in-the-way",
        "A file stands where an import would write one",
        "No file of yours is overwritten.",
        "Move it, or import into another folder.",
    ),
    Explained(
        "inactive",
        "A workflow that an import names is off",
        "The API gives it another status than `active`: what would be taken over guards nothing now.",
        "Activate it in the console, or leave the line out.",
    ),
    Explained(
        "inexpressible",
        "A live workflow has a value that no manifest can say",
        "A manifest without it would change the workflow with the next apply.",
        "Change the value in the console, or declare the workflow yourself and import it without --write.",
    ),
    Explained(
        "journal",
        "A journal holds what a run recorded that did not end",
        "It belongs to the state: without it, ids of workflows that were made would be lost.",
        "Keep both files; the next apply merges them.",
    ),
    Explained(
        "left-id",
        "A workflow was created by a run that could not record it",
        "It is live, and bound to nothing: forgotten, it would be there for good, and made a second time.",
        "`defendctl state resolve ADDRESS --id WORKFLOW_ID` remembers it at the address it is of, "
        "`defendctl state rm WORKFLOW_ID` forgets it.",
    ),
    Explained(
        "missing",
        "The API does not know a workflow that an import names",
        "It was deleted, or the key or the host is that of another organization.",
        "Check the id, the key and the host.",
    ),
    Explained(
        "name-of-another",
        "A workflow that an import names has the name of another address",
        "Two ids may be swapped: the next apply would write what the one is to be over the other.",
        "Look in the console and give each address its own id; if it is meant, `import` takes `--now`.",
    ),
    Explained(
        "not-a-pair",
        "A line that is no pair of an address and a workflow id",
        "An import takes over exactly what it is told; half a line says nothing.",
        "Give each line both, as the header says.",
    ),
    Explained(
        "not-an-event",
        "A file that is no event",
        "An event is a mapping with `user_prompt`, `model_output` and `model_used`; one file holds one.",
        "Write it so, or correct the path.",
    ),
    Explained(
        "not-in-generation",
        "This generation of the API does not take what an event or a test holds",
        "Older generations know fewer fields; what they do not know is lost or refused.",
        "Take the field out, or use the form that the message names.",
    ),
    Explained(
        "older-checkout",
        "This checkout is older than the one last applied",
        "An apply from here would undo what was reviewed and applied since; it is refused (exit 6).",
        "Check out the newest commit; `--older-checkout` applies this one all the same.",
    ),
    Explained(
        "older-state",
        "The state is older than one that was here before",
        "A run has restored or checked out an old file: what was made since then is not in it.",
        "Bring the newest state back, as the message says.",
    ),
    Explained(
        "other-id",
        "The API answered for another workflow than it was asked for",
        "What is bound may have moved; nothing is taken over on such an answer.",
        "If the other id is the one that is meant, bind that.",
    ),
    Explained(
        "probable-move",
        "A new address holds the definition of one that is retired",
        "It looks like a rename. As it is, a second workflow would be made and the application would have to "
        "learn its id.",
        "Put `renamed_from: OLD` under the new address, or run `defendctl state mv OLD NEW`; if it is meant, "
        "go on.",
    ),
    Explained(
        "run-under-way",
        "Another run is writing the state",
        "What it has not finished yet may be planned here too.",
        "Wait until it is done, and plan again.",
    ),
    Explained(
        "unknown-canary",
        "Whether the canary was created is unknown",
        "A create had no answer: there may be one more workflow than the state knows.",
        "Look in the console, then settle it with `defendctl state resolve`.",
    ),
    Explained(
        "unknown-checkout",
        "Whether this checkout is older than the one last applied cannot be told",
        "The clone is shallow, lacks the commit, or git did not answer: an apply from here may undo another.",
        "Check out the whole history: `fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` of GitLab.",
    ),
    Explained(
        "unresolved",
        "An address that an import names has a create with an unknown outcome",
        "That create may have made this very workflow, or another one.",
        "Settle it first, with `defendctl state resolve`.",
    ),
)
