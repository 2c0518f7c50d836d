"""Files as text, and YAML as defendctl reads it."""

from __future__ import annotations

from typing import Final

from defendctl.catalogue.entry import SOUND, Explained, sound, workflow

ENTRIES: Final = (
    Explained(
        "duplicate-key",
        "A key stands twice in one mapping",
        "YAML readers keep one of the two values without a word, so half of what was written has no effect.",
        "Keep one of them.",
        workflow(SOUND.replace("none", "fixit") + "\nmax_retries: 1\nmax_retries: 2"),
        workflow(SOUND.replace("none", "fixit") + "\nmax_retries: 2"),
    ),
    Explained(
        "file-too-large",
        "A file is larger than may be read",
        "What is read is held in memory: a limit keeps a wrong path from taking the machine.",
        "Split the file, or correct the path that leads to it. A file to search in must be within the limit "
        "that the message names.",
    ),
    Explained(
        "invalid-character",
        "A character that YAML does not allow",
        "Control characters are no text, and can make a file look like something else on a screen.",
        "Take the character out, or write it in double quotes as an escape, like \\x07.",
        sound("description: bell\x07"),
        sound("description: bell"),
    ),
    Explained(
        "invalid-utf8",
        "A file is not UTF-8",
        "Every file is read as UTF-8: what another encoding meant would be guessed.",
        "Save the file as UTF-8.",
    ),
    Explained(
        "not-a-regular-file",
        "A device, a pipe or a folder stands where a file should",
        "Reading it may never end, or change something.",
        "Put a file there, or correct the path.",
    ),
    Explained(
        "unreadable",
        "Something is there and cannot be read",
        "The system refused, or the API did not answer; to go on without it would be to guess what it holds.",
        "The message has the system's or the API's own words: correct the permissions, or try again.",
    ),
    Explained(
        "too-many-problems",
        "A file has more problems than are worth listing",
        "So many have one cause, as a rule: an indentation, or a file that was meant as something else.",
        "Correct the first ones, and validate again.",
    ),
    Explained(
        "too-many-values",
        "A file holds more values than may be read",
        "Aliases can make a small file stand for a huge one; a limit keeps it from taking the machine.",
        "Split the file, or use fewer aliases.",
    ),
    Explained(
        "yaml-alias-bomb",
        "Aliases stand for far more than the file says",
        "Aliases of aliases multiply: a few lines can stand for billions of values.",
        "Write the values out, or use `defaults` for what workflows share.",
        "version: 1\n"
        "x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        "x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        "x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
        "x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
        "x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
        "workflows: {}\n",
        "version: 1\nx-a: &a {completeness: 0.8}\nworkflows:\n  support-bot:\n    type: custom\n"
        "    metrics: *a\n    improvement_action: none\n",
    ),
    Explained(
        "yaml-key",
        "A key is not text",
        "Every key of ours is text; YAML would also take a list or a mapping.",
        "Write it as text; look for a `?`, a bracket or a brace at the start of the line.",
        sound("labels:\n  [team]: support"),
        sound("labels:\n  team: support"),
    ),
    Explained(
        "yaml-merge",
        "A merge key that merges no mapping",
        "`<<` lays the keys of a mapping under those beside it; a text has none.",
        "Name an anchor of a mapping, like `<<: *shared`, or use `defaults`.",
        sound("<<: shared"),
        "version: 1\nx-shared: &shared {improvement_action: none}\nworkflows:\n  support-bot:\n"
        "    <<: *shared\n    type: custom\n    metrics: {completeness: 0.8}\n",
    ),
    Explained(
        "yaml-number",
        "A number is too long",
        "No number of a manifest has more than a hundred characters, and to read such a one takes long.",
        "Put it in quotes if it is text.",
        sound(f"description: 1{'0' * 120}"),
        sound("description: '1000'"),
    ),
    Explained(
        "yaml-recursive-alias",
        "An alias inside its own anchor",
        "What it stands for would have no end.",
        "Write out what was meant.",
        "version: 1\nx-all: &all [*all]\n" + sound().removeprefix("version: 1\n"),
        sound(),
    ),
    Explained(
        "yaml-syntax",
        "Text that is no YAML",
        "Nothing after this place can be read, so nothing of the file is taken.",
        "The message says what the reader expected: look at the line before it too, for a quote or a bracket "
        "that is not closed, and at tabs in the indentation.",
        workflow("type: custom\nmetrics: {completeness: 0.8\nimprovement_action: none"),
        sound(),
    ),
    Explained(
        "yaml-tag",
        "A tag (`!…`)",
        "Tags ask a reader to make objects of text; here a value is what it looks like.",
        "Write the value without one.",
        sound("description: !secret text"),
        sound("description: text"),
    ),
    Explained(
        "yaml-too-deep",
        "Values nest too deeply",
        "No file of ours needs it, and to follow it could exhaust the reader.",
        "Flatten it.",
        f"version: 1\nx-deep: {'[' * 300}{']' * 300}\nworkflows: {{}}\n",
        sound(),
    ),
    Explained(
        "yaml-undefined-alias",
        "An alias of an anchor that there is not",
        "`*name` stands for what `&name` marks earlier in the same document.",
        "Correct the name, or put the anchor before it.",
        sound("description: *text"),
        "version: 1\nx-text: &text Answers customers.\nworkflows:\n  support-bot:\n    type: custom\n"
        "    metrics: {completeness: 0.8}\n    improvement_action: none\n    description: *text\n",
    ),
)
