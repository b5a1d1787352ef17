"""Units in order, how many carry 95 % of the bits, and which are idle or dead."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.analysis.latent.usage import usage_of


def test_order_carriers_and_states() -> None:
    bits = np.array([0.02, 3.0, 0.001, 2.0, 0.06, 1.0])
    found = usage_of(bits, bits - 0.005, bits + 0.005)
    assert found.order.tolist() == [1, 3, 5, 4, 0, 2]
    assert found.state.tolist() == ["idle", "active", "dead", "active", "active", "active"]
    assert found.carriers == 3 and found.of_state("dead") == [2]
    assert found.active.tolist() == [False, True, False, True, True, True]


def test_a_unit_that_may_say_more_is_not_dead() -> None:
    assert usage_of(np.array([0.001]), np.array([0.0]), np.array([0.02])).state.tolist() == ["idle"]


@pytest.mark.parametrize("bits", [0.0, -1e-3])
def test_where_all_are_dead_nothing_carries(bits: float) -> None:
    found = usage_of(np.full(3, bits), np.full(3, bits), np.full(3, bits))
    assert found.carriers == 0 and found.of_state("dead") == [0, 1, 2]


def test_equal_units_are_all_needed_but_for_five_in_a_hundred() -> None:
    assert usage_of(np.ones(40), np.ones(40), np.ones(40)).carriers == 38
