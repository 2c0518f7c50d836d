"""Reading what is live, in parallel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from defendctl.api.patience import NotTried
from defendctl.diagnostics import ApiError, KeyRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from defendctl.engine.protocols import Remote
    from defendctl.model import Observed
    from defendctl.plan.build import Live

T = TypeVar("T")


def refresh(
    remote: Remote, ids: Mapping[str, str], parallelism: int, on_read: Callable[[], None] = lambda: None
) -> Live:
    """Address → answer for each id. Raises KeyRefused, or one ApiError that tells all failures."""

    def read(workflow_id: str) -> Observed | ApiError | None:
        try:
            return remote.read(workflow_id)
        except KeyRefused:
            raise
        except ApiError as error:
            return error
        finally:
            on_read()

    answers = in_parallel(read, ids, parallelism)
    _raise(answers)
    return {a: answer for a, answer in answers.items() if not isinstance(answer, ApiError)}


def in_parallel(read: Callable[[str], T], ids: Mapping[str, str], parallelism: int) -> dict[str, T]:
    """Address → what `read` makes of its id. What it raises comes out, and nothing more is started."""
    pool = ThreadPoolExecutor(min(parallelism, len(ids)))
    try:
        return dict(zip(ids, pool.map(read, ids.values()), strict=True))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _raise(answers: Mapping[str, Observed | ApiError | None]) -> None:
    """What failed is shown, and what was not tried because of it is counted."""
    failures = {a: answer for a, answer in answers.items() if isinstance(answer, ApiError)}
    if not failures:
        return
    tried = {a: error for a, error in failures.items() if not isinstance(error, NotTried)} or failures
    shown = [f"{address}: {error.message}" for address, error in list(tried.items())[:5]]
    more, untried = len(tried) - len(shown), len(failures) - len(tried)
    rest = [f"and {more} more"] if more else []
    rest += [f"not tried: {untried} more"] if untried else []
    raise ApiError("\n".join([*shown, *rest]))
