"""An event told as it happens: the Server-Sent Events of a submission with `?stream=true`.

By the vendor's page, `token` events hold the final output in pieces: what was submitted, or what an
improvement made of it; `error` holds a `message`. The kinds `status`, `evaluation` and `complete` are named
by an older description alone, so what is in them here is inferred; so is that such an event is kept and read
as any other.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence

from starlette.responses import Response, StreamingResponse

from defendctl.sandbox.answers import EvaluationView, EventView, result
from defendctl.sandbox.model import Event

NOT_STREAMED = ("precision_max", "precision_max_codex")
"""By the page all other run modes are. What these answer is not said: here, what they do without `stream`."""
_PIECE = re.compile(r"\s*\S+\s*|\s+")


def streamed(event: Event, now: float, *, at_once: bool) -> Response:
    """`at_once` leaves the pauses out, for a fault that looks at the whole answer before it leaves."""
    first, rest = _told("status", _identity(event, "In Progress")), list(_story(event))
    if at_once:
        return Response("".join([first, *rest]), media_type="text/event-stream")
    return StreamingResponse(_paced(first, rest, event.ready_at - now), media_type="text/event-stream")


async def _paced(first: str, rest: Sequence[str], seconds: float) -> AsyncIterator[str]:
    yield first
    await asyncio.sleep(seconds)
    for each in rest:
        yield each


def _story(event: Event) -> Iterator[str]:
    done = EventView(event, event.ready_at)
    for view in done.evaluations:
        yield _told("evaluation", {"attempt": view.number, "evaluation_result": result(view)})
    for piece in _PIECE.findall(_final_output(done.evaluations[-1])):
        yield _told("token", {"content": piece})
    yield _told("complete", {**_identity(event, "Completed"), "filtered": event.filtered})


def _final_output(last: EvaluationView) -> str:
    output: str = last.evaluation.output or last.event.submission["model_output"]
    return output


def _identity(event: Event, status: str) -> dict[str, object]:
    return {"event_id": event.event_id, "workflow_id": event.settings.workflow_id, "status": status}


def _told(kind: str, data: dict[str, object]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def broken_off(body: bytes, message: str) -> bytes:
    """The first half of a stream, which then says that something went wrong."""
    events = body.decode().split("\n\n")[:-1]
    told = "".join(f"{event}\n\n" for event in events[: len(events) // 2])
    return (told + _told("error", {"message": message})).encode()
