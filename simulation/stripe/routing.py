"""Routes: which address and method lead to which function, with which declared parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from simulation.stripe.account import Account, Call
from simulation.stripe.errors import invalid_request
from simulation.stripe.paging import Page
from simulation.stripe.store import Obj

Handler = Callable[[Account, Call], Obj | Page]

LIST: Final = "limit starting_after ending_before"
"""The parameters of every list."""


@dataclass(frozen=True)
class Route:
    """One operation of the API.

    `params` names the SDK's parameter class, which decides what is well-formed; `takes` lists what
    the simulator acts upon, so that nothing well-formed is ignored in silence.
    """

    method: str
    path: str
    handler: Handler
    params: str
    takes: str = ""


class RouteTable:
    """Every route, found by method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(_pattern(route.path), route) for route in routes]

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and the ids in its path; a 404 error otherwise."""
        for pattern, route in self._routes:
            found = pattern.fullmatch(path)
            if found and route.method == method:
                return route, found.groupdict()
        raise invalid_request(
            f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, "
            "remove the trailing slash. If you are trying to retrieve an object, make sure you "
            "passed a valid (non-empty) identifier in your code.",
            status=404,
        )


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
