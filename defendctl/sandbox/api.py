"""The six endpoints of the Defend API."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hmac import compare_digest
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from defendctl.sandbox.answers import EventView, WorkflowView, encode
from defendctl.sandbox.bodies import Invalid, Problem, parse_json, problem, read_object
from defendctl.sandbox.evaluation import new_event
from defendctl.sandbox.forms import one_file
from defendctl.sandbox.generations import Generation
from defendctl.sandbox.model import File, Workflow, new_id, new_workflow, utc_now
from defendctl.sandbox.scores import Scripts, script_for
from defendctl.sandbox.store import Store

Endpoint = Callable[[Request], Awaitable[JSONResponse]]
MAX_LIMIT = 100


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, detail: str | list[Problem]) -> None:
        super().__init__()
        self.status = status
        self.detail = detail


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
        async def guarded(request: Request) -> JSONResponse:
            self._authorize(request)
            return await endpoint(request)

        return Route(path, guarded, methods=[method])

    def _authorize(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        right = self.key or key  # without a configured key any will do
        if scheme.lower() != "bearer" or not key.strip() or not compare_digest(key.encode(), right.encode()):
            raise Refused(401, "Invalid or missing API key")

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

    async def submit_event(self, request: Request) -> JSONResponse:
        if request.query_params.get("stream") == "true":
            raise Refused(501, "The sandbox does not stream")
        submission = read_object(await _body(request), self.accepts.submit)
        workflow = self._workflow(request)
        if workflow.status != "active":
            raise Refused(409, "Inactive workflows do not accept events")
        _check_run_mode(workflow, submission["run_mode"])
        event = new_event(workflow, submission, self.delay, script_for(self.scripts, submission))
        self.store.add_events([event])
        return JSONResponse(encode(EventView(event), self.answers.accepted))

    async def retrieve_event(self, request: Request) -> JSONResponse:
        event = self.store.event(path_id(request, "workflow_id"), path_id(request, "event_id"))
        if event is None:
            raise Refused(404, "Event not found")
        return JSONResponse(encode(EventView(event), self.answers.event))

    async def upload_files(self, request: Request) -> JSONResponse:
        """What it holds is not kept. `file_search` takes any id, also one that was never given."""
        if not self.accepts.file_parts:
            raise Refused(404, "Not Found")
        content_type = request.headers.get("content-type", "")
        part = one_file(content_type, await request.body(), self.accepts.file_parts)
        sha256 = hashlib.sha256(part.content).hexdigest()
        file = File(new_id("file"), part.name, len(part.content), sha256, utc_now())
        self.store.put_file(file)
        return JSONResponse(encode(file, self.accepts.uploaded))

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


def _check_run_mode(workflow: Workflow, run_mode: str) -> None:
    """The submission's page says that this mode lacks them, and advises another mode or an edit of the
    workflow; that the API refuses it is inferred."""
    if run_mode == "super_fast" and (workflow.web_search or workflow.file_search):
        message = "super_fast supports neither web search nor file search"
        raise Invalid(problem(("run_mode",), "value_error", message))


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
