"""Questions about entitlements: may this customer use this feature, then and as known then?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ledger.events.catalog import FeatureKind, FeatureValue
from ledger.ids import bucket_in
from ledger.rules.entitlement import Reason, Source
from projections.table import Database

_POSITION: Final = """
    (SELECT checkpoint.position FROM projection_build AS build
     JOIN projection_checkpoint AS checkpoint
         ON checkpoint.projection = build.projection || '_' || build.build
     WHERE build.projection = 'entitlements' AND build.live
         AND checkpoint.bucket = wanted.bucket)
"""
_COLUMNS: Final = """
    wanted.customer, held.project, held.feature, held.valid_from, held.valid_until, held.allowed,
    held.kind, held.value::text, held.source, held.ref, held.reason
"""

SNAPSHOT: Final = f"""
    SELECT {_POSITION}, {_COLUMNS}
    FROM unnest(%s::smallint[], %s::uuid[]) AS wanted (bucket, customer)
    LEFT JOIN read_model.entitlement AS held ON held.bucket = wanted.bucket
        AND held.customer = wanted.customer AND held.recorded_until IS NULL
    ORDER BY held.valid_from
"""
"""All that is believed now of several customers, with the position their buckets have reached.

Parameters are `snapshot_parameters(customers)`; rows go to `read_snapshots`. One statement, so
rows and position are of one moment; it runs on synchronous and asynchronous connections alike.
"""

_KNOWN: Final = f"""
    SELECT {_POSITION}, {_COLUMNS}
    FROM (SELECT %(bucket)s::smallint AS bucket, %(customer)s::uuid AS customer) AS wanted
    LEFT JOIN read_model.entitlement AS held ON held.bucket = wanted.bucket
        AND held.customer = wanted.customer AND held.project = %(project)s
        AND (%(feature)s::text IS NULL OR held.feature = %(feature)s)
        AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN held.recorded_until IS NULL
            ELSE held.recorded_from <= %(known_at)s
                AND (held.recorded_until IS NULL OR held.recorded_until > %(known_at)s) END
    ORDER BY held.valid_from
"""

_read_value: Final = msgspec.json.Decoder(FeatureValue).decode


@dataclass(frozen=True, slots=True)
class Entitlement:
    """An answer on a feature at `as_of`.

    It holds within `[valid_from, valid_until)` as far as the log up to `position` tells; of a
    limit, a value of None is unlimited. `ref` is the subscription or grant that decided.
    """

    feature: str
    allowed: bool
    kind: FeatureKind | None
    value: FeatureValue
    source: Source | None
    ref: UUID | None
    reason: Reason
    valid_from: datetime | None
    valid_until: datetime | None
    as_of: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of a feature over a span of validity."""

    feature: str
    valid_from: datetime
    valid_until: datetime | None
    allowed: bool
    kind: FeatureKind | None
    value: FeatureValue
    source: Source | None
    ref: UUID | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All beliefs about one customer, by feature and in order of time, at one position.

    `project` is None where nothing is believed: then any project may be told so.
    """

    customer: UUID
    project: UUID | None
    position: int
    beliefs: dict[str, tuple[Belief, ...]]

    def answer(self, feature: str, as_of: datetime) -> Entitlement:
        """The answer on a feature at a moment."""
        upcoming: datetime | None = None
        for belief in self.beliefs.get(feature, ()):
            if as_of < belief.valid_from:
                upcoming = belief.valid_from
                break
            if belief.valid_until is None or as_of < belief.valid_until:
                return self._entitlement(belief, as_of)
        return Entitlement(
            feature=feature,
            allowed=False,
            kind=None,
            value=None,
            source=None,
            ref=None,
            reason=Reason.NO_ENTITLEMENT,
            valid_from=None,
            valid_until=upcoming,
            as_of=as_of,
            position=self.position,
        )

    def answers(self, as_of: datetime) -> list[Entitlement]:
        """The answers on every feature anything is believed of, by feature key."""
        return [self.answer(feature, as_of) for feature in sorted(self.beliefs)]

    def _entitlement(self, belief: Belief, as_of: datetime) -> Entitlement:
        return Entitlement(
            feature=belief.feature,
            allowed=belief.allowed,
            kind=belief.kind,
            value=belief.value,
            source=belief.source,
            ref=belief.ref,
            reason=belief.reason,
            valid_from=belief.valid_from,
            valid_until=belief.valid_until,
            as_of=as_of,
            position=self.position,
        )


def snapshot_parameters(customers: Collection[UUID]) -> tuple[list[int], list[UUID]]:
    """The parameters of SNAPSHOT."""
    return [bucket_in(customer) for customer in customers], list(customers)


def read_snapshots(rows: Iterable[Sequence[Any]]) -> dict[UUID, Snapshot]:
    """The rows of SNAPSHOT as one snapshot per customer."""
    beliefs: defaultdict[UUID, defaultdict[str, list[Belief]]]
    beliefs = defaultdict(lambda: defaultdict(list))
    places: dict[UUID, tuple[int, UUID | None]] = {}
    for position, customer, project, feature, *held in rows:
        places[customer] = (position or 0, project)
        if feature is not None:
            beliefs[customer][feature].append(_belief(feature, held))
    return {
        customer: Snapshot(
            customer,
            project,
            position,
            {feature: tuple(held) for feature, held in beliefs[customer].items()},
        )
        for customer, (position, project) in places.items()
    }


def snapshots(connection: Database, customers: Collection[UUID]) -> dict[UUID, Snapshot]:
    """What is believed now of these customers, whatever their project."""
    with connection.cursor(binary=True) as cursor:
        return read_snapshots(cursor.execute(SNAPSHOT, snapshot_parameters(customers)))


def check(
    connection: Database,
    project: UUID,
    customer: UUID,
    feature: str,
    *,
    as_of: datetime,
    known_at: datetime | None = None,
) -> Entitlement:
    """The answer on one feature at `as_of`, as it was known at `known_at` (or is known now)."""
    return _known(connection, project, customer, feature, known_at).answer(feature, as_of)


def entitlements(
    connection: Database,
    project: UUID,
    customer: UUID,
    *,
    as_of: datetime,
    known_at: datetime | None = None,
) -> list[Entitlement]:
    """The answers on every feature anything was said of, by feature key."""
    return _known(connection, project, customer, None, known_at).answers(as_of)


def _known(
    connection: Database,
    project: UUID,
    customer: UUID,
    feature: str | None,
    known_at: datetime | None,
) -> Snapshot:
    parameters = {
        "bucket": bucket_in(customer),
        "customer": customer,
        "project": project,
        "feature": feature,
        "known_at": known_at,
    }
    with connection.cursor(binary=True) as cursor:
        return read_snapshots(cursor.execute(_KNOWN, parameters))[customer]


def _belief(feature: str, held: Sequence[Any]) -> Belief:
    valid_from, valid_until, allowed, kind, value, source, ref, reason = held
    return Belief(
        feature,
        valid_from,
        valid_until,
        allowed,
        FeatureKind(kind) if kind else None,
        _read_value(value),
        Source(source) if source else None,
        ref,
        Reason(reason),
    )
