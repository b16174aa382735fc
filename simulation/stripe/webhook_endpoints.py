"""Webhook endpoints: who is told of events, and the secret that signs what they are told."""

from __future__ import annotations

from simulation.stripe.account import Account, Call
from simulation.stripe.metadata import assign
from simulation.stripe.paging import Page, listed
from simulation.stripe.routing import LIST, Route
from simulation.stripe.store import Obj


def create(account: Account, call: Call) -> Obj:
    """The one answer that shows the signing secret."""
    endpoint: Obj = {
        "id": account.ids.new("we"),
        "object": "webhook_endpoint",
        "api_version": call.get("api_version"),
        "application": None,
        "created": account.now,
        "description": call.get("description"),
        "enabled_events": call.params["enabled_events"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": call.params["url"],
        "_secret": f"whsec_{account.ids.secret('whsec', 32)}",
    }
    assign(endpoint, call.params, "")
    account.store.add(endpoint)
    return {**endpoint, "secret": endpoint["_secret"]}


def retrieve(account: Account, call: Call) -> Obj:
    return account.find("webhook_endpoint", call.path["id"])


def update(account: Account, call: Call) -> Obj:
    endpoint = account.find("webhook_endpoint", call.path["id"])
    assign(endpoint, call.params, "description enabled_events url")
    if call.given("disabled"):
        endpoint["status"] = "disabled" if call.get("disabled") else "enabled"
    return endpoint


def delete(account: Account, call: Call) -> Obj:
    endpoint = account.find("webhook_endpoint", call.path["id"])
    endpoint["deleted"] = True
    return endpoint


def list_endpoints(account: Account, call: Call) -> Page:
    return listed(account, call, account.store.newest("webhook_endpoint"))


ROUTES = (
    Route(
        "POST",
        "/v1/webhook_endpoints",
        create,
        "WebhookEndpointCreateParams",
        "api_version description enabled_events metadata url",
    ),
    Route("GET", "/v1/webhook_endpoints", list_endpoints, "WebhookEndpointListParams", LIST),
    Route("GET", "/v1/webhook_endpoints/{id}", retrieve, "WebhookEndpointRetrieveParams"),
    Route(
        "POST",
        "/v1/webhook_endpoints/{id}",
        update,
        "WebhookEndpointUpdateParams",
        "description disabled enabled_events metadata url",
    ),
    Route("DELETE", "/v1/webhook_endpoints/{id}", delete, "WebhookEndpointDeleteParams"),
)
