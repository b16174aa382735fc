"""Entitlements, for micro-apps: may this customer use this feature?"""

from __future__ import annotations

import asyncio
from datetime import datetime
from time import monotonic
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.asking import AsOf, ByCustomer, KnownAt, MinPosition
from api.auth import FromServices, Reader
from api.check_answer import Answer, prepare
from api.customer_reference import likely_bucket, resolve
from api.entitlement_cache import EntitlementCache, Held
from api.positions import check_reachable, reach
from api.schemas.base import Name, problems
from api.schemas.entitlement import CheckedEntitlement, CustomerEntitlements
from ledger.errors import InvalidInput, NotFound, NotReady
from projections import checkpoints, entitlements
from projections.entitlements import Entitlement
from wiring.services import Services

router = APIRouter(tags=["entitlements"])

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.05
_ETAG: Final = {"headers": {"ETag": {"schema": {"type": "string"}}}}


@router.get("/entitlements", responses=problems(401, 404))
def list_entitlements(
    customer: ByCustomer,
    reader: Reader,
    services: FromServices,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> CustomerEntitlements:
    """Everything a customer may use, or once might, at a moment and as it was known at a moment."""
    now = services.clock.now()
    _refuse_future(known_at, now)
    with services.database.connection() as connection:
        found = resolve(services, connection, reader.project, customer, min_position)
        reach(services, connection, "entitlements", found.bucket, min_position)
        moment = as_of or known_at or now
        position = checkpoints.reached(connection, "entitlements", found.bucket)
        answers = entitlements.entitlements(
            connection, reader.project, found.id, as_of=moment, known_at=known_at
        )
    return CustomerEntitlements(
        customer=found.id,
        as_of=moment,
        position=position,
        data=[CheckedEntitlement.of(found.id, each) for each in answers],
    )


@router.get(
    "/entitlements/check",
    response_model=CheckedEntitlement,
    responses={200: _ETAG, 304: {"description": "It is as it was."}, **problems(401, 404)},
)
async def check_entitlement(
    request: Request,
    customer: ByCustomer,
    feature: Annotated[Name, Query(description="The feature's key.")],
    reader: Reader,
    services: FromServices,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Whether a customer may use a feature, and why. A feature nobody gave is not allowed."""
    cache: EntitlementCache = request.app.state.entitlement_cache
    now = services.clock.now()
    _refuse_future(known_at, now)
    source = "cache"
    if as_of is not None or known_at is not None:
        answer = await run_in_threadpool(
            _then, services, reader.project, customer, feature, as_of, known_at, min_position
        )
        source = "past"
    else:
        held = cache.at_hand(reader.project, customer)
        if held is None or held.snapshot.position < (min_position or 0):
            source = "database"
            held = await _read(cache, services, reader.project, customer, min_position or 0)
        answer = held.answer(feature, now)
    request.app.state.check_counts.answered(answer.allowed, source)
    return _response(answer, if_none_match)


def _refuse_future(known_at: datetime | None, now: datetime) -> None:
    # What will be known then is not known now: the answer could not stay what it is.
    if known_at is not None and known_at > now:
        raise InvalidInput("known_at", "lies in the future")


def _response(answer: Answer, if_none_match: str | None) -> Response:
    if if_none_match is not None and answer.is_known(if_none_match.encode("latin-1")):
        response = Response(status_code=304)
        response.raw_headers = list(answer.unchanged_headers)
        return response
    response = Response(answer.body)
    response.raw_headers = list(answer.headers)
    return response


async def _read(
    cache: EntitlementCache, services: Services, project: UUID, customer: str, position: int
) -> Held:
    """The customer's entitlements, at this position at least; NotFound, or NotReady."""
    held = await cache.read(project, customer)
    if position and (held is None or held.snapshot.position < position):
        bucket = held.bucket if held else likely_bucket(project, customer)
        await run_in_threadpool(check_reachable, services, bucket, position)
        deadline = monotonic() + services.settings.position_wait_seconds
        pause = _FIRST_PAUSE
        while held is None or held.snapshot.position < position:
            if monotonic() >= deadline:
                raise NotReady(position, held.snapshot.position if held else 0)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            held = await cache.read(project, customer)
    if held is None:
        raise NotFound("customer", customer)
    return held


def _then(
    services: Services,
    project: UUID,
    customer: str,
    feature: str,
    as_of: datetime | None,
    known_at: datetime | None,
    min_position: int | None,
) -> Answer:
    """The answer at another moment, straight from the database."""
    with services.database.connection() as connection:
        found = resolve(services, connection, project, customer, min_position)
        reach(services, connection, "entitlements", found.bucket, min_position)
        answer: Entitlement = entitlements.check(
            connection,
            project,
            found.id,
            feature,
            as_of=as_of or known_at or services.clock.now(),
            known_at=known_at,
        )
    return prepare(found.id, answer)
