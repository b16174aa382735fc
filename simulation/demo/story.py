"""The story: all scenes of all people in the order of time, from half a year ago until now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from simulation.demo.account import StripeAccount
from simulation.demo.cast import CAST, Person
from simulation.demo.plots import DAYS, PLOTS, Scene
from simulation.demo.stage import Stage

LENGTH: Final = timedelta(days=DAYS)

# Time never stands still for longer than this, so that who watches sees it pass.
_STRIDE: Final = timedelta(days=2)


def schedule(cast: Sequence[Person] = CAST) -> list[tuple[timedelta, Person, Scene]]:
    """Every scene with its time since the beginning."""
    scenes = [
        (_since_beginning(person, scene), person, scene)
        for person in cast
        for scene in PLOTS[person.plot]
    ]
    return sorted(scenes, key=lambda entry: entry[0])


def play(
    stripe: StripeAccount,
    began: datetime,
    passed: Callable[[timedelta], None],
    cast: Sequence[Person] = CAST,
) -> None:
    """Live through the whole story; `passed` hears how much of it is over.

    The same beginning on a fresh simulator gives the same objects, events and ids, so that a story
    that was broken off can be told again from the start to somebody who heard a part of it.
    """
    stage = Stage(stripe)
    stage.publish()
    for since, person, scene in schedule(cast):
        for step in _steps(_since(stripe, began), since):
            stripe.advance(int((began + step).timestamp()))
            passed(step)
        stage.play(person, scene)
    for step in _steps(_since(stripe, began), LENGTH):
        stripe.advance(int((began + step).timestamp()))
        passed(step)


def _since_beginning(person: Person, scene: Scene) -> timedelta:
    day = DAYS + scene.day if scene.day < 0 else person.day + scene.day
    return timedelta(days=day)


def _since(stripe: StripeAccount, began: datetime) -> timedelta:
    return timedelta(seconds=stripe.status()["now"] - began.timestamp())


def _steps(now: timedelta, until: timedelta) -> Iterator[timedelta]:
    while now + _STRIDE < until:
        now += _STRIDE
        yield now
    if until > now:
        yield until
