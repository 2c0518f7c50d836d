"""One ASGI application: the API behind the faults, the admin routes beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from defendctl.sandbox.access import Refused
from defendctl.sandbox.admin import Admin
from defendctl.sandbox.api import Api, invalid, refused
from defendctl.sandbox.bodies import Invalid
from defendctl.sandbox.faults import Faults
from defendctl.sandbox.generations import GENERATIONS, NEWEST, generation_named
from defendctl.sandbox.scores import Scripts
from defendctl.sandbox.store import Store

__all__ = ["GENERATIONS", "create_app"]


def create_app(
    data: str = ":memory:",
    generation: str = NEWEST,
    answers: str | None = None,
    api_key: str | None = None,
    scores: Scripts | None = None,
    delay: float = 0.2,
) -> Starlette:
    """`generation` governs what writes are accepted, `answers` what answers look like; `scores` are scripted
    ones; `delay` is the time in seconds for which a submitted event is in progress."""
    accepts, shows = generation_named(generation), generation_named(answers or generation)
    store = Store(data)
    faults = Faults(store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    scripts = scores or {}
    app = Starlette(
        routes=[
            *Api(store, accepts, shows, api_key, delay, scripts).routes(),
            *Admin(store, faults, scripts, api_key).routes(),
        ],
        middleware=[Middleware(_undecoded_paths), Middleware(faults.middleware)],
        exception_handlers={Refused: refused, Invalid: invalid, HTTPException: _plain},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _undecoded_paths(app: ASGIApp) -> ASGIApp:
    """Ids are opaque and may hold an escaped slash, so paths are routed and recorded as they were sent."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = scope["raw_path"].decode("latin-1")
        await app(scope, receive, send)

    return wrapped


async def _plain(request: Request, error: Exception) -> JSONResponse:
    """Unknown paths and methods, in the same form as every other refusal."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
