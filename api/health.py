"""Whether this process lives, whether it can do its work, and what it has counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import psycopg
import redis
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from api.auth import FromServices
from api.schemas.base import Told
from ledger.errors import FolioError
from observability.metrics import exposition
from projections import checkpoints
from wiring.migrate import newest_revision
from wiring.services import Services

router = APIRouter(tags=["health"])

Health = Literal["ok", "degraded", "down"]
_LAG_LIMIT: Final = 10_000
_REDIS_SECONDS: Final = 0.5


class Component(Told):
    """One thing this process leans on."""

    status: Health
    detail: str | None = None


class Readiness(Told):
    """Whether work can be sent here; `degraded` can."""

    status: Health
    components: dict[str, Component]


class Liveness(Told):
    status: Literal["ok"] = "ok"


@router.get("/live")
def live() -> Liveness:
    """The process answers; nothing else is asked."""
    return Liveness()


@router.get("/ready", responses={503: {"model": Readiness}})
def ready(services: FromServices) -> Response:
    """Whether this process can do its work: 503 when it cannot."""
    readiness = _readiness(services)
    return _answer(readiness, 503 if readiness.status == "down" else 200)


@router.get("/health")
def health(services: FromServices) -> Readiness:
    """The same as `/ready`, for people: always 200."""
    return _readiness(services)


@router.get("/metrics", response_class=Response)
def metrics(request: Request, services: FromServices) -> Response:
    """Everything this process has counted, for Prometheus."""
    for publish in request.app.state.before_metrics:
        publish()
    return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _answer(document: BaseModel, status: int) -> Response:
    return JSONResponse(document.model_dump(mode="json"), status)


def _readiness(services: Services) -> Readiness:
    components = {**_database(services), "redis": _redis(services)}
    found = {component.status for component in components.values()}
    worst: Health = "down" if "down" in found else "degraded" if "degraded" in found else "ok"
    return Readiness(status=worst, components=components)


def _database(services: Services) -> dict[str, Component]:
    try:
        with services.database.connection() as connection:
            revision = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()
            lag = checkpoints.lag(connection)
    except (FolioError, psycopg.Error) as error:
        return {"database": Component(status="down", detail=type(error).__name__)}
    return {
        "database": Component(status="ok"),
        "migrations": _migrations(str(revision[0]) if revision else ""),
        "projections": _projections(lag),
    }


def _migrations(applied: str) -> Component:
    newest = newest_revision() or ""
    if applied < newest:
        return Component(status="down", detail=f"at {applied}, {newest} is needed")
    return Component(status="ok", detail=applied)


def _projections(lag: Mapping[str, int]) -> Component:
    behind, name = max(((events, name) for name, events in lag.items()), default=(0, ""))
    if behind > _LAG_LIMIT:
        return Component(status="degraded", detail=f"{name} is {behind} events behind")
    return Component(status="ok", detail=f"{behind} events behind")


def _redis(services: Services) -> Component:
    # Without Redis everything stays right and becomes a little slower.
    client = redis.Redis.from_url(
        services.redis_url,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )
    try:
        client.ping()
    except redis.RedisError as error:
        return Component(status="degraded", detail=type(error).__name__)
    finally:
        client.close()
    return Component(status="ok")
