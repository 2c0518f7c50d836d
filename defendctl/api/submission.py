"""A Submission → the body of a POST, in the words of a generation (docs/api.md 2). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.event import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.api.dialects.dialect import Dialect
    from defendctl.event import Submission


def unfit(given: Submission, dialect: Dialect) -> Iterator[tuple[str, str]]:
    """(key, sentence) for each thing that this generation does not take; nothing is left out in silence."""
    generation = dialect.support.generation
    if given.run_mode not in dialect.run_modes:
        known = ", ".join(dialect.run_modes)
        yield "run_mode", f"generation {generation} does not have this run mode; it has {known}"
    if dialect.needs_user_prompt and given.user_prompt is None:
        yield "user_prompt", f"generation {generation} needs a `user_prompt`"
    if not given.context:
        return
    if dialect.context is None:
        yield "context", f"generation {generation} takes no `context`"
    elif dialect.context == "text" and (len(given.context) > 1 or isinstance(given.context[0], Turn)):
        yield "context", f"generation {generation} takes `context` as one text only"


def body(given: Submission, dialect: Dialect) -> dict[str, Any]:
    """Of a submission that fits. What is None is left out."""
    context: Any = [_item(item) for item in given.context] or None
    if context and dialect.context == "text":
        context = context[0]
    model_input = {
        "user_prompt": given.user_prompt,
        "system_prompt": given.system_prompt,
        "context": context,
        "ground_truth": given.ground_truth,
    }
    return {
        "model_input": _there(model_input),
        "model_output": given.model_output,
        "model_used": given.model_used,
        "run_mode": given.run_mode,
        **_there({"nametag": given.nametag}),
    }


def _item(item: str | Turn) -> str | dict[str, str]:
    return {"role": item.role, "content": item.content} if isinstance(item, Turn) else item


def _there(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
