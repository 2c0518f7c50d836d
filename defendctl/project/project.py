"""A project as the commands know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.replay.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from defendctl.diagnostics import Span
    from defendctl.policy.rules import Rule
    from defendctl.schema.models_project import LintLevel
    from defendctl.state.place import Place


FILE_NAME = "defendctl.yaml"
DEFAULT_MANIFESTS = ("workflows",)
DEFAULT_STATE = "defendctl.state.json"
KEY_VARIABLE = "DEEPRAILS_API_KEY"


def default_state(environment: str) -> str:
    return f"defendctl.{environment}.state.json"


@dataclass(frozen=True, slots=True)
class Project:
    """Where things are. Without a project file every value is its default and `file` is None."""

    root: Path
    file: Path | None
    state_path: Path
    manifests: tuple[str, ...] = DEFAULT_MANIFESTS
    base_url: str | None = None
    generation: str = "auto"
    lineage: str | None = None
    custom_metrics: tuple[str, ...] = ()
    lint: Mapping[str, LintLevel] = field(default_factory=dict)
    """Code → how grave it is."""
    state_span: Span | None = field(default=None, compare=False)
    """Where `state_path` stands, or would."""
    spans: tuple[Span, ...] = ()
    """Where each of `manifests` stands; empty if the file does not say them."""
    tests: tuple[str, ...] = ()
    test_spans: tuple[Span, ...] = ()
    labels: tuple[str, ...] = ()
    label_spans: tuple[Span, ...] = ()
    rules: tuple[Rule, ...] = ()
    includes: tuple[str, ...] = ()
    include_spans: tuple[Span, ...] = ()
    sample: Sample = field(default_factory=Sample)
    """The events that rules of the policy are judged on."""
    key_variable: str = KEY_VARIABLE
    """The name of the environment variable that holds the key."""
    environment: str | None = None
    environments: Mapping[str, Project] = field(default_factory=dict)
    """Of a project that has any: the project as it is in each of them."""
    own_url: bool = False
    """Whether the environment itself says `base_url`: then no variable may send its key elsewhere."""
    overlays: tuple[str, ...] = ()
    overlay_spans: tuple[Span, ...] = ()
    other_overlays: tuple[str, ...] = ()
    """Those of the other environments, which are no manifests either."""
    uploads: bool = False
    """Whether files of the repository may be uploaded."""
    place: Place | None = None
    """Where the state is, if not in the file of `state_path`."""
