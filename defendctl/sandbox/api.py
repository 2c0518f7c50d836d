"""The six endpoints of the Defend API."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from defendctl.sandbox.access import Refused, require_key
from defendctl.sandbox.answers import EventView, WorkflowView, encode
from defendctl.sandbox.bodies import Invalid, parse_json, read_object
from defendctl.sandbox.evaluation import new_event
from defendctl.sandbox.forms import files_of
from defendctl.sandbox.generations import Generation
from defendctl.sandbox.model import File, Workflow, new_id, new_workflow, utc_now
from defendctl.sandbox.scores import Scripts, script_for
from defendctl.sandbox.store import Store
from defendctl.sandbox.stream import NOT_STREAMED, streamed

Endpoint = Callable[[Request], Awaitable[Response]]
MAX_LIMIT = 100


@dataclass(frozen=True)
class Api:
    store: Store
    accepts: Generation
    answers: Generation
    key: str | None
    delay: float
    scripts: Scripts

    def routes(self) -> list[Route]:
        event = "/defend/{workflow_id}/events/{event_id}"
        return [
            self._route("POST", "/defend", self.create_workflow),
            self._route("GET", "/defend/{workflow_id}", self.retrieve_workflow),
            self._route("PUT", "/defend/{workflow_id}", self.update_workflow),
            self._route("POST", "/defend/{workflow_id}/events", self.submit_event),
            self._route("GET", event, self.retrieve_event),
            self._route("POST", "/files/upload", self.upload_files),
        ]

    def _route(self, method: str, path: str, endpoint: Endpoint) -> Route:
        async def guarded(request: Request) -> Response:
            require_key(request, self.key)
            return await endpoint(request)

        return Route(path, guarded, methods=[method])

    async def create_workflow(self, request: Request) -> JSONResponse:
        values = read_object(await _body(request), self.accepts.create)
        workflow = new_workflow(self.accepts.settle_metrics(values, None))
        self.store.put_workflow(workflow)
        return JSONResponse(encode(WorkflowView(workflow, self.store), self.answers.created))

    async def retrieve_workflow(self, request: Request) -> JSONResponse:
        view = WorkflowView(self._workflow(request), self.store, _limit(request))
        return JSONResponse(encode(view, self.answers.workflow))

    async def update_workflow(self, request: Request) -> JSONResponse:
        values = read_object(await _body(request), self.accepts.update)
        workflow = self._workflow(request)
        changes = self.accepts.settle_metrics(values, workflow.type)
        workflow = replace(workflow, **changes, updated_at=utc_now())
        self.store.put_workflow(workflow)
        return JSONResponse(encode(WorkflowView(workflow, self.store), self.answers.updated))

    async def submit_event(self, request: Request) -> Response:
        """Before there were streams, the parameter was one of those that nobody knows."""
        asked = request.query_params.get("stream", "").lower() == "true"
        form = self.accepts.stream if asked and self.accepts.stream else self.accepts.submit
        submission = read_object(await _body(request), form)
        workflow = self._workflow(request)
        if workflow.status != "active":
            raise Refused(409, "Inactive workflows do not accept events")
        event = new_event(workflow, submission, self.delay, script_for(self.scripts, submission))
        self.store.add_events([event])
        if form is self.accepts.stream and submission["run_mode"] not in NOT_STREAMED:
            return streamed(event, time.time(), at_once="sandbox.held" in request.scope)
        return JSONResponse(encode(EventView(event), self.answers.accepted))

    async def retrieve_event(self, request: Request) -> JSONResponse:
        event = self.store.event(path_id(request, "workflow_id"), path_id(request, "event_id"))
        if event is None:
            raise Refused(404, "Event not found")
        return JSONResponse(encode(EventView(event), self.answers.event))

    async def upload_files(self, request: Request) -> JSONResponse:
        """What they hold is not kept. `file_search` takes any id, also one that was never given.

        The answer's form is that of one file; of several, it tells the first.
        """
        if not self.accepts.file_parts:
            raise Refused(404, "Not Found")
        content_type = request.headers.get("content-type", "")
        files = [
            File(new_id("file"), part.name, len(part.content), _sha256(part.content), utc_now())
            for part in files_of(content_type, await request.body(), self.accepts.file_parts)
        ]
        for file in files:
            self.store.put_file(file)
        return JSONResponse(encode(files[0], self.accepts.uploaded))

    def _workflow(self, request: Request) -> Workflow:
        workflow = self.store.workflow(path_id(request, "workflow_id"))
        if workflow is None:
            raise Refused(404, "Workflow not found")
        return workflow


def path_id(request: Request, name: str) -> str:
    """Paths are routed as they were sent (see app.py), so an escaped slash belongs to its id."""
    return unquote(request.path_params[name])


async def _body(request: Request) -> object:
    return parse_json(await request.body())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "10")
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= MAX_LIMIT):
        message = f"Input should be an integer from 0 to {MAX_LIMIT}"
        raise Refused(422, [{"loc": ["query", "limit"], "msg": message, "type": "int_parsing"}])
    return int(text)


async def refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return JSONResponse({"detail": error.detail}, error.status)


async def invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Invalid)
    return JSONResponse({"detail": list(error.problems)}, 422)
