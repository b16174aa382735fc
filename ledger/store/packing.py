"""A write packed for the wire by its caller, and a group of them as one call's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from ledger.journal.entry import Entry
from ledger.store import arrays
from ledger.store.codec import encode_event
from ledger.store.event_log import Append, Post

Claim = UUID | tuple[UUID, str]

_json = msgspec.json.Encoder().encode
_NO_IDS = arrays.jsonb(b"{}")


@dataclass(slots=True, eq=False)
class Packed:
    """One append as array elements; `claims` are the streams and the key it writes."""

    append: Append
    bucket: int
    count: int
    expected: dict[UUID, int]
    claims: frozenset[Claim]
    project: bytes
    owner: bytes
    correlation: bytes
    actor: bytes
    causation: bytes
    streams: list[bytes] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    topics: list[bytes] = field(default_factory=list)
    shapes: list[int] = field(default_factory=list)
    effective: list[bytes] = field(default_factory=list)
    states: list[bytes] = field(default_factory=list)
    entries: list[tuple[int, bytes, bytes]] = field(default_factory=list)

    @classmethod
    def envelope(cls, append: Append, expected: dict[UUID, int]) -> Packed:
        """An append without its events yet."""
        claims: set[Claim] = set(expected)
        if append.keyed is not None:
            claims.add((append.keyed.project, append.keyed.key))
        return cls(
            append=append,
            bucket=append.bucket,
            count=len(append.events),
            expected=expected,
            claims=frozenset(claims),
            project=arrays.uuid(append.project),
            owner=arrays.uuid(append.owner),
            correlation=arrays.uuid(append.correlation),
            actor=arrays.text(append.actor),
            causation=arrays.text_or_null(append.causation),
        )


def pack(append: Append, post: Post) -> Packed:
    """Encode an append once, on its caller's thread; raises ValueError as Append.expected does."""
    packed = Packed.envelope(append, append.expected())
    _pack_events(packed, post)
    return packed


def _pack_events(packed: Packed, post: Post) -> None:
    streams = {stream: arrays.uuid(stream) for stream in packed.expected}
    topics: dict[str, bytes] = {}
    effective: dict[datetime, bytes] = {}
    for ordinal, new in enumerate(packed.append.events):
        event, counted = new.event, new.effective_at
        name = event.NAME
        packed.streams.append(streams[new.stream])
        packed.versions.append(new.version)
        packed.topics.append(topics.get(name) or topics.setdefault(name, arrays.text(name)))
        packed.shapes.append(event.VERSION)
        packed.effective.append(
            effective.get(counted) or effective.setdefault(counted, arrays.timestamp(counted))
        )
        packed.states.append(arrays.raw(encode_event(event)))
        entry = post(new)
        if entry is not None:
            packed.entries.append((ordinal, arrays.text(entry.kind), postings(entry)))


def postings(entry: Entry) -> bytes:
    """The postings of an entry as a jsonb element."""
    return arrays.jsonb(_json(entry.postings))


def ids_of(append: Append) -> bytes:
    """What the receipt hands back, as a jsonb element."""
    return arrays.jsonb(_json(dict(append.ids))) if append.ids else _NO_IDS


@dataclass(slots=True)
class Group:
    """Several packed appends by ascending bucket, with disjoint claims: one call of log_append."""

    members: Sequence[Packed]
    heads: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    head_of: list[int] = field(default_factory=list)
    end_of: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        written = 0
        for member in self.members:
            written += member.count
            if not self.heads or self.heads[-1] != member.bucket:
                self.heads.append(member.bucket)
                self.ends.append(written)
                self.counts.append(member.count)
            else:
                self.ends[-1] = written
                self.counts[-1] += member.count
            self.head_of.append(len(self.heads))
            self.end_of.append(written)

    def written(self) -> list[int]:
        """The buckets that events go to."""
        return [head for head, count in zip(self.heads, self.counts, strict=True) if count]

    def position(self, ordinal: int, heads: Sequence[int]) -> int:
        """The position of an append's last event, given where each head of the group ended."""
        head = self.head_of[ordinal] - 1
        return heads[head] - self.ends[head] + self.end_of[ordinal]

    def parameters(self, now: datetime) -> list[bytes]:
        """The arguments of log_append, in its order."""
        return [
            arrays.microseconds(now).to_bytes(8, signed=True),
            arrays.numbers(arrays.INT2, self.heads),
            arrays.numbers(arrays.INT8, self.counts),
            arrays.numbers(arrays.INT8, self.ends),
            *self._appends(),
            *self._streams(),
            *self._events(),
            *self._entries(),
            *self._keys(),
        ]

    def _appends(self) -> Iterable[bytes]:
        members, count = self.members, len(self.members)
        return (
            arrays.numbers(arrays.INT4, self.head_of),
            arrays.numbers(arrays.INT8, self.end_of),
            arrays.array(arrays.UUID_, count, [member.project for member in members]),
            arrays.array(arrays.UUID_, count, [member.owner for member in members]),
            arrays.array(arrays.UUID_, count, [member.correlation for member in members]),
            arrays.array(arrays.TEXT, count, [member.actor for member in members]),
            arrays.array(arrays.TEXT, count, [member.causation for member in members]),
        )

    def _streams(self) -> Iterable[bytes]:
        appends: list[int] = []
        streams: list[bytes] = []
        expected: list[int] = []
        for ordinal, member in enumerate(self.members, 1):
            appends += [ordinal] * len(member.expected)
            streams += map(arrays.uuid, member.expected)
            expected += member.expected.values()
        return (
            arrays.numbers(arrays.INT4, appends),
            arrays.array(arrays.UUID_, len(streams), streams),
            arrays.numbers(arrays.INT4, expected),
        )

    def _events(self) -> Iterable[bytes]:
        appends: list[int] = []
        streams: list[bytes] = []
        versions: list[int] = []
        topics: list[bytes] = []
        shapes: list[int] = []
        effective: list[bytes] = []
        states: list[bytes] = []
        for ordinal, member in enumerate(self.members, 1):
            appends += [ordinal] * member.count
            streams += member.streams
            versions += member.versions
            topics += member.topics
            shapes += member.shapes
            effective += member.effective
            states += member.states
        count = len(appends)
        return (
            arrays.numbers(arrays.INT4, appends),
            arrays.array(arrays.UUID_, count, streams),
            arrays.numbers(arrays.INT4, versions),
            arrays.array(arrays.TEXT, count, topics),
            arrays.numbers(arrays.INT2, shapes),
            arrays.array(arrays.TIMESTAMPTZ, count, effective),
            arrays.array(arrays.JSON, count, states),
        )

    def _entries(self) -> Iterable[bytes]:
        events: list[int] = []
        kinds: list[bytes] = []
        lines: list[bytes] = []
        for end, member in zip(self.end_of, self.members, strict=True):
            for ordinal, kind, posted in member.entries:
                events.append(end - member.count + ordinal + 1)
                kinds.append(kind)
                lines.append(posted)
        return (
            arrays.numbers(arrays.INT4, events),
            arrays.array(arrays.TEXT, len(kinds), kinds),
            arrays.array(arrays.JSONB, len(lines), lines),
        )

    def _keys(self) -> Iterable[bytes]:
        appends: list[int] = []
        projects: list[bytes] = []
        keys: list[bytes] = []
        hashes: list[bytes] = []
        ids: list[bytes] = []
        for ordinal, member in enumerate(self.members, 1):
            keyed = member.append.keyed
            if keyed is not None:
                appends.append(ordinal)
                projects.append(arrays.uuid(keyed.project))
                keys.append(arrays.text(keyed.key))
                hashes.append(arrays.raw(keyed.input_hash))
                ids.append(ids_of(member.append))
        return (
            arrays.numbers(arrays.INT4, appends),
            arrays.array(arrays.UUID_, len(projects), projects),
            arrays.array(arrays.TEXT, len(keys), keys),
            arrays.array(arrays.BYTEA, len(hashes), hashes),
            arrays.array(arrays.JSONB, len(ids), ids),
        )
