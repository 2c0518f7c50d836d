"""The one canonical shape of a workflow, and what a generation of the API can do with it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, NewType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METRICS: Final = {
    "correctness": "Factual truth of each claim.",
    "completeness": "Whether every part of the prompt is answered.",
    "instruction_adherence": "Whether explicit instructions in the prompts are followed.",
    "context_adherence": "Whether claims are supported by the supplied context (events must carry one).",
    "ground_truth_adherence": "Closeness to a reference answer (events must carry `ground_truth`).",
    "comprehensive_safety": "Safety violations: personal data, hate, violence, self-harm and more.",
}
"""The guardrail metrics the API documents (docs/api.md 4)."""

LEVELS: Final = ("low", "medium", "high")
TYPES: Final = ("custom", "automatic")
ACTIONS: Final = ("fixit", "regenerate", "none")
MAX_RETRIES_LIMIT: Final = 10_000
ADDRESS: Final = re.compile(r"[a-z]([a-z0-9._-]{0,61}[a-z0-9])?")
ADDRESS_RULE: Final = "a lowercase letter first, then lowercase letters, digits, `.`, `_` and `-`, 63 at most"

CANARY: Final = "@canary"
"""Where candidates are tested: bound as others are, at an address that no manifest can declare."""

GENERATIONS: Final = ("2025-10-07", "2025-10-22", "2025-11-10", "2025-12-07")
"""The forms of the API, oldest first; named by the date of the SDK release that introduced each."""
NEWEST: Final = GENERATIONS[-1]

RUN_MODES: Final = ("precision_plus", "precision", "smart", "economy")
"""In which an event may be evaluated in the first generations (docs/api.md 2)."""
NEWEST_RUN_MODES: Final = (
    *RUN_MODES,
    "precision_plus_codex",
    "ultra_fast",
    "super_fast",
    "fast",
    "precision_codex",
    "precision_max",
    "precision_max_codex",
)
"""Of the newest one: those of the day it came, and since March 2026; a page names `ultra_fast` too."""
WITHOUT_SEARCH: Final = ("super_fast", "ultra_fast")
"""Those in which neither the web nor a file is searched (docs/api.md 4)."""

SANDBOX: Final = "sandbox"
"""The API host of a state that belongs to the embedded API."""

CONTENT: Final = re.compile(r"sha256:[0-9a-f]{64}")
"""In `file_search`, what a file that is not uploaded yet holds; no id has this form (`usable_file_id`)."""

Fields = dict[str, Any]
"""Field → value, for some or all fields of a workflow. A field that is not there is not known.

`metrics` is a dict of metric → threshold (float) or level (str); `file_search` a sorted tuple of ids.
In what a manifest wants, the content of a file (`LocalFile.content`) may stand for an id.
"""


FieldPath = NewType("FieldPath", str)
"""Where one value of a workflow stands: `FieldPath(name)` of a field, or `metrics.<name>` for one metric; of
what only the console can change, `status` or `capabilities.<name>`. Put together and taken apart by the
functions below alone; no other text passes for one."""
_METRIC: Final = "metrics."
_CAPABILITY: Final = "capabilities."


@dataclass(frozen=True, slots=True)
class Workflow:
    """What a manifest declares, in canonical words: every field has a value."""

    name: str
    type: str
    metrics: Mapping[str, float | str]
    improvement_action: str
    description: str = ""
    max_retries: int = 10
    web_search: bool = False
    context_awareness: bool = False
    file_search: tuple[str, ...] = ()
    unmanaged: frozenset[str] = frozenset()
    """Fields that are left to the console: neither compared nor sent, whatever stands here."""

    def fields(self) -> Fields:
        """Those that are managed."""
        return {name: getattr(self, name) for name in FIELDS if name not in self.unmanaged}


FIELDS: Final = tuple(f.name for f in fields(Workflow) if f.name != "unmanaged")
DEFAULTS: Final[Fields] = {
    "description": "",
    "max_retries": 10,
    "web_search": False,
    "context_awareness": False,
    "file_search": (),
}


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the repository, as it was read; `path` is relative to the project's root."""

    path: str
    sha256: str
    """64 hexadecimal digits."""
    size: int
    """Bytes."""

    @property
    def content(self) -> str:
        """What stands for its id until there is one."""
        return f"sha256:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Observed:
    """What a GET answered, without run data. Only the fields that the answer held are there."""

    workflow_id: str
    fields: Fields
    status: str = "active"
    created_at: str | None = None
    evidence: str | None = None
    """The generation this answer points to, if any."""
    changed_at: str | None = None
    """When the API says that it was last changed."""
    capabilities: frozenset[str] = frozenset()
    """Those that are on and that no manifest can speak of: the API's set of them is open."""
    stats: Mapping[str, float] = field(default_factory=dict, compare=False)
    """What the workflow counts of itself, in the API's words; never compared with anything."""


@dataclass(frozen=True, slots=True)
class Support:
    """What one generation can create, read back and update, by field."""

    generation: str
    create: frozenset[str]
    read: frozenset[str]
    update: frozenset[str]
    one_level: bool = False
    """Whether an automatic workflow has a single tolerance for all its metrics."""


def metric_path(name: str) -> FieldPath:
    return FieldPath(f"{_METRIC}{name}")


def capability_path(name: str) -> FieldPath:
    return FieldPath(f"{_CAPABILITY}{name}")


def metric_of(path: FieldPath) -> str | None:
    """The name of the metric that stands at a path, which may hold dots; None where none does."""
    return path.removeprefix(_METRIC) if path.startswith(_METRIC) else None


def is_metric(path: FieldPath) -> bool:
    return path.startswith(_METRIC)


def field_of(path: FieldPath) -> str:
    """The field a path belongs to: `metrics.completeness` → `metrics`."""
    return path.partition(".")[0]


def leaves(values: Fields) -> dict[FieldPath, Any]:
    """The same values by path."""
    flat = {FieldPath(name): value for name, value in values.items() if name != "metrics"}
    return flat | {metric_path(name): value for name, value in values.get("metrics", {}).items()}


def split_metrics(values: Mapping[FieldPath, Any]) -> tuple[Fields, dict[str, Any]]:
    """What `leaves` put together: the other fields, and metric → value of the metrics that are there."""
    fields: Fields = {path: value for path, value in values.items() if not is_metric(path)}
    return fields, {path.removeprefix(_METRIC): value for path, value in values.items() if is_metric(path)}


def only_console(path: FieldPath) -> bool:
    """Whether nothing but the console can change it: it is told, and no manifest or apply does anything."""
    return field_of(path) in ("status", "capabilities")


def usable_id(value: object) -> bool:
    """Whether a workflow id may be stored and used in a path."""
    if not isinstance(value, str) or not 1 <= len(value) <= 256 or value in (".", ".."):
        return False
    if value.isascii():
        return value.isprintable() and " " not in value
    return not any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in value)


def usable_file_id(value: object) -> bool:
    """Whether the id of a file may be stored: no content has such a name."""
    return usable_id(value) and not CONTENT.fullmatch(str(value))


@dataclass(frozen=True, slots=True)
class SentValue:
    """One value of an update that left, and the fingerprint of that change (`plan/fingerprints.py`)."""

    path: FieldPath
    value: Any
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit from which a state was applied; by the newest an older checkout is noticed."""

    commit: str
    time: int
    """Of its committer, in seconds since 1970."""
    ref: str | None = None
    """The branch or tag, as far as git or the CI job names one."""
    run: str | None = None
    """The address of the CI run."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A workflow that is ours, and what we know of its fields besides reading them.

    `applied` was written by us, or read and seen agreeing. `assumed` stood in the manifest when a field
    that nobody could read was taken over. `unconfirmed` was in a PUT whose success is not recorded.
    """

    workflow_id: str
    applied: Fields = field(default_factory=dict)
    assumed: Fields = field(default_factory=dict)
    unconfirmed: frozenset[str] = frozenset()
    recorded: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Field of `applied` → when that was recorded (ISO 8601, UTC), and by which run. What an older
    defendctl recorded has none."""
    sent: tuple[SentValue, ...] = ()
    """What an update carried whose success is not recorded."""

    def knowing(self, applied: Fields) -> Binding:
        """The same binding after these fields were written, or seen agreeing."""
        return replace(
            self,
            applied=self.applied | applied,
            assumed={name: value for name, value in self.assumed.items() if name not in applied},
            unconfirmed=self.unconfirmed - applied.keys(),
            sent=tuple(one for one in self.sent if field_of(one.path) not in applied),
        )

    def signed(self, names: Iterable[str], at: str | None, by: str | None) -> Binding:
        """The same binding, with these fields recorded then; without a time, nobody says when."""
        left = {name: stamp for name, stamp in self.recorded.items() if name not in set(names)}
        stamps = dict.fromkeys(names, (at, by)) if at and by else {}
        return replace(self, recorded={**left, **stamps})


@dataclass(frozen=True, slots=True)
class Intent:
    """One create that may have been sent: durable before the POST leaves."""

    op: str
    at: str
    """When the intent was written, ISO 8601 in UTC."""
    sent: Fields
    replaces: str | None = None
    """The workflow id whose place the new one takes, for a replace."""
    why: str | None = None
    answered: str | None = None
    """The workflow id that came back and could not be recorded; found in a recovery file, never written."""


@dataclass(slots=True)
class State:
    """What we remember between runs. The dicts are sorted only when written."""

    lineage: str | None = None
    serial: int = 0
    writer: str = ""
    api_host: str | None = None
    generation: str | None = None
    folded: str | None = None
    """The id of the last journal that was folded in."""
    bindings: dict[str, Binding] = field(default_factory=dict)
    unresolved: dict[str, Intent] = field(default_factory=dict)
    tombstones: dict[str, tuple[Binding, ...]] = field(default_factory=dict)
    """Workflows that stay live without us, by address, the newest last."""
    environment: str | None = None
    """Of a project that has any, the one whose workflows these are."""
    uploads: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of what was uploaded → the id of the file."""
    ancestors: tuple[str, ...] = ()
    """The writers of the states that this one came from, the parent first."""
    former: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address → those that it had before, the newest last. An address stands in one of them at most."""
    spent: dict[str, int] = field(default_factory=dict)
    """Digest of a plan, or fingerprint of a change, that was applied → the serial which that apply left."""
    spent_floor: int = 0
    """The highest serial whose entries in `spent` were dropped."""
    attempted: Revision | None = None
    """Of the newest apply that wrote something."""
    completed: Revision | None = None
    """Of the newest apply of everything that left nothing undone."""
    moved_to: str | None = None
    """Where the state went on, as `state.url` or `state.path` says it: nobody goes on from this one."""

    def copy(self) -> State:
        """One that can be changed by itself; what its dicts hold is the same, and never changed."""
        return replace(
            self,
            bindings=dict(self.bindings),
            unresolved=dict(self.unresolved),
            tombstones=dict(self.tombstones),
            uploads=dict(self.uploads),
            former=dict(self.former),
            spent=dict(self.spent),
        )

    def move(self, old: str, new: str) -> None:
        """What is bound and remembered at `old` is `new`'s from now on."""
        if old in self.bindings:
            self.bindings[new] = self.bindings.pop(old)
        remembered = (*self.tombstones.pop(new, ()), *self.tombstones.pop(old, ()))
        if remembered:
            self.tombstones[new] = remembered
        before = (*self.former.pop(new, ()), *self.former.pop(old, ()), old)
        self.vacate(new)
        self.former[new] = tuple(address for address in dict.fromkeys(before) if address != new)

    def vacate(self, address: str) -> None:
        """`address` has a binding of its own again: it is no former name of another."""
        for now, before in list(self.former.items()):
            left = tuple(each for each in before if each != address)
            self.former.pop(now)
            if left:
                self.former[now] = left

    @property
    def managed(self) -> dict[str, Binding]:
        """What manifests may declare: all but the canary."""
        return {address: binding for address, binding in self.bindings.items() if address != CANARY}

    def known_ids(self) -> dict[str, str]:
        """Every id that is bound or remembered → its address."""
        ids = {b.workflow_id: address for address, old in self.tombstones.items() for b in old}
        return ids | {b.workflow_id: address for address, b in self.bindings.items()}
