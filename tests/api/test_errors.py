"""Every refusal of ours has its place in the table of problems."""

from __future__ import annotations

import inspect

from api.errors import KINDS, kind_of
from ledger import errors
from ledger.errors import FolioError


def test_every_class_of_the_tree_is_mapped() -> None:
    tree = {cls for _, cls in inspect.getmembers(errors, inspect.isclass)}
    tree = {cls for cls in tree if issubclass(cls, FolioError)}
    assert len(tree) > 15
    assert tree <= set(KINDS)


def test_codes_are_told_apart() -> None:
    codes = [cls.code for cls in KINDS]
    assert len(codes) == len(set(codes))


def test_what_is_not_named_is_told_as_what_it_is_a_kind_of() -> None:
    class Closed(errors.Ended):
        """A refusal of some other room."""

    assert kind_of(Closed("thing", "x")) == KINDS[errors.Ended]
