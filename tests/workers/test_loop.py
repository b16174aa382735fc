"""A loop goes on, whatever a round does, and stops when it is told to."""

from __future__ import annotations

import threading

from ledger.errors import Unavailable
from workers.loop import Loop


def test_a_round_comes_at_once_when_the_loop_is_woken() -> None:
    rounds = threading.Semaphore(0)

    def work() -> bool:
        rounds.release()
        return False

    loop = Loop("sweeper", 3600, work)
    loop.start()
    assert rounds.acquire(timeout=30)
    loop.wake()
    assert rounds.acquire(timeout=30)
    assert loop.stop()


def test_a_round_that_left_something_is_followed_at_once() -> None:
    left = [True, True, False]
    done = threading.Event()

    def work() -> bool:
        more = left.pop(0)
        if not left:
            done.set()
        return more

    loop = Loop("sweeper", 3600, work)
    loop.start()
    assert done.wait(30)
    assert loop.stop()


def test_a_round_that_fails_is_not_the_last() -> None:
    failures = [Unavailable("the database"), KeyError("a fault of ours")]
    done = threading.Event()

    def work() -> bool:
        if failures:
            raise failures.pop(0)
        done.set()
        return False

    loop = Loop("sweeper", 3600, work)
    loop.start()
    assert done.wait(30)
    assert loop.stop()
