"""The contract of a system: what it asks, what it gives, and what callers of release 0.1 still may."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.channels import Gaussian
from capacity.systems import SYSTEMS, Architecture, ChannelSystem
from capacity.training import System, Training
from synthetic import FairBits

SOURCE = FairBits.build(jax.random.key(0), 3, 4)
SIZE = Architecture(units=2, widths=(4,))
SHORT = Training(steps=2, batch=8, receiver_steps=1, receiver_batch=8)


@dataclass(frozen=True)
class Plain(ChannelSystem):
    """As short as a system can be."""

    name = "plain"
    summary = "units of power 1 through Gaussian noise"
    level_name = "noise standard deviation"
    level_symbol = "σ"
    default_levels = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

    def channel(self, level: float | jax.Array) -> Gaussian:
        return Gaussian(level)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_one(name: str) -> None:
    assert issubclass(SYSTEMS[name], System)


def test_what_is_optional_has_a_default() -> None:
    system, params = Plain(SIZE), {}
    assert system.channel_units(SOURCE) == 2
    assert system.prepared(jax.random.key(0), SOURCE) is system
    assert system.settle(params, jax.random.key(0), SOURCE, 0.5) is params
    assert system.closed_form(SOURCE, 0.5) is None and system.reference(SOURCE, 0.5) == {}
    z = jnp.array([1.0, -2.0])
    np.testing.assert_array_equal(system.front(params, SOURCE)(z), z)
    assert float(system.prior_std(0.75, jnp.float32(1.0))) == pytest.approx(1.25)
    assert system.ceiling(SOURCE, 1.0) == pytest.approx(2 * 0.5)
    assert "no ceiling" not in system.statement


def test_what_is_not_optional_is_asked_for() -> None:
    class Loose(System):
        """Without a loss."""

        name = "loose"

    with pytest.raises(TypeError, match="abstract"):
        Loose(SIZE)  # type: ignore[abstract]
    with pytest.raises(TypeError, match="loss"):
        SYSTEMS.register(Loose)


@pytest.mark.filterwarnings("ignore:.*target_vae.*:DeprecationWarning")
def test_the_old_name_of_the_target_vae() -> None:
    assert SYSTEMS["vae_target"] is SYSTEMS["target_vae"] and "vae_target" not in list(SYSTEMS)


def test_a_seed_is_a_key_and_the_order_of_before_works_for_a_release() -> None:
    system = Plain(SIZE)
    by_key, history = SHORT.train(jax.random.key(3), SOURCE, system, 0.5)
    by_seed, again = SHORT.train(3, SOURCE, system, 0.5)
    with pytest.warns(DeprecationWarning, match="system before the source"):
        as_before, _ = SHORT.train(jax.random.key(3), system, 0.5, SOURCE)  # type: ignore[arg-type]
    np.testing.assert_array_equal(history, again)
    for other in (by_seed, as_before):
        for a, b in zip(jax.tree.leaves(by_key), jax.tree.leaves(other), strict=True):
            np.testing.assert_array_equal(a, b)
