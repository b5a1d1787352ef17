"""Constraints are asked what they imply; chains and systems ask them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import channels
from capacity.channels import (
    BinarySymmetric,
    Chain,
    Channel,
    Constraint,
    Dropout,
    Erasure,
    Gaussian,
    LearntGaussian,
    Posterior,
    StochasticDepth,
)
from capacity.channels.constraint import ANY, POWER, SIGNS
from capacity.runtime.pytrees import register_dataclass

DIGITS = Constraint("digits")
ORDER = [
    (SIGNS, Constraint("values", values=(-1.0, 0.0, 1.0)), True),
    (Constraint("values", values=(-1.0, 0.0, 1.0)), SIGNS, False),
    (Constraint("values", values=(1.0, -1.0)), SIGNS, True),
    (SIGNS, Constraint("signs", 2.0), False),
    (DIGITS, SIGNS, False),
    (DIGITS, Constraint("values", values=(0.0, 1.0)), True),
    (SIGNS, POWER, True),
    (Constraint("amplitude", 0.5), POWER, True),
    (Constraint("amplitude", 0.5), Constraint("power", 0.25), True),
    (Constraint("amplitude", 0.5), Constraint("power", 0.2), False),
    (Constraint("power", 2.0), Constraint("power", 1.0), False),
    (Constraint("power", 1.0), Constraint("power", 2.0), True),
    (Constraint("power", 1.0), Constraint("amplitude", 9.0), False),
    (POWER, POWER, True),
    (ANY, POWER, False),
    (POWER, ANY, True),
    (Constraint("bank"), ANY, True),
    (SIGNS, Constraint("bank"), False),
]


@pytest.mark.parametrize(("one", "other", "truth"), ORDER)
def test_implication(one: Constraint, other: Constraint, truth: bool) -> None:
    assert one.implies(other) is truth
    assert one.implies(one) and one.implies(ANY)


def test_units_that_are_admitted() -> None:
    u = jnp.array([-1.0, 0.0, 0.5, 1.0])
    np.testing.assert_array_equal(SIGNS.admits(u), [True, False, False, True])
    np.testing.assert_array_equal(DIGITS.admits(u), [False, True, False, True])
    np.testing.assert_array_equal(Constraint("amplitude", 0.5).admits(u), [False, True, True, False])
    assert POWER.admits(u).all() and not POWER.limits_units and SIGNS.limits_units


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Constraint("cubic"), "Expected a constraint among any, power"),
        (lambda: Constraint("power", 0.0), "Expected a positive limit; got 0"),
        (lambda: Constraint("values"), "Expected values with the kind"),
        (lambda: Constraint("signs", values=(1.0,)), "Expected values with the kind"),
    ],
)
def test_refusals(build: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_a_power_is_at_most_the_limit_and_of_units_that_spend_it_the_limit() -> None:
    half = Constraint("power", 0.5)
    assert half.implies(Constraint("power", 2.0)) and not Constraint("power", 2.0).implies(half)
    assert half.words == "E[u^2] <= 0.5 in every unit" and half.words_of_units == "E[u^2] = 0.5 in every unit"
    for other in (POWER, SIGNS, Constraint("amplitude", 0.5)):
        assert other.words_of_units == other.words


@register_dataclass
@dataclass(frozen=True)
class Foreign(LearntGaussian):
    """Somebody else's channel of a paired code."""

    name: ClassVar[str] = "foreign"
    code: ClassVar[type] = Posterior


def test_a_chain_asks_what_the_second_channel_takes() -> None:
    with pytest.raises(ValueError, match="second channel of plain units; got foreign, a channel of Posterior"):
        Chain(Dropout(0.5), Foreign())
    with pytest.raises(ValueError, match="second channel of plain units; got stochastic_depth"):
        Chain(Dropout(0.5), StochasticDepth(0.5))


@pytest.mark.parametrize(
    ("channel", "presumes"),
    [
        (Chain(Erasure(0.2), Gaussian(0.5)), SIGNS),
        (Chain(Dropout(0.2), Gaussian(0.5)), POWER),
        (Chain(Dropout(0.2), BinarySymmetric(0.1)), None),  # 0 is no sign
        (Chain(BinarySymmetric(0.2), Erasure(0.1)), SIGNS),
    ],
    ids=str,
)
def test_what_a_chain_presumes(channel: Channel, presumes: Constraint | None) -> None:
    assert channel.presumes == presumes
    assert channel.has_ceiling == (presumes is not None)


def test_old_names_work_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="Chain"):
        assert channels.Then is Chain
    with pytest.warns(DeprecationWarning, match="'chain'"):
        assert channels.CHANNELS["then"] is Chain
    with pytest.warns(DeprecationWarning, match="presumes"):
        assert Gaussian(1.0).constraint == "E[u^2] <= power"
    with pytest.warns(DeprecationWarning, match="no_ceiling_because"):
        assert LearntGaussian().statement == LearntGaussian.no_ceiling_because


def test_a_channel_without_a_member_is_refused_with_its_name() -> None:
    class Half(Channel):
        """No density."""

        name = "half"
        summary = "half a channel"

        def __call__(self, key: jax.Array, u: Any) -> jax.Array:
            return u

    with pytest.raises(TypeError, match="log_prob, moments"):
        channels.CHANNELS.register(Half)
