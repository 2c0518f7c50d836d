"""Reading what is live, in parallel, and telling which generation answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from defendctl.diagnostics import ApiError, Diagnostic, KeyRefused
from defendctl.model import GENERATIONS, NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from defendctl.engine.protocols import Remote
    from defendctl.model import Observed
    from defendctl.plan.build import Live


def refresh(
    remote: Remote, ids: Mapping[str, str], parallelism: int, on_read: Callable[[], None] = lambda: None
) -> Live:
    """Address → answer for each id. Raises KeyRefused, or one ApiError that tells all failures."""
    if not ids:
        return {}

    def read(workflow_id: str) -> Observed | ApiError | None:
        try:
            return remote.read(workflow_id)
        except ApiError as error:
            return error
        finally:
            on_read()

    with ThreadPoolExecutor(min(parallelism, len(ids))) as pool:
        answers = dict(zip(ids, pool.map(read, ids.values()), strict=True))
    _raise(answers)
    return {a: answer for a, answer in answers.items() if not isinstance(answer, ApiError)}


def _raise(answers: Mapping[str, Observed | ApiError | None]) -> None:
    failures = {a: answer for a, answer in answers.items() if isinstance(answer, ApiError)}
    refused = next((e for e in failures.values() if isinstance(e, KeyRefused)), None)
    if refused:
        raise refused
    if failures:
        shown = [f"{address}: {error.message}" for address, error in list(failures.items())[:5]]
        rest = [f"and {len(failures) - 5} more"] if len(failures) > 5 else []
        raise ApiError("\n".join([*shown, *rest]))


def generation(pinned: str, answers: Iterable[Observed | None], recorded: str | None) -> str:
    """The generation that governs what is written (contract.md 1)."""
    if pinned != "auto":
        return pinned
    seen = _evidence(answers)
    return max(seen, key=GENERATIONS.index) if seen else recorded or NEWEST


def disagreement(pinned: str, answers: Iterable[Observed | None]) -> list[Diagnostic]:
    """A warning where `auto` saw more than one generation answer."""
    seen = _evidence(answers) if pinned == "auto" else set()
    if len(seen) < 2:
        return []
    message = (
        f"answers of several generations of the API were read ({', '.join(sorted(seen))}); the newest "
        "is taken. Pin `api.generation` in defendctl.yaml if that is wrong"
    )
    return [Diagnostic("warning", "generations-differ", message)]


def _evidence(answers: Iterable[Observed | None]) -> set[str]:
    return {answer.evidence for answer in answers if answer and answer.evidence}
