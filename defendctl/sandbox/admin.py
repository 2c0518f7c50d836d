"""/_sandbox/: what the vendor's console does behind the API's back, and what only a test wants to know."""

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from defendctl.sandbox.access import refuse_other_sites, require_key
from defendctl.sandbox.api import Endpoint, path_id
from defendctl.sandbox.bodies import Field, Invalid, anything, parse_json, problem, read_object
from defendctl.sandbox.faults import Fault, Faults
from defendctl.sandbox.given import EVENTS, finished_event, workflow_values
from defendctl.sandbox.model import new_workflow, utc_now
from defendctl.sandbox.scores import Scripts
from defendctl.sandbox.store import Store, Taken

_FAULT = {each.name: Field(each.name, anything, required=each.name == "kind") for each in fields(Fault)}
_DEFAULTS = {"name": "Made in the console", "type": "custom", "improvement_action": "none"}


@dataclass(frozen=True)
class Admin:
    store: Store
    faults: Faults
    scripts: Scripts
    key: str | None

    def routes(self) -> list[Route]:
        one = "/_sandbox/workflows/{workflow_id}"
        return [
            self._route("POST", "/_sandbox/faults", self.add_fault),
            self._route("DELETE", "/_sandbox/faults", self.clear_faults),
            self._route("GET", "/_sandbox/requests", self.list_requests),
            self._route("DELETE", "/_sandbox/requests", self.clear_requests),
            self._route("GET", "/_sandbox/events", self.list_events),
            self._route("POST", "/_sandbox/events", self.add_events),
            self._route("GET", "/_sandbox/files", self.list_files),
            self._route("GET", "/_sandbox/workflows", self.list_workflows),
            self._route("POST", "/_sandbox/workflows", self.add_workflow),
            self._route("PATCH", one, self.edit_workflow),
            self._route("DELETE", one, self.remove_workflow),
        ]

    def _route(self, method: str, path: str, endpoint: Endpoint) -> Route:
        async def guarded(request: Request) -> Response:
            refuse_other_sites(request)
            require_key(request, self.key)
            return await endpoint(request)

        return Route(path, guarded, methods=[method])

    async def add_fault(self, request: Request) -> JSONResponse:
        values = read_object(parse_json(await request.body()), _FAULT)
        try:
            fault = Fault(**values)
        except (ValueError, TypeError, re.error) as error:
            raise Invalid(problem((), "value_error", str(error))) from None
        self.faults.faults.append(fault)
        return JSONResponse(asdict(fault))

    async def clear_faults(self, request: Request) -> JSONResponse:
        self.faults.faults.clear()
        return JSONResponse([])

    async def list_requests(self, request: Request) -> JSONResponse:
        return JSONResponse([asdict(seen) for seen in self.faults.seen])

    async def clear_requests(self, request: Request) -> JSONResponse:
        self.faults.seen.clear()
        return JSONResponse([])

    async def list_events(self, request: Request) -> Response:
        documents = self.store.raw_events(request.query_params.get("workflow_id"))
        return Response(f"[{','.join(documents)}]", media_type="application/json")

    async def add_events(self, request: Request) -> JSONResponse:
        given = read_object(parse_json(await request.body()), EVENTS)
        workflow = self.store.workflow(given["workflow_id"])
        if workflow is None:
            return JSONResponse({"detail": "Workflow not found"}, 404)
        events = [finished_event(workflow, values, self.scripts) for values in given["events"]]
        try:
            self.store.add_events(events)
        except Taken:
            raise Invalid(problem(("events",), "value_error", "An event_id appears twice")) from None
        return JSONResponse({"event_ids": [event.event_id for event in events]})

    async def list_files(self, request: Request) -> JSONResponse:
        return JSONResponse([vars(file) for file in self.store.files()])

    async def list_workflows(self, request: Request) -> JSONResponse:
        return JSONResponse([vars(workflow) for workflow in self.store.workflows()])

    async def add_workflow(self, request: Request) -> JSONResponse:
        values = {**_DEFAULTS, **await _workflow_values(request)}
        metrics = {"completeness": "medium" if values["type"] == "automatic" else 0.8}
        workflow = new_workflow({"metrics": metrics, **values})
        self.store.put_workflow(workflow)
        return JSONResponse(vars(workflow))

    async def edit_workflow(self, request: Request) -> JSONResponse:
        workflow = self.store.workflow(path_id(request, "workflow_id"))
        if workflow is None:
            return JSONResponse({"detail": "Workflow not found"}, 404)
        workflow = replace(workflow, **{"updated_at": utc_now(), **await _workflow_values(request)})
        self.store.put_workflow(workflow)
        return JSONResponse(vars(workflow))

    async def remove_workflow(self, request: Request) -> JSONResponse:
        self.store.remove_workflow(path_id(request, "workflow_id"))
        return JSONResponse({})


async def _workflow_values(request: Request) -> dict[str, Any]:
    return workflow_values(parse_json(await request.body()), ())
