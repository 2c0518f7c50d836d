"""What a manifest and the project file may hold: the one source of validation and of the JSON Schema.

A workflow's model is chosen by its `type` in `validate`, for a union would put its tags into error paths.
Names of metrics, keys that exclude one another and repeated items are checked there too.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from defendctl.model import MAX_RETRIES_LIMIT

OLD_ACTIONS = {"regen": "regenerate", "do_nothing": "none", None: "none"}
NOT_BLANK = r"[^\s\u001c-\u001f\u0085\ufeff]"
"""Written out, because the engines behind Python, Rust and editors differ in what `\\s` is."""
NO_PLACEHOLDER = r"^[^<\s\u001c-\u001f\u0085\ufeff]"
"""The waivers we write hold `<what to put here>`, and must not be taken with it."""
LABEL_KEY = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
"""As Kubernetes has them."""
MAX_LABELS = 32
RULE_ID = r"[a-z]([a-z0-9._-]{0,61}[a-z0-9])?"

MAX_COUNT = 1_000_000
MAX_EVENTS = 10_000
MAX_REPEATS = 20


def _whole(value: Any) -> Any:
    """5.0 is an integer, as in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _action(value: Any) -> Any:
    return OLD_ACTIONS.get(value, value) if value is None or isinstance(value, str) else value


def _description(value: Any) -> Any:
    return "" if value is None else value


def _not_empty(value: Any) -> Any:
    if value is None or value in ([], {}):
        raise ValueError("empty")
    return value


def _positive_zero(value: float) -> float:
    return value + 0.0


Whole = BeforeValidator(_whole)
Version = Annotated[int, Field(ge=1, le=1), Whole]  # a Literal would take true
Text = Annotated[str, Field(pattern=NOT_BLANK)]
Item = Annotated[str, Field(min_length=1)]
Level = Literal["low", "medium", "high"]
Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), AfterValidator(_positive_zero)]
Retries = Annotated[int, Field(ge=0, le=MAX_RETRIES_LIMIT), Whole]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT), Whole]
Repeats = Annotated[int, Field(ge=1, le=MAX_REPEATS), Whole]
Unmanaged = Literal["description", "max_retries", "web_search", "context_awareness", "file_search"]
"""What may be left to the console: exactly the fields with a default, for they alone need not be sent."""
Action = Annotated[Literal["fixit", "regenerate", "none"], BeforeValidator(_action)]


class Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Manifest(Model):
    """One document; keys that begin with `x-` are taken out before. Each waiver is checked by itself."""

    schema_: str = Field("", alias="$schema")
    version: Version
    defaults: Any = None
    workflows: dict[str, Any]
    waivers: list[Any] = []


class Overlay(Model):
    """One document of an overlay; what it holds is checked where it is laid over the rest."""

    schema_: str = Field("", alias="$schema")
    version: Version
    workflows: dict[str, Any] = {}
    waivers: list[Any] = []


class Waiver(Model):
    """One change of one field that somebody lets pass. What its texts say is checked in `waivers`."""

    address: Item
    rule: Item
    field: Item
    to: Any = None
    reason: Annotated[str, Field(pattern=NO_PLACEHOLDER, max_length=500)]
    approver: Annotated[str, Field(pattern=NO_PLACEHOLDER, max_length=200)]
    expires: str


class Import(Model):
    """A workflow that exists and is to be bound here."""

    workflow_id: Item


class File(Model):
    """A file of the repository that is to be searched; where it is and what it holds is seen to later."""

    path: Text


class Common(Model):
    """What every workflow may hold. An empty name stands for the address."""

    name: Text = ""
    description: Annotated[str, BeforeValidator(_description)] = ""
    improvement_action: Action
    max_retries: Retries = 10
    max_improvement_attempts: Retries = 10  # the old name of max_retries
    web_search: bool = False
    context_awareness: bool = False
    file_search: list[Any] = []  # ids and Files, each checked by itself
    labels: dict[str, str] = {}
    unmanaged: list[Unmanaged] = []
    renamed_from: Item = ""
    import_: Import = Field(Import(workflow_id="-"), alias="import")


class Custom(Common):
    type: Literal["custom"]
    metrics: Annotated[dict[str, Threshold], Field(min_length=1)]


class AutomaticList(Common):
    type: Literal["automatic"]
    tolerance: Level
    metrics: Annotated[list[str], Field(min_length=1)]


class AutomaticLevels(Common):
    type: Literal["automatic"]
    metrics: Annotated[dict[str, Level], Field(min_length=1)]


class Untyped(Common):
    """A workflow whose type is missing or wrong: the rest of it is still checked."""

    type: Literal["custom", "automatic"]
    tolerance: Level = "low"
    metrics: Annotated[Any, BeforeValidator(_not_empty)]


OF_ONE_WORKFLOW = frozenset({"name", "renamed_from", "import"})
"""What would be wrong as a default, for no two workflows share it."""


class Defaults(Common):
    """What the workflows of a document leave out. Which metrics fit is seen where they are filled in."""

    type: Literal["custom", "automatic"] = "custom"
    tolerance: Level = "low"
    metrics: Annotated[Any, BeforeValidator(_not_empty)] = None
    improvement_action: Action = "none"


Workflow = Custom | AutomaticList | AutomaticLevels | Untyped


class Api(Model):
    base_url: Text = ""
    key_variable: Text = "DEEPRAILS_API_KEY"
    generation: Literal["auto", "2025-10-07", "2025-10-22", "2025-11-10", "2025-12-07"] = "auto"
    uploads: bool = False


class State(Model):
    path: Text = "defendctl.state.json"
    lineage: Text = ""


LintLevel = Literal["error", "warning", "ignore"]
"""`off` would be false to a reader of YAML 1.1."""


class Lint(Model):
    """How grave each finding of `lint` is."""

    correctness_in_automatic: LintLevel = Field("warning", alias="correctness-in-automatic")
    replay_no_context: LintLevel = Field("warning", alias="replay-no-context")
    replay_no_ground_truth: LintLevel = Field("warning", alias="replay-no-ground-truth")
    replay_super_fast_search: LintLevel = Field("warning", alias="replay-super-fast-search")
    retries_without_action: LintLevel = Field("warning", alias="retries-without-action")
    retries_zero: LintLevel = Field("warning", alias="retries-zero")
    same_name: LintLevel = Field("warning", alias="same-name")
    threshold_one: LintLevel = Field("warning", alias="threshold-one")
    threshold_zero: LintLevel = Field("warning", alias="threshold-zero")
    unpinned_state: LintLevel = Field("warning", alias="unpinned-state")


class Capabilities(Model):
    """The state that is demanded; a capability that is not named may be either."""

    web_search: bool = False
    context_awareness: bool = False
    file_search: bool = False


class Select(Model):
    addresses: Annotated[list[Text], Field(min_length=1)] = ["*"]
    labels: Annotated[dict[str, str], Field(min_length=1)] = {}


class Rule(Model):
    """One rule of a policy; that it holds exactly one check, and knows its metrics, is checked in `rules`."""

    id: str
    level: Literal["warn", "deny"]
    message: Annotated[str, Field(pattern=NOT_BLANK, max_length=500)] = ""
    select: Select = Select()
    min_threshold: Annotated[dict[str, Threshold], Field(min_length=1)] = {}
    require_metrics: Annotated[list[str], Field(min_length=1)] = []
    allow_types: Annotated[list[Literal["custom", "automatic"]], Field(min_length=1)] = []
    allow_tolerances: Annotated[list[Level], Field(min_length=1)] = []
    allow_improvement_actions: Annotated[
        list[Literal["fixit", "regenerate", "none"]], Field(min_length=1)
    ] = []
    min_retries: Retries = 0
    max_retries: Retries = 0
    capabilities: Capabilities = Capabilities()
    no_loosening: bool = True
    no_indeterminate: bool = True
    max_threshold_step: Threshold = 0
    no_retire: bool = True
    max_creates: Count = 0
    max_changes: Count = 0
    max_flag_rate: Threshold = 0


class Replay(Model):
    last: Annotated[int, Field(ge=1, le=MAX_EVENTS), Whole] = 50
    min_events: Annotated[int, Field(ge=1, le=MAX_EVENTS), Whole] = 20


class Policy(Model):
    include: list[Text] = []
    replay: Replay = Replay()
    rules: list[Any] = []


class PolicyFile(Model):
    """A file that `policy.include` names; keys that begin with `x-` are taken out before."""

    schema_: str = Field("", alias="$schema")
    version: Version
    rules: list[Any]


ENVIRONMENT = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LONGEST_ENVIRONMENT = 32


class StateOfEnvironment(State):
    path: Text = ""


class Environment(Model):
    """One of `environments:`; what it leaves out is as at the top, but for the state, which is its own."""

    api: Api = Api()
    state: StateOfEnvironment = StateOfEnvironment()
    policy: Policy = Policy()
    overlays: list[Text] = []


class ProjectFile(Model):
    """`defendctl.yaml`; keys that begin with `x-` are taken out before."""

    schema_: str = Field("", alias="$schema")
    version: Version
    manifests: Annotated[list[Text], Field(min_length=1)] = ["workflows"]
    tests: list[Text] = []
    api: Api = Api()
    state: State = State()
    custom_metrics: list[Text] = []
    lint: Lint = Lint.model_validate({})
    policy: Policy = Policy()
    environments: Annotated[dict[str, Any], Field(min_length=1)] = {}


class EventInput(Model):
    """What `events submit` reads; `context` is checked in `submissions`. `x-` keys are taken out before."""

    schema_: str = Field("", alias="$schema")
    user_prompt: Text = ""
    system_prompt: Text = ""
    context: Any = None
    ground_truth: Text = ""
    model_output: str
    model_used: Text
    run_mode: Text = ""
    nametag: Text = ""
    model_input: Any = None  # a CaseInput, as the vendor's own requests hold it, in place of the first four


class SuiteFile(Model):
    """One document; each case is checked by itself in `suites`, with the defaults in it."""

    schema_: str = Field("", alias="$schema")
    version: Version
    defaults: Any = None
    tests: dict[str, Any]


class CaseDefaults(Model):
    """What cases leave out. `cost` is checked in `suites`."""

    workflow: Text = ""
    model_used: Text = ""
    run_mode: Text = ""
    repeats: Repeats = 1
    quorum: Repeats = 1
    tags: list[Item] = []
    cost: Any = None


class CaseInput(Model):
    """`context` is checked in `submissions`."""

    user_prompt: Text = ""
    system_prompt: Text = ""
    context: Any = None
    ground_truth: Text = ""


class Expect(Model):
    """A word alone stands for `result`."""

    result: Literal["flagged", "passes"] = "flagged"
    metrics: Annotated[dict[str, Literal["flagged", "passes"]], Field(min_length=1)] = {}
    scores: dict[str, Annotated[list[Threshold], Field(min_length=2, max_length=2)]] = {}
    improvement: Literal["improved", "failed", "not_required", "required"] = "improved"


class Case(CaseDefaults):
    workflow: Text
    model_used: Text
    input: CaseInput
    output: str
    expect: Expect
