"""The collector's thresholds belong to the process: whoever is last puts them back."""

from __future__ import annotations

import gc

from projections.batch_memory import RareCollections


def test_the_last_to_leave_restores_the_usual_thresholds() -> None:
    usual = gc.get_threshold()
    rare = RareCollections()
    with rare:
        with rare:
            assert gc.get_threshold()[0] > usual[0]
        assert gc.get_threshold()[0] > usual[0]
    assert gc.get_threshold() == usual
