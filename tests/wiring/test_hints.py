"""Hints over the real Valkey: heard when it lives, harmless when it does not."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiring.hints import Channel, Listener, Teller, decode, encode

_PATIENCE = 10.0
_NOWHERE = "redis://127.0.0.1:1/0"


class Ear:
    """Keeps what it heard and wakes who waits for it."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        self.missed = threading.Event()
        self._news = threading.Condition()

    def hear(self, positions: Mapping[int, int]) -> None:
        with self._news:
            for bucket, position in positions.items():
                self.positions[bucket] = max(position, self.positions.get(bucket, 0))
            self._news.notify_all()

    def wait_for(self, wanted: Mapping[int, int]) -> bool:
        with self._news:
            return self._news.wait_for(lambda: self.positions == wanted, timeout=_PATIENCE)


@given(st.dictionaries(st.integers(0, 255), st.integers(0, 2**62), min_size=1))
def test_a_hint_reads_as_it_was_written(positions: dict[int, int]) -> None:
    assert decode(encode(positions)) == positions


def test_a_listener_hears_what_is_told_and_that_it_may_have_missed_some(redis_url: str) -> None:
    ear = Ear()
    listener = Listener(redis_url, Channel.PROJECTED, heard=ear.hear, missed=ear.missed.set)
    teller = Teller(redis_url, Channel.PROJECTED)
    try:
        assert ear.missed.wait(_PATIENCE)
        teller.positions({3: 10, 200: 7})
        teller.positions({3: 9})
        assert ear.wait_for({3: 10, 200: 7})
    finally:
        teller.close()
        listener.close()


def test_channels_do_not_mix(redis_url: str) -> None:
    ear = Ear()
    listener = Listener(redis_url, Channel.APPENDED, heard=ear.hear, missed=ear.missed.set)
    projected = Teller(redis_url, Channel.PROJECTED)
    appended = Teller(redis_url, Channel.APPENDED)
    try:
        assert ear.missed.wait(_PATIENCE)
        projected.positions({1: 1})
        appended.buckets([2])
        assert ear.wait_for({2: 0})
    finally:
        projected.close()
        appended.close()
        listener.close()


@pytest.mark.parametrize("channel", list(Channel))
def test_without_redis_nothing_is_raised_and_closing_ends(channel: Channel) -> None:
    ear = Ear()
    listener = Listener(_NOWHERE, channel, heard=ear.hear, missed=ear.missed.set)
    teller = Teller(_NOWHERE, channel)
    teller.buckets(range(256))
    teller.close()
    listener.close()
    assert not ear.positions
