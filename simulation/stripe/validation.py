"""The last check before anything leaves: does it fit the contract of the installed SDK?"""

from __future__ import annotations

from itertools import islice

from simulation.stripe.schema import installed_contract
from simulation.stripe.shapes import Anything, Fault, PageOf
from simulation.stripe.store import Obj


class ContractBreach(Exception):
    """The simulator made an object that Stripe would not send."""

    def __init__(self, kind: str, faults: list[Fault]) -> None:
        super().__init__(f"{kind}: " + "; ".join(map(str, faults)))
        self.faults = faults


def validate(obj: Obj) -> None:
    """Hold an object, and every object on a page, against its shape; raises `ContractBreach`."""
    if obj["object"] == "list":
        _demand("list", list(islice(PageOf(Anything()).faults(obj, ""), 5)))
        for element in obj["data"]:
            validate(element)
        return
    shape = installed_contract().record(obj["object"])
    _demand(obj["object"], list(islice(shape.faults(obj, ""), 5)))


def _demand(kind: str, faults: list[Fault]) -> None:
    if faults:
        raise ContractBreach(kind, faults)
