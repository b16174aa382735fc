"""The manners of the API: keys, parameters, errors, idempotency, expansion, pages."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import msgspec
import pytest
import stripe
from stripe import AuthenticationError, CardError, IdempotencyError, InvalidRequestError

from simulation.stripe.server import StripeSimulator
from tests.simulation.shop import Shop, unix


def call(
    simulator: StripeSimulator, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], dict[str, object]]:
    """A request without the SDK: status, headers, body."""
    connection = http.client.HTTPConnection(urlsplit(simulator.base_url).netloc)
    sent = {
        "Authorization": "Bearer sk_test_x",
        **{k.replace("_", "-"): headers[k] for k in headers},
    }
    connection.request(method, path, body, sent)
    with connection.getresponse() as response:
        answer = msgspec.json.decode(response.read())
        got = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    return response.status, got, answer


def test_every_answer_carries_its_id_its_version_and_the_virtual_date(
    stripe_simulator: StripeSimulator,
) -> None:
    status, headers, _ = call(stripe_simulator, "GET", "/v1/customers")
    assert status == 200
    assert headers["request-id"].startswith("req_")
    assert headers["stripe-version"] == "2026-10-28.endive"
    assert headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize("key", ["", "Bearer nonsense", "Bearer sk_live_x", "Basic ####"])
def test_a_bad_key_is_refused(stripe_simulator: StripeSimulator, key: str) -> None:
    status, _, body = call(stripe_simulator, "GET", "/v1/customers", Authorization=key)
    assert status == 401
    error = body["error"]
    assert isinstance(error, dict)
    assert error["type"] == "invalid_request_error"


def test_the_sdk_understands_a_bad_key(stripe_simulator: StripeSimulator) -> None:
    client = stripe.StripeClient(
        "sk_wrong", base_addresses={"api": stripe_simulator.base_url}, max_network_retries=0
    )
    with pytest.raises(AuthenticationError):
        client.v1.customers.list()


def test_the_older_global_client_works_as_well(stripe_simulator: StripeSimulator) -> None:
    before = stripe.api_base
    stripe.api_base = stripe_simulator.base_url
    try:
        customer = stripe.Customer.create(api_key="sk_test_x", name="Ada")
    finally:
        stripe.api_base = before
    assert customer.name == "Ada"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("nonsense=1", "parameter_unknown", "nonsense"),
        (
            "recurring[interval]=month&currency=usd&recurring[x]=1",
            "parameter_unknown",
            "recurring[x]",
        ),
        ("product=prod_1", "parameter_missing", "currency"),
        ("currency=usd&unit_amount=ten", "parameter_invalid_integer", "unit_amount"),
        ("currency=usd&unit_amount=", "parameter_invalid_empty", "unit_amount"),
        ("currency=usd&active=maybe", None, "active"),
        ("currency=usd&recurring[interval]=fortnight", None, "recurring[interval]"),
        ("currency=usd&recurring=monthly", None, "recurring"),
        ("currency=usd&currency=eur", None, "currency"),
        ("currency=usd&tiers_mode=volume", "parameter_not_simulated", "tiers_mode"),
        ("currency=usd&product=prod_1&unit_amount=1", "resource_missing", "product"),
    ],
)
def test_a_wrong_parameter_is_named(
    stripe_simulator: StripeSimulator, body: str, code: str | None, param: str
) -> None:
    status, _, answer = call(stripe_simulator, "POST", "/v1/prices", body)
    error = answer["error"]
    assert isinstance(error, dict)
    assert (status, error.get("code"), error["param"]) == (400, code, param)
    assert error["type"] == "invalid_request_error"


def test_an_enum_says_what_would_do(stripe_simulator: StripeSimulator) -> None:
    _, _, answer = call(
        stripe_simulator, "POST", "/v1/prices", "currency=usd&recurring[interval]=fortnight"
    )
    error = answer["error"]
    assert isinstance(error, dict)
    assert error["message"] == "Invalid interval: must be one of day, month, week, or year"


def test_what_is_not_there(stripe_simulator: StripeSimulator, shop: Shop) -> None:
    with pytest.raises(InvalidRequestError) as missing:
        shop.v1.customers.retrieve("cus_nobody")
    assert missing.value.http_status == 404
    assert missing.value.code == "resource_missing"
    assert "No such customer: 'cus_nobody'" in str(missing.value)
    status, _, answer = call(stripe_simulator, "GET", "/v1/customer")
    assert status == 404
    assert "Unrecognized request URL" in str(answer)


def test_a_declined_card_is_a_402_with_its_code(shop: Shop) -> None:
    customer = shop.customer()
    with pytest.raises(CardError) as refusal:
        shop.v1.payment_methods.attach(
            "pm_card_chargeDeclinedInsufficientFunds", {"customer": customer.id}
        )
    error = refusal.value
    assert (error.http_status, error.code) == (402, "card_declined")
    assert error.error is not None
    assert error.error.decline_code == "insufficient_funds"


def test_a_key_replays_its_first_answer(stripe_simulator: StripeSimulator) -> None:
    status, first_headers, first = call(
        stripe_simulator, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k1"
    )
    again = call(stripe_simulator, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    assert (again[0], again[2]) == (status, first)
    assert again[1]["idempotent-replayed"] == "true"
    assert again[1]["original-request"] == first_headers["request-id"]
    assert "idempotent-replayed" not in first_headers
    assert len(stripe_simulator.event_log().splitlines()) == 1


def test_a_key_is_for_one_request_only(shop: Shop) -> None:
    shop.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
    with pytest.raises(IdempotencyError, match="same parameters"):
        shop.v1.customers.create({"name": "Bob"}, {"idempotency_key": "k1"})


def test_a_key_in_use_is_a_conflict(stripe_simulator: StripeSimulator) -> None:
    from simulation.stripe import idempotency

    mark = idempotency.fingerprint("POST", "/v1/customers", "name=Ada")
    stripe_simulator.account.keys.begin("k1", mark, stripe_simulator.account.now)
    status, _, answer = call(
        stripe_simulator, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k1"
    )
    assert status == 409
    assert "idempotency_key_in_use" in str(answer)


def test_a_key_is_free_again_after_a_day_and_after_a_request_that_never_began(
    stripe_simulator: StripeSimulator, shop: Shop
) -> None:
    refused = call(stripe_simulator, "POST", "/v1/customers", "nam=Ada", Idempotency_Key="k1")
    first = call(stripe_simulator, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    assert (refused[0], first[0]) == (400, 200)
    shop.go_to("2026-01-02T00:00")
    later = call(stripe_simulator, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    assert later[2]["id"] != first[2]["id"]


def test_a_refused_payment_is_replayed_too(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer("pm_card_chargeCustomerFail"), shop.price())
    invoice = shop.invoices(subscription)[0]
    for _ in range(2):
        with pytest.raises(CardError):
            shop.v1.invoices.pay(invoice.id, options={"idempotency_key": "pay"})
    assert shop.v1.invoices.retrieve(invoice.id).attempt_count == 2


def test_expansion_reaches_through_lists_and_references(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price())
    found = shop.v1.subscriptions.list(
        {
            "expand": [
                "data.customer.invoice_settings.default_payment_method",
                "data.items.data.price.product",
                "data.latest_invoice.payments",
            ]
        }
    ).data[0]
    assert found.id == subscription.id
    shown = found.to_dict()
    assert (
        shown["customer"]["invoice_settings"]["default_payment_method"]["card"]["last4"] == "4242"
    )
    assert shown["items"]["data"][0]["price"]["product"]["name"] == "Plan 2000"
    assert shown["latest_invoice"]["payments"]["data"][0]["status"] == "paid"


@pytest.mark.parametrize("path", ["email", "nothing", "metadata.x", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(shop: Shop, path: str) -> None:
    customer = shop.customer()
    with pytest.raises(InvalidRequestError, match="expand"):
        shop.v1.customers.retrieve(customer.id, {"expand": [path]})


def test_payments_of_an_invoice_are_there_only_when_asked_for(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.price())
    invoice = shop.invoices(subscription)[0]
    plain = shop.v1.invoices.retrieve(invoice.id).to_dict()
    asked = shop.v1.invoices.retrieve(
        invoice.id, {"expand": ["payments", "confirmation_secret"]}
    ).to_dict()
    assert not {"payments", "confirmation_secret"} & set(plain)
    assert asked["payments"]["data"][0]["invoice"] == invoice.id
    assert asked["confirmation_secret"]["type"] == "payment_intent"


def test_pages_go_both_ways(shop: Shop) -> None:
    ids = [shop.v1.customers.create({"name": str(number)}).id for number in range(7)]
    first = shop.v1.customers.list({"limit": 3})
    assert [customer.id for customer in first.data] == ids[:3:-1]
    assert first.has_more
    second = shop.v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    assert [customer.id for customer in second.data] == ids[3:0:-1]
    last = shop.v1.customers.list({"limit": 3, "starting_after": second.data[-1].id})
    assert ([customer.id for customer in last.data], last.has_more) == ([ids[0]], False)
    back = shop.v1.customers.list({"limit": 3, "ending_before": last.data[0].id})
    assert [customer.id for customer in back.data] == ids[3:0:-1]
    forward = shop.v1.customers.list({"limit": 2, "ending_before": ids[0]}).auto_paging_iter()
    assert [customer.id for customer in forward] == ids[1:]
    assert [each.id for each in shop.v1.customers.list({"limit": 2}).auto_paging_iter()] == ids[
        ::-1
    ]


def test_a_page_has_limits(shop: Shop) -> None:
    for limit in (0, 101):
        with pytest.raises(InvalidRequestError, match="Invalid integer"):
            shop.v1.customers.list({"limit": limit})
    with pytest.raises(InvalidRequestError, match="No such object"):
        shop.v1.customers.list({"starting_after": "cus_nobody"})


def test_lists_filter_by_time_and_by_field(shop: Shop) -> None:
    early = shop.customer(email="early@example.com")
    shop.go_to("2026-03-01T00:00")
    late = shop.customer(email="late@example.com")
    since = shop.v1.customers.list({"created": {"gte": unix("2026-02-01")}}).data
    assert [customer.id for customer in since] == [late.id]
    mine = shop.v1.customers.list({"email": "early@example.com"}).data
    assert [customer.id for customer in mine] == [early.id]


def test_a_fault_of_the_simulator_is_loud(
    stripe_simulator: StripeSimulator, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    customer = shop.customer()
    stripe_simulator.account.store.one(customer.id)["invented"] = 1
    with pytest.raises(stripe.APIError, match="Customer has no such field") as failure:
        shop.v1.customers.retrieve(customer.id)
    assert failure.value.http_status == 500
    assert "ContractBreach" in caplog.text
