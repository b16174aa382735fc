"""The plots: what can happen to a customer, scene by scene, as tables of days and acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DAYS: Final = 182
"""Length of the whole story; a negative day counts back from its end, which is now."""


@dataclass(frozen=True)
class Scene:
    """Something a customer does on a day; `act` names a method of the stage."""

    day: float
    act: str
    terms: dict[str, str | int | bool] = field(default_factory=dict)


def _scene(day: float, act: str, **with_: str | int | bool) -> Scene:
    return Scene(day, act, with_)


def _start(price: str, day: float = 0, **terms: str | int | bool) -> tuple[Scene, ...]:
    return (
        _scene(day, "sign_up", card="visa"),
        _scene(day + 0.01, "subscribe", price=price, **terms),
    )


_BROKEN: Final = "chargeCustomerFail"

PLOTS: Final[dict[str, tuple[Scene, ...]]] = {
    "loyal": _start("pro_monthly"),
    "small": _start("starter_monthly"),
    "yearly": _start("pro_yearly"),
    "quarterly": _start("pro_quarterly"),
    "half-yearly": _start("pro_half_yearly"),
    "trial converts": _start("pro_monthly", trial_days=14),
    "trial is canceled": (
        *_start("pro_monthly", trial_days=14),
        _scene(9, "cancel_now"),
    ),
    "trial without a card ends": (
        _scene(0, "sign_up"),
        _scene(0.01, "subscribe", price="pro_monthly", trial_days=14, without_card="cancel"),
    ),
    "trial without a card pauses, then resumes": (
        _scene(0, "sign_up"),
        _scene(0.01, "subscribe", price="pro_monthly", trial_days=14, without_card="pause"),
        _scene(31, "use_card", card="mastercard"),
        _scene(31.01, "resume"),
    ),
    "trial is extended": (
        *_start("team_monthly", trial_days=14, quantity=4),
        _scene(12, "extend_trial", days=10),
    ),
    "in trial now": _start("pro_monthly", day=-5, trial_days=14),
    "upgrades": (*_start("starter_monthly"), _scene(44, "change_price", price="pro_monthly")),
    "downgrades": (*_start("team_monthly"), _scene(75, "change_price", price="starter_monthly")),
    "goes yearly": (*_start("pro_monthly"), _scene(61, "change_price", price="pro_yearly")),
    "grows": (
        *_start("team_monthly", quantity=3),
        _scene(33, "change_quantity", quantity=5),
        _scene(72, "change_quantity", quantity=9),
        _scene(121, "change_quantity", quantity=7),
    ),
    "takes an add-on": (
        *_start("pro_monthly"),
        _scene(28, "add_item", price="archive_monthly"),
        _scene(100, "remove_item", price="archive_monthly"),
    ),
    "keeps an add-on": (*_start("pro_monthly"), _scene(50, "add_item", price="archive_monthly")),
    "payment fails and recovers": (
        *_start("pro_monthly"),
        _scene(50, "use_card", card=_BROKEN),
        _scene(67, "use_card", card="visa"),
    ),
    "payment fails for good": (
        *_start("pro_monthly"),
        _scene(38, "use_card", card=_BROKEN),
        _scene(120, "cancel_now"),
    ),
    "payment fails, debt is written off": (
        *_start("team_monthly", quantity=2),
        _scene(40, "use_card", card=_BROKEN),
        _scene(100, "write_off"),
    ),
    "ends unpaid": (
        *_start("team_monthly", quantity=3),
        _scene(80, "use_card", card=_BROKEN),
    ),
    "past due, in grace": (
        _scene(-16, "sign_up", card=_BROKEN),
        _scene(-16, "subscribe", price="pro_monthly", trial_days=14),
    ),
    "past due, grace over": (
        _scene(-24, "sign_up", card=_BROKEN),
        _scene(-24, "subscribe", price="pro_monthly", trial_days=14),
    ),
    "first payment fails": (
        _scene(0, "sign_up", card=_BROKEN),
        _scene(0.01, "subscribe", price="pro_monthly"),
    ),
    "cancels": (*_start("pro_monthly"), _scene(95, "cancel_now")),
    "cancels at period end": (*_start("pro_monthly"), _scene(70, "cancel_at_period_end")),
    "cancels, then stays": (
        *_start("team_monthly", quantity=2),
        _scene(70, "cancel_at_period_end"),
        _scene(78, "keep"),
    ),
    "will end": (*_start("pro_monthly"), _scene(-2, "cancel_at_period_end")),
    "comes back": (
        *_start("pro_monthly"),
        _scene(58, "cancel_now"),
        _scene(110, "subscribe", price="pro_monthly"),
    ),
    "pauses and resumes": (
        *_start("pro_monthly"),
        _scene(64, "pause"),
        _scene(105, "resume"),
    ),
    "is paused": (*_start("pro_monthly"), _scene(-20, "pause")),
    "billing is suspended for a while": (
        *_start("team_monthly", quantity=2),
        _scene(40, "suspend_billing"),
        _scene(90, "bill_again"),
    ),
}
