"""A grant: given with a reason and an end, taken back once, expired once."""

from __future__ import annotations

from datetime import datetime

import pytest

from ledger import grant
from ledger.errors import AlreadyExists, Ended, InvalidInput, NotFound
from ledger.events.base import Decided
from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, FeatureValue, MergeRule
from ledger.events.grant import GrantEffect, GrantExpired, GrantGiven, GrantRevoked
from ledger.ids import owner_id
from tests.given import When, day, given, on

CUSTOMER = owner_id("customer", "ann")
SEATS = Feature(key="seats", kind=FeatureKind.LIMIT, merge=MergeRule.MAX)


def given_event(start: int = 0, end: int | None = 30) -> GrantGiven:
    return GrantGiven(
        customer=CUSTOMER,
        effect=GrantEffect.GRANT,
        term=FeatureTerm(feature=SEATS, value=5),
        starts_at=day(start),
        expires_at=None if end is None else day(end),
        reason="goodwill",
    )


GIVEN = on(0, given_event())
REVOKED = on(5, GrantRevoked(reason="mistake"))
EXPIRED = on(30, GrantExpired(expires_at=day(30)))


def gives(
    *history: Decided,
    value: FeatureValue = 5,
    start: datetime | None = None,
    end: datetime | None = None,
    reason: str = "goodwill",
) -> When[grant.Grant | None]:
    return given(grant.evolve, *history).when(
        lambda state: grant.give(
            state,
            customer=CUSTOMER,
            effect=GrantEffect.GRANT,
            term=FeatureTerm(feature=SEATS, value=value),
            starts_at=start,
            expires_at=end,
            reason=reason,
            now=day(0),
        )
    )


def known(state: grant.Grant | None) -> grant.Grant:
    assert state is not None
    return state


def test_it_begins_now_unless_it_says_when() -> None:
    gives(end=day(30)).then(GIVEN)
    gives(start=day(3), end=day(30)).then(on(3, given_event(start=3)))
    gives().then(on(0, given_event(end=None)))


@pytest.mark.parametrize("end", [day(0), day(-1)])
def test_it_needs_a_future(end: datetime) -> None:
    gives(end=end).refused(InvalidInput, field="expires_at")


def test_it_ends_after_it_starts() -> None:
    gives(start=day(9), end=day(9)).refused(InvalidInput, field="expires_at")


def test_it_needs_a_reason() -> None:
    gives(reason=" ").refused(InvalidInput, field="reason")


@pytest.mark.parametrize("value", [-1, True, "five"])
def test_its_value_is_one_of_the_features(value: FeatureValue) -> None:
    gives(value=value).refused(InvalidInput, field="value")


def test_it_is_given_once() -> None:
    gives(GIVEN).refused(AlreadyExists)


def test_it_is_taken_back_once() -> None:
    def revokes(*history: Decided, at: int = 5) -> When[grant.Grant | None]:
        return given(grant.evolve, GIVEN, *history).when(
            lambda state: grant.revoke(known(state), reason="mistake", now=day(at))
        )

    revokes().then(REVOKED)
    revokes(REVOKED).refused(Ended)
    revokes(at=30).refused(Ended)


def test_taking_back_needs_a_reason() -> None:
    given(grant.evolve, GIVEN).when(
        lambda state: grant.revoke(known(state), reason="", now=day(1))
    ).refused(InvalidInput, field="reason")


def test_it_expires_once_when_it_is_due() -> None:
    def expires(at: int, *history: Decided) -> When[grant.Grant | None]:
        return given(grant.evolve, *history).when(lambda state: grant.expire(known(state), day(at)))

    expires(29, GIVEN).then()
    expires(30, GIVEN).then(EXPIRED)
    expires(31, GIVEN, EXPIRED).then()
    expires(31, GIVEN, REVOKED).then()
    expires(999, on(0, given_event(end=None))).then()


def test_history_begins_with_a_gift() -> None:
    with pytest.raises(NotFound):
        given(grant.evolve, REVOKED)
