"""Everything that is declared, as a plan takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.policy.rules import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.model import LocalFile, Workflow
    from defendctl.policy.findings import Waiver
    from defendctl.yamltext.node import Document


@dataclass(frozen=True, slots=True)
class Desired:
    """What the manifests say, sorted by address. Do not use it while `diagnostics` holds an error."""

    workflows: dict[str, Workflow] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lints: list[Diagnostic] = field(default_factory=list)
    """What is allowed and seldom meant; only where it was asked for."""
    labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Of those that have any."""
    run_modes: Mapping[str, str] = field(default_factory=dict)
    """Of those that advise the application of one."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Address → the one it had before."""
    imports: dict[str, str] = field(default_factory=dict)
    """Address → the workflow id that its `import:` names."""
    waivers: tuple[Waiver, ...] = ()
    policy: Policy = field(default_factory=Policy)
    places: Mapping[tuple[str, str], Span] = field(default_factory=dict)
    """(address, path) → the line that says it; the path `""` is the address."""
    documents: Mapping[str, Document] = field(default_factory=dict)
    """The document in which each address stands as it is meant; only where they were asked for."""
    files: Mapping[str, LocalFile] = field(default_factory=dict)
    """What stands in a workflow's `file_search` for a file of the repository → that file."""
    left_out: frozenset[str] = frozenset()
    """Declared, but not in this environment."""
    overlaid: Mapping[str, Mapping[str, Span]] = field(default_factory=dict)
    """Address → each path that an overlay names, and where; null names what it takes away."""
    sources: frozenset[str] = frozenset()
    """The real path of every file that was read for this."""
