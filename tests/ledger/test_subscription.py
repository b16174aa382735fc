"""A subscription: what a provider's statements and our own clock change about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from ledger import subscription
from ledger.errors import NotFound
from ledger.events.base import Decided
from ledger.events.catalog import Feature, FeatureKind, FeatureTerm, MergeRule
from ledger.events.subscription import (
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionCancelUnscheduled,
    SubscriptionCollectionPaused,
    SubscriptionCollectionResumed,
    SubscriptionConfirmed,
    SubscriptionEnded,
    SubscriptionGraceEnded,
    SubscriptionIncomplete,
    SubscriptionItem,
    SubscriptionItemsChanged,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionPeriodAdvanced,
    SubscriptionStarted,
    SubscriptionTrialChanged,
    SubscriptionTrialEnded,
    SubscriptionTrialStarted,
    SubscriptionUnpaid,
)
from ledger.events.subscription import SubscriptionStatus as Status
from ledger.facts import ProviderAccount, SubscriptionFact
from ledger.ids import owner_id
from ledger.money import Money
from ledger.period import Interval, Period, Unit
from tests.given import When, day, given, on

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=False)
CUSTOMER = owner_id("customer", "ann")
PRICE, OTHER_PRICE = owner_id("price", "basic"), owner_id("price", "pro")
EXPORT = Feature(key="export", kind=FeatureKind.BOOLEAN, merge=MergeRule.ANY)


def item(price: UUID = PRICE, *, quantity: int = 1, month: int = 0) -> SubscriptionItem:
    return SubscriptionItem(
        provider_id="si_1",
        price=price,
        plan="basic",
        plan_version=1,
        terms=(FeatureTerm(feature=EXPORT, value=True),),
        grace_days=7,
        leeway_hours=24,
        amount=Money(1000, "usd"),
        interval=Interval(Unit.MONTH),
        quantity=quantity,
        period=Period(day(30 * month), day(30 * month + 30)),
    )


def fact(status: Status, observed: float, **changes: object) -> SubscriptionFact:
    plain = SubscriptionFact(
        account=ACCOUNT,
        provider_id="sub_1",
        observed_at=day(observed),
        source="evt_1",
        customer="cus_1",
        status=status,
        items=(),
        started_at=day(0),
        trial_end=None,
        cancel_at=None,
        cancel_at_period_end=False,
        ended_at=None,
        end_reason=None,
        pause_reason=None,
        collection_paused=False,
        first=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def started(status: Status, trial_end: datetime | None = None) -> Decided:
    event = SubscriptionStarted(
        customer=CUSTOMER,
        provider_id="sub_1",
        status=status,
        items=(item(),),
        began_at=day(0),
        trial_end=trial_end,
    )
    return on(0, event)


ACTIVE = started(Status.ACTIVE)
TRIAL = started(Status.TRIALING, day(14))


def hears(
    *history: Decided, say: SubscriptionFact, items: tuple[SubscriptionItem, ...] = (item(),)
) -> When[subscription.Subscription | None]:
    return given(subscription.evolve, *history).when(
        lambda state: subscription.observe(state, say, customer=CUSTOMER, items=items)
    )


def test_the_first_statement_starts_it() -> None:
    hears(say=fact(Status.ACTIVE, 0, first=True)).then(ACTIVE)


def test_a_trial_starts_with_its_end() -> None:
    hears(say=fact(Status.TRIALING, 0, trial_end=day(14))).then(TRIAL)


def test_first_heard_of_past_due_it_has_been_so_since_then() -> None:
    start = started(Status.PAST_DUE).event
    hears(say=fact(Status.PAST_DUE, 3)).then(on(3, start), on(3, SubscriptionPastDue(since=day(3))))


def test_first_heard_of_at_its_end_it_gave_no_access_we_know_of() -> None:
    start = started(Status.INCOMPLETE).event
    ended = SubscriptionEnded(status=Status.CANCELED, reason="cancellation_requested")
    hears(say=fact(Status.CANCELED, 9, ended_at=day(8), end_reason="cancellation_requested")).then(
        on(0, start), on(8, ended)
    )


CONFIRMED = on(10, SubscriptionConfirmed())


def test_the_same_again_is_no_news() -> None:
    hears(ACTIVE, say=fact(Status.ACTIVE, 0)).then()


def test_the_same_again_later_is_confirmed_once() -> None:
    hears(ACTIVE, say=fact(Status.ACTIVE, 10)).then(CONFIRMED)
    hears(ACTIVE, CONFIRMED, say=fact(Status.ACTIVE, 10)).then()


def test_what_is_older_than_a_confirmation_changes_nothing() -> None:
    hears(ACTIVE, CONFIRMED, say=fact(Status.PAST_DUE, 5)).then()


def test_what_is_older_than_a_conversion_changes_nothing() -> None:
    converted = on(14, SubscriptionActivated())
    confirmed = on(15, SubscriptionConfirmed())
    say = fact(Status.TRIALING, 14.5, trial_end=day(14))
    hears(TRIAL, converted, confirmed, say=say).then()


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.PAST_DUE, SubscriptionPastDue(since=day(5))),
        (Status.UNPAID, SubscriptionUnpaid()),
        (Status.PAUSED, SubscriptionPaused(reason="request")),
        (Status.INCOMPLETE, SubscriptionIncomplete()),
        (Status.TRIALING, SubscriptionTrialStarted(trial_end=day(20))),
    ],
)
def test_every_new_status_is_an_event(status: Status, event: SubscriptionPastDue) -> None:
    say = fact(status, 5, pause_reason="request", trial_end=day(20))
    hears(ACTIVE, say=say).then(on(5, event))


def test_a_converted_trial_is_active_from_the_trials_end() -> None:
    say = fact(Status.ACTIVE, 15, trial_end=day(14))
    hears(TRIAL, say=say).then(on(14, SubscriptionActivated()), on(15, SubscriptionConfirmed()))


def test_a_trial_ended_early_converts_then() -> None:
    say = fact(Status.ACTIVE, 5, trial_end=day(5))
    hears(TRIAL, say=say).then(on(5, SubscriptionActivated()))


def test_a_trial_can_be_extended() -> None:
    say = fact(Status.TRIALING, 5, trial_end=day(21))
    hears(TRIAL, say=say).then(on(5, SubscriptionTrialChanged(trial_end=day(21))))


def test_a_payment_recovers_it() -> None:
    past_due = on(5, SubscriptionPastDue(since=day(5)))
    hears(ACTIVE, past_due, say=fact(Status.ACTIVE, 6)).then(on(6, SubscriptionActivated()))


def test_an_upgrade_and_more_seats_change_the_items() -> None:
    changed = (item(OTHER_PRICE, quantity=3),)
    hears(ACTIVE, say=fact(Status.ACTIVE, 2), items=changed).then(
        on(2, SubscriptionItemsChanged(items=changed))
    )


def test_a_renewal_only_advances_the_period() -> None:
    renewed = (item(month=1),)
    hears(ACTIVE, say=fact(Status.ACTIVE, 30), items=renewed).then(
        on(30, SubscriptionPeriodAdvanced(items=renewed))
    )


def test_several_changes_of_one_statement_are_several_events() -> None:
    renewed = (item(month=1),)
    say = fact(Status.PAST_DUE, 30, cancel_at=day(60), collection_paused=True)
    hears(ACTIVE, say=say, items=renewed).then(
        on(30, SubscriptionPeriodAdvanced(items=renewed)),
        on(30, SubscriptionPastDue(since=day(30))),
        on(30, SubscriptionCancelScheduled(at=day(60), at_period_end=False)),
        on(30, SubscriptionCollectionPaused()),
    )


def test_a_cancel_at_period_end_names_the_period_s_end_and_can_be_taken_back() -> None:
    scheduled = on(2, SubscriptionCancelScheduled(at=day(30), at_period_end=True))
    hears(ACTIVE, say=fact(Status.ACTIVE, 2, cancel_at_period_end=True)).then(scheduled)
    hears(ACTIVE, scheduled, say=fact(Status.ACTIVE, 2, cancel_at_period_end=True)).then()
    hears(ACTIVE, scheduled, say=fact(Status.ACTIVE, 3)).then(
        on(3, SubscriptionCancelUnscheduled())
    )


def test_collection_resumes() -> None:
    paused = on(2, SubscriptionCollectionPaused())
    hears(ACTIVE, paused, say=fact(Status.ACTIVE, 4)).then(on(4, SubscriptionCollectionResumed()))


def test_an_end_is_for_ever() -> None:
    ended = on(8, SubscriptionEnded(status=Status.CANCELED, reason=None))
    hears(ACTIVE, say=fact(Status.CANCELED, 9, ended_at=day(8))).then(ended)
    hears(ACTIVE, ended, say=fact(Status.ACTIVE, 10)).then()


def test_older_statements_change_nothing() -> None:
    past_due = on(5, SubscriptionPastDue(since=day(5)))
    hears(ACTIVE, past_due, say=fact(Status.ACTIVE, 4)).then()


def test_the_statement_of_a_known_beginning_changes_nothing() -> None:
    hears(ACTIVE, say=fact(Status.INCOMPLETE, 0, first=True)).then()


def test_a_trial_comes_to_its_end_once_when_it_is_due() -> None:
    ended = on(14, SubscriptionTrialEnded(trial_end=day(14)))

    def at(number: int, *history: Decided) -> When[subscription.Subscription | None]:
        return given(subscription.evolve, TRIAL, *history).when(
            lambda state: subscription.end_trial(_known(state), day(number))
        )

    at(13).then()
    at(14).then(ended)
    at(15, ended).then()
    at(15, on(14, SubscriptionActivated())).then()
    at(15, ended, on(15, SubscriptionTrialChanged(trial_end=day(20)))).then()


def test_grace_comes_to_its_end_once_when_it_is_due() -> None:
    past_due = on(5, SubscriptionPastDue(since=day(5)))
    ended = on(12, SubscriptionGraceEnded(grace_end=day(12)))

    def at(number: int, *history: Decided) -> When[subscription.Subscription | None]:
        return given(subscription.evolve, ACTIVE, *history).when(
            lambda state: subscription.end_grace(_known(state), day(number))
        )

    at(12).then()
    at(11, past_due).then()
    at(12, past_due).then(ended)
    at(13, past_due, ended).then()
    at(13, past_due, on(6, SubscriptionActivated())).then()


def test_our_own_clock_does_not_make_the_providers_statements_old() -> None:
    ended = on(14, SubscriptionTrialEnded(trial_end=day(14)))
    say = fact(Status.TRIALING, 13, trial_end=day(20))
    hears(TRIAL, ended, say=say).then(on(13, SubscriptionTrialChanged(trial_end=day(20))))


def test_history_begins_with_a_start() -> None:
    with pytest.raises(NotFound):
        given(subscription.evolve, on(1, SubscriptionActivated()))


def _known(state: subscription.Subscription | None) -> subscription.Subscription:
    assert state is not None
    return state
