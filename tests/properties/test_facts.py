"""Whatever the outside says, in whatever order: the log stays sound and nothing counts twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import groupby
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.base import Command
from commands.observe import ObserveAllocation, commands_for
from ledger.customer import provider_customer_id
from ledger.errors import FolioError
from ledger.facts import AllocationFact, Fact
from ledger.ids import BUCKETS, bucket_in
from ledger.project import account_stream
from tests.commands.world import ACCOUNT, ACME, World
from tests.properties.stories import STRANGER, stories

FIRST = provider_customer_id(ACME, ACCOUNT, "cus_1")


def take_in(world: World, fact: Fact) -> bool:
    """Tell a fact; whether it was taken in. Whatever is refused is refused with a type."""
    try:
        for command in _commands(fact):
            world.do(command)
    except FolioError:
        return False
    return True


def _commands(fact: Fact) -> tuple[Command, ...]:
    if isinstance(fact, AllocationFact):
        return (ObserveAllocation(fact=fact, customer=FIRST),)
    return commands_for(fact)


@settings(max_examples=150, deadline=None)
@given(stories())
def test_whatever_is_told_the_log_stays_sound(story: list[Fact]) -> None:
    world = World().with_acme()
    for fact in story:
        take_in(world, fact)
    _assert_dense(world)
    _assert_balanced(world)
    assert not world.log.stream(account_stream(STRANGER))
    assert all(recorded.project == ACME for recorded in world.history())


def _assert_dense(world: World) -> None:
    history = world.history()
    for bucket, events in groupby(history, key=lambda recorded: recorded.bucket):
        own = list(events)
        assert [recorded.position for recorded in own] == list(range(1, len(own) + 1))
        times = [recorded.recorded_at for recorded in own]
        assert times == sorted(times)
        assert {bucket_in(recorded.owner) for recorded in own} == {bucket}
    versions: defaultdict[UUID, list[int]] = defaultdict(list)
    for recorded in history:
        versions[recorded.stream].append(recorded.version)
        assert bucket_in(recorded.stream) == recorded.bucket
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def _assert_balanced(world: World) -> None:
    balance: defaultdict[str, int] = defaultdict(int)
    for entry in world.log.entries:
        for posting in entry.postings:
            balance[posting.currency] += posting.amount
    assert not any(balance.values())


@settings(max_examples=150, deadline=None)
@given(stories(), st.data())
def test_what_is_repeated_counts_only_where_it_is_newer(
    story: list[Fact], data: st.DataObject
) -> None:
    world = World().with_acme()
    taken = {id(fact) for fact in story if take_in(world, fact)}
    for fact in story[data.draw(st.integers(0, len(story))) :]:
        heard = _heard(world)
        before = world.log.heads(range(BUCKETS))
        again = id(fact) in taken
        if take_in(world, fact):
            taken.add(id(fact))
        for recorded in world.log.read(before, 1000) if again else ():
            assert fact.observed_at > heard[recorded.stream]


def _heard(world: World) -> dict[UUID, datetime]:
    """When the newest event of each stream counts."""
    heard: dict[UUID, datetime] = {}
    for recorded in world.history():
        newest = heard.get(recorded.stream, recorded.effective_at)
        heard[recorded.stream] = max(recorded.effective_at, newest)
    return heard


@settings(max_examples=75, deadline=None)
@given(stories())
def test_telling_a_story_over_and_over_comes_to_rest(story: list[Fact]) -> None:
    world = World().with_acme()
    for _ in range(len(story) + 1):
        before = len(world.history())
        for fact in story:
            take_in(world, fact)
        if len(world.history()) == before:
            return
    raise AssertionError("each telling was news")
