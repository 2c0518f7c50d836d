"""/_sandbox/: what the vendor's console does behind the API's back, and what only a test wants to know."""

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from defendctl.sandbox.api import path_id
from defendctl.sandbox.bodies import Field, Invalid, anything, parse_json, problem, read_object
from defendctl.sandbox.faults import Fault, Faults
from defendctl.sandbox.model import Workflow, new_workflow, utc_now
from defendctl.sandbox.store import Store

# The console may set anything, also what the API would refuse. The API's own names work as well.
_RAW = {
    "threshold_type": "type",
    "automatic_hallucination_tolerance_levels": "metrics",
    "custom_hallucination_threshold_values": "metrics",
    "max_improvement_attempts": "max_retries",
}
_CANONICAL = {each.name: each.name for each in fields(Workflow)}
_WORKFLOW = {name: Field(into, anything) for name, into in {**_CANONICAL, **_RAW}.items()}
_FAULT = {each.name: Field(each.name, anything, required=each.name == "kind") for each in fields(Fault)}
_DEFAULTS = {"name": "Made in the console", "type": "custom", "improvement_action": "none"}


@dataclass(frozen=True)
class Admin:
    store: Store
    faults: Faults

    def routes(self) -> list[Route]:
        one = "/_sandbox/workflows/{workflow_id}"
        return [
            Route("/_sandbox/faults", self.add_fault, methods=["POST"]),
            Route("/_sandbox/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_sandbox/requests", self.list_requests, methods=["GET"]),
            Route("/_sandbox/requests", self.clear_requests, methods=["DELETE"]),
            Route("/_sandbox/workflows", self.list_workflows, methods=["GET"]),
            Route("/_sandbox/workflows", self.add_workflow, methods=["POST"]),
            Route(one, self.edit_workflow, methods=["PATCH"]),
            Route(one, self.remove_workflow, methods=["DELETE"]),
        ]

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

    async def list_workflows(self, request: Request) -> JSONResponse:
        return JSONResponse([vars(workflow) for workflow in self.store.workflows()])

    async def add_workflow(self, request: Request) -> JSONResponse:
        values = {**_DEFAULTS, **await _values(request)}
        metrics = {"completeness": "medium" if values["type"] == "automatic" else 0.8}
        workflow = new_workflow({"metrics": metrics, **values})
        self.store.put_workflow(workflow)
        return JSONResponse(vars(workflow))

    async def edit_workflow(self, request: Request) -> JSONResponse:
        workflow = self.store.workflow(path_id(request, "workflow_id"))
        if workflow is None:
            return JSONResponse({"detail": "Workflow not found"}, 404)
        workflow = replace(workflow, **{"updated_at": utc_now(), **await _values(request)})
        self.store.put_workflow(workflow)
        return JSONResponse(vars(workflow))

    async def remove_workflow(self, request: Request) -> JSONResponse:
        self.store.remove_workflow(path_id(request, "workflow_id"))
        return JSONResponse({})


async def _values(request: Request) -> dict[str, Any]:
    values = read_object(parse_json(await request.body()), _WORKFLOW)
    action = {"regen": "regenerate", "do_nothing": "none"}.get(values.get("improvement_action", ""))
    return {**values, "improvement_action": action} if action else values
