"""The contract of a bound: what `BOUNDS` lists has it, and what lacks a member is refused by its name."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from capacity import Joint
from capacity.bounds import BOUNDS, Bound, MaximumEntropy
from capacity.channels import Gaussian
from capacity.results.estimate import Estimate
from synthetic import FairBits


@pytest.mark.parametrize("name", BOUNDS)
def test_each_is_a_bound_of_its_name(name: str) -> None:
    kind = BOUNDS[name]
    assert issubclass(kind, Bound) and kind.name == name and len(kind.summary.split()) > 3


def test_what_lacks_a_member_is_refused() -> None:
    with pytest.raises(TypeError, match="summary, __call__"):
        BOUNDS.check(type("Half", (), {"name": "half"}))


def test_a_seed_is_the_key_made_of_it() -> None:
    joint = Joint(FairBits(jnp.eye(2)), lambda x: x, Gaussian(jnp.float32(1.0)))
    bound = MaximumEntropy(512)
    found: list[Estimate] = [bound(key, joint) for key in (7, jax.random.key(7))]
    assert found[0].bits == found[1].bits and found[0].kind == "upper"
