"""What is believed about entitlements: who may use what, when, and since when we think so.

A row of `entitlement` is a rectangle: an answer over a span of validity, believed over a span of
recording. An event that changes the answer closes rows at the moment it was recorded and opens new
ones; nothing else is ever changed, so an answer for a past (as_of, known_at) stays what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledger.events.base import RecordedEvent
from ledger.events.catalog import FeatureKind, FeatureValue
from ledger.rules.claim import HEARD, Voice, hear
from ledger.rules.entitlement import Segment, resolve
from projections.base import Batch, Projection, Tables
from projections.table import Key, ReadRow, Table


class EntitlementSource(ReadRow, frozen=True):
    """Everything one subscription or grant has said about a customer's features."""

    bucket: int
    customer: UUID
    ref: UUID
    project: UUID
    voice: Voice
    position: int


class EntitlementRow(ReadRow, frozen=True):
    """An answer on a feature, over a span of validity and a span of belief."""

    bucket: int
    customer: UUID
    feature: str
    valid_from: datetime
    position_from: int
    valid_until: datetime | None
    recorded_from: datetime
    recorded_until: datetime | None
    project: UUID
    allowed: bool
    kind: FeatureKind | None
    value: FeatureValue
    source: str | None
    ref: UUID | None
    reason: str
    position: int

    def says(self, segment: Segment) -> bool:
        """Whether the row is this segment's."""
        answer = segment.outcome
        return (
            self.valid_from == segment.start
            and self.valid_until == segment.end
            and self.allowed == answer.allowed
            and self.kind == answer.kind
            and self.value == answer.value
            and self.source == answer.source
            and self.ref == answer.ref
            and self.reason == answer.reason
        )


SOURCE: Final = Table(
    "entitlement_source",
    EntitlementSource,
    {
        "bucket": "smallint NOT NULL",
        "customer": "uuid NOT NULL",
        "ref": "uuid NOT NULL",
        "project": "uuid NOT NULL",
        "voice": "jsonb NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "customer", "ref"),
    documents={"voice": Voice},
)

ENTITLEMENT: Final = Table(
    "entitlement",
    EntitlementRow,
    {
        "bucket": "smallint NOT NULL",
        "customer": "uuid NOT NULL",
        "feature": "text NOT NULL",
        "valid_from": "timestamptz NOT NULL",
        "position_from": "bigint NOT NULL",
        "valid_until": "timestamptz",
        "recorded_from": "timestamptz NOT NULL",
        "recorded_until": "timestamptz",
        "project": "uuid NOT NULL",
        "allowed": "boolean NOT NULL",
        "kind": "text",
        "value": "jsonb NOT NULL",
        "source": "text",
        "ref": "uuid",
        "reason": "text NOT NULL",
        "position": "bigint NOT NULL",
    },
    key=("bucket", "customer", "feature", "valid_from", "position_from"),
    indexes=("(bucket, customer, feature) WHERE recorded_until IS NULL",),
    documents={"value": FeatureValue},
)


def _apply(tables: Tables, batch: Batch) -> None:
    owners: set[Key] = {(recorded.bucket, recorded.owner) for recorded in batch}
    known: defaultdict[Key, dict[UUID, EntitlementSource]] = defaultdict(dict)
    for source in tables.load(SOURCE, owners).values():
        known[source.bucket, source.customer][source.ref] = source
    believed = _Believed(tables.load(ENTITLEMENT, owners, "recorded_until IS NULL").values())
    changed: dict[Key, EntitlementSource] = {}
    for recorded in batch:
        sources = known[recorded.bucket, recorded.owner]
        before = sources.get(recorded.stream)
        after = _heard(before, recorded)
        if after is None or after is before:
            continue
        sources[recorded.stream] = after
        changed[SOURCE.key_of(after)] = after
        features = _features(after) | (_features(before) if before else set())
        timelines = resolve(
            contribution
            for source in sources.values()
            for contribution in source.voice.contributions(source.ref)
            if contribution.term.feature.key in features
        )
        for feature in sorted(features):
            believed.learn(recorded, feature, timelines.get(feature, ()))
    tables.save(SOURCE, list(changed.values()))
    tables.delete(ENTITLEMENT, believed.dropped)
    tables.save(ENTITLEMENT, list(believed.changed.values()))


def _heard(before: EntitlementSource | None, recorded: RecordedEvent) -> EntitlementSource | None:
    voice = hear(before.voice if before else None, recorded)
    if voice is None or (before is not None and voice == before.voice):
        return before
    return EntitlementSource(
        recorded.bucket,
        recorded.owner,
        recorded.stream,
        recorded.project,
        voice,
        recorded.position,
    )


def _features(source: EntitlementSource) -> set[str]:
    return {term.feature.key for claim in source.voice.claims for term in claim.terms}


class _Believed:
    """The rows believed at present, and how a batch changes them."""

    def __init__(self, rows: Iterable[EntitlementRow]) -> None:
        self._rows: defaultdict[Key, list[EntitlementRow]] = defaultdict(list)
        for row in rows:
            self._rows[row.bucket, row.customer, row.feature].append(row)
        self.changed: dict[Key, EntitlementRow] = {}
        self.dropped: set[Key] = set()

    def learn(self, recorded: RecordedEvent, feature: str, timeline: Iterable[Segment]) -> None:
        """Believe this timeline of a feature from the event's recording on."""
        place = (recorded.bucket, recorded.owner, feature)
        held = self._rows[place]
        kept = []
        for segment in timeline:
            same = next((row for row in held if row.says(segment)), None)
            kept.append(same or self._opened(recorded, feature, segment))
        for row in held:
            if row not in kept:
                self._close(row, recorded)
        self._rows[place] = kept

    def _opened(self, recorded: RecordedEvent, feature: str, segment: Segment) -> EntitlementRow:
        answer = segment.outcome
        row = EntitlementRow(
            bucket=recorded.bucket,
            customer=recorded.owner,
            feature=feature,
            valid_from=segment.start,
            position_from=recorded.position,
            valid_until=segment.end,
            recorded_from=recorded.recorded_at,
            recorded_until=None,
            project=recorded.project,
            allowed=answer.allowed,
            kind=answer.kind,
            value=answer.value,
            source=answer.source,
            ref=answer.ref,
            reason=answer.reason,
            position=recorded.position,
        )
        self.changed[ENTITLEMENT.key_of(row)] = row
        return row

    def _close(self, row: EntitlementRow, recorded: RecordedEvent) -> None:
        key = ENTITLEMENT.key_of(row)
        if row.recorded_from == recorded.recorded_at:  # nobody can ever have seen it
            self.changed.pop(key, None)
            self.dropped.add(key)
            return
        self.changed[key] = replace(
            row, recorded_until=recorded.recorded_at, position=recorded.position
        )


ENTITLEMENTS: Final = Projection(
    name="entitlements",
    version=1,
    tables=(SOURCE, ENTITLEMENT),
    listens=HEARD,
    apply=_apply,
)
