"""Facts become events: they find their home, wait for what they need, and count once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commands.base import Caller
from commands.observe import ObserveAllocation, commands_for
from commands.project import CreateProject
from ledger import catalog
from ledger.customer import customer_id, provider_customer_id
from ledger.errors import InvalidInput, MissingParent
from ledger.events.catalog import FeatureDefined, FeatureKind, PlanDefined, ProductPublished
from ledger.events.customer import CustomerIdentified, CustomerLinked, CustomerRegistered
from ledger.events.subscription import (
    SubscriptionActivated,
    SubscriptionEnded,
    SubscriptionItemsChanged,
    SubscriptionStarted,
    SubscriptionStatus,
)
from ledger.facts import AllocationFact, CheckoutFact, ProviderAccount
from ledger.invoice import invoice_id
from ledger.money import Money
from ledger.payment import payment_id
from ledger.project import project_id
from ledger.subscription import subscription_id
from tests.commands.world import (
    ACCOUNT,
    ACME,
    World,
    customer,
    invoice,
    item,
    payment,
    price,
    product,
    subscription,
)
from tests.given import day

ANN = provider_customer_id(ACME, ACCOUNT, "cus_1")


@pytest.fixture
def world() -> World:
    return World().with_acme()


def test_a_whole_story_is_taken_in_once_however_often_it_is_told(world: World) -> None:
    story = [customer(), product(), price(), subscription(), invoice(), payment()]
    world.hear(*story)
    history = world.history()
    world.hear(*story, *reversed(story))
    assert world.history() == history


def test_a_customer_without_our_metadata_is_named_after_the_provider(world: World) -> None:
    (receipt,) = world.hear(customer())
    assert receipt.ids == {"customer": str(ANN)}
    assert [type(event) for event in world.events(ANN)] == [CustomerRegistered, CustomerLinked]


def test_a_customer_with_a_user_id_is_the_one_the_app_means(world: World) -> None:
    (receipt,) = world.hear(customer(external_id="ann"))
    assert receipt.ids == {"customer": str(customer_id(ACME, "ann"))}


def test_a_customer_id_of_ours_counts_when_it_is_of_the_project(world: World) -> None:
    world.hear(customer("cus_1"))
    (receipt,) = world.hear(customer("cus_2", customer_id=ANN))
    assert receipt.ids == {"customer": str(ANN)}
    stranger = customer_id(project_id("other"), "ann")
    (receipt,) = world.hear(customer("cus_3", customer_id=stranger))
    assert receipt.ids["customer"] == str(provider_customer_id(ACME, ACCOUNT, "cus_3"))


def test_metadata_can_name_another_project(world: World) -> None:
    world.do(CreateProject(slug="other", name="Other"))
    (receipt,) = world.hear(customer(project="other", external_id="ann"))
    assert receipt.ids["customer"] == str(customer_id(project_id("other"), "ann"))


def test_an_account_without_a_home_makes_its_facts_wait() -> None:
    with pytest.raises(MissingParent, match="home"):
        World().hear(customer())


def test_an_unknown_project_makes_facts_wait(world: World) -> None:
    with pytest.raises(MissingParent, match="project:nowhere"):
        world.hear(customer(project="nowhere"))


def test_a_subscription_waits_for_its_customer_and_its_product(world: World) -> None:
    with pytest.raises(MissingParent) as waits:
        world.hear(subscription())
    assert waits.value.dependency == customer().dependency("cus_1")
    world.hear(customer())
    with pytest.raises(MissingParent) as waits:
        world.hear(subscription())
    assert waits.value.dependency == product().dependency("prod_basic")
    world.hear(product(), subscription())


def test_a_products_metadata_defines_its_plan(world: World) -> None:
    world.hear(product(features=(("export", "true"), ("tier", "mid in low<mid<top"))))
    events = world.events(
        catalog.product_id(ACME, ACCOUNT, "prod_basic"),
        catalog.plan_id(ACME, "basic"),
        catalog.feature_id(ACME, "tier"),
    )
    published, plan, feature = events
    assert isinstance(published, ProductPublished)
    assert isinstance(plan, PlanDefined)
    assert {term.feature.key: term.value for term in plan.terms} == {"export": True, "tier": "mid"}
    assert isinstance(feature, FeatureDefined)
    assert feature.feature.kind is FeatureKind.ENUM


def test_a_change_of_the_plan_is_its_next_version_and_leaves_bought_items_alone(
    world: World,
) -> None:
    world.hear(customer(), product(), subscription())
    world.hear(product(observed_at=day(1), features=(("export", "true"), ("seats", "50"))))
    renewal = (item(day(30), day(60)),)
    world.hear(subscription(30, items=renewal))
    plans = world.events(catalog.plan_id(ACME, "basic"))
    assert [event.plan_version for event in plans if isinstance(event, PlanDefined)] == [1, 2]
    started, advanced = world.events(subscription_id(ANN, ACCOUNT, "sub_1"))
    assert isinstance(started, SubscriptionStarted)
    assert started.items[0].terms == advanced.items[0].terms  # type: ignore[attr-defined]


def test_an_upgrade_pins_the_new_plan(world: World) -> None:
    pro = product("prod_pro", plan="pro", features=(("seats", "unlimited"),))
    world.hear(customer(), product(), pro, subscription())
    world.hear(subscription(2, items=(item(day(0), day(30), "prod_pro"),)))
    changed = world.events(subscription_id(ANN, ACCOUNT, "sub_1"))[-1]
    assert isinstance(changed, SubscriptionItemsChanged)
    assert changed.items[0].plan == "pro"
    assert changed.items[0].terms[0].value is None


def test_metadata_that_is_no_value_of_a_known_feature_is_refused(world: World) -> None:
    world.hear(product())
    with pytest.raises(InvalidInput):
        world.hear(product(observed_at=day(1), features=(("seats", "many"),)))


def test_an_allocation_waits_for_its_invoice_and_counts_once(world: World) -> None:
    world.hear(customer())
    fact = AllocationFact(
        account=ACCOUNT,
        provider_id="inpay_1",
        observed_at=day(0),
        source="evt_a",
        invoice="in_1",
        payment="pi_1",
        amount=Money(1000, "usd"),
    )
    allocation = ObserveAllocation(fact=fact, customer=ANN)
    with pytest.raises(MissingParent):
        world.do(allocation)
    world.hear(invoice())
    world.do(allocation)
    world.do(allocation)
    world.hear(payment())
    names = [event.NAME for event in world.events(payment_id(ANN, ACCOUNT, "pi_1"))]
    assert names == ["payment.allocated", "payment.succeeded"]
    assert world.events(invoice_id(ANN, ACCOUNT, "in_1"))[0].NAME == "invoice.issued"


def test_a_checkout_tells_who_the_customer_is(world: World) -> None:
    world.hear(customer())
    fact = CheckoutFact(
        account=ACCOUNT,
        provider_id="cs_1",
        observed_at=day(0) + timedelta(hours=1),
        source="evt_cs",
        customer="cus_1",
        external_id="ann",
        subscription="sub_1",
        paid=True,
    )
    world.hear(fact, fact)
    events = world.events(ANN)
    assert events.count(CustomerIdentified(external_id="ann")) == 1
    assert [recorded.event.NAME for recorded in world.history()].count("checkout.completed") == 1


def test_metadata_counts_only_in_an_account_that_has_a_home(world: World) -> None:
    stranger = ProviderAccount("stripe", "acct_evil", livemode=True)
    takeover = product(account=stranger, project="acme", features=(("seats", "unlimited"),))
    with pytest.raises(MissingParent, match="home"):
        world.hear(takeover)


def test_an_older_statement_about_a_product_does_not_bring_its_old_plan_back(world: World) -> None:
    for observed, seats in ((0, "1"), (10, "3"), (5, "2")):
        world.hear(product(observed_at=day(observed), features=(("seats", seats),)))
    plans = world.events(catalog.plan_id(ACME, "basic"))
    assert [plan.terms[0].value for plan in plans if isinstance(plan, PlanDefined)] == [1, 3]


def test_an_end_waits_for_no_product(world: World) -> None:
    world.hear(customer(), product(), subscription())
    unknown = (item(day(0), day(30), "prod_unheard_of"),)
    ended = subscription(9, status=SubscriptionStatus.CANCELED, ended_at=day(9), items=unknown)
    world.hear(ended)
    assert isinstance(world.events(subscription_id(ANN, ACCOUNT, "sub_1"))[-1], SubscriptionEnded)


def test_a_product_of_another_project_is_not_sold_to_this_customer(world: World) -> None:
    world.do(CreateProject(slug="other", name="Other"))
    world.hear(customer(project="other"), product())
    with pytest.raises(InvalidInput, match="another project"):
        world.hear(subscription())


def test_a_plan_that_promised_nothing_has_pinned_nothing(world: World) -> None:
    world.hear(customer(), product(features=()), subscription())
    world.hear(product(observed_at=day(1), features=(("export", "true"),)), subscription(30))
    changed = world.events(subscription_id(ANN, ACCOUNT, "sub_1"))[-1]
    assert isinstance(changed, SubscriptionItemsChanged)
    assert [term.value for term in changed.items[0].terms] == [True]


def test_a_price_met_in_a_subscription_waits_for_nothing(world: World) -> None:
    world.do(*commands_for(price(), mentioned=True))
    world.hear(product())
    world.do(*commands_for(price(), mentioned=True))
    world.do(*commands_for(price(active=False), mentioned=True))
    published = world.events(catalog.price_id(ACME, ACCOUNT, "price_basic"))
    assert [event.NAME for event in published] == ["price.published"]


def test_a_message_has_its_say_in_a_stream_once(world: World) -> None:
    world.hear(customer(), product(), subscription())
    for source, status in (("evt_a", "past_due"), ("evt_b", "active"), ("evt_a", "past_due")):
        fact = subscription(3, source=source, status=SubscriptionStatus(status))
        caller = Caller(actor="test", correlation=ANN, causation=source)
        for command in commands_for(fact):
            world.dispatcher.dispatch(command, caller)
    last = world.events(subscription_id(ANN, ACCOUNT, "sub_1"))[-1]
    assert isinstance(last, SubscriptionActivated)
