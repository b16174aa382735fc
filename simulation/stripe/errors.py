"""Stripe's errors, in the words and shapes that its SDKs parse."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """A refusal that goes back to the caller as `{"error": {...}}`."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.details = details

    def body(self, request_log_url: str) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        error |= {name: value for name, value in self.details.items() if value is not None}
        error["request_log_url"] = request_log_url
        return {"error": error}


def invalid_request(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> StripeError:
    return StripeError(status, "invalid_request_error", message, code=code, param=param)


def no_such(kind: str, identifier: str, *, param: str = "id", status: int = 404) -> StripeError:
    message = f"No such {kind}: '{identifier}'"
    return invalid_request(message, param=param, code="resource_missing", status=status)


def unknown_parameter(path: str) -> StripeError:
    return invalid_request(
        f"Received unknown parameter: {path}", param=path, code="parameter_unknown"
    )


def missing_parameter(path: str) -> StripeError:
    return invalid_request(f"Missing required param: {path}.", param=path, code="parameter_missing")


def not_simulated(path: str) -> StripeError:
    """A parameter that Stripe knows and the simulator does not act upon: never just ignored."""
    return invalid_request(
        f"The simulator does not act upon the parameter {path}.",
        param=path,
        code="parameter_not_simulated",
    )


def card_declined(decline_code: str, message: str, **details: Any) -> StripeError:
    code = decline_code if decline_code in CARD_ERROR_CODES else "card_declined"
    return StripeError(402, "card_error", message, code=code, decline_code=decline_code, **details)


CARD_ERROR_CODES = frozenset(
    {"expired_card", "incorrect_cvc", "processing_error", "authentication_required"}
)
