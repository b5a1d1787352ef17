"""The contract of an approximation: five methods make one, and what lacks one of them is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from codes import keyed_bits

from capacity import Joint
from capacity.bounds.annealed.chains import run_chains
from capacity.bounds.annealed.ladder import STRIDE, even_ladder
from capacity.bounds.annealed.legs import LANES, Samples
from capacity.bounds.exact.densities import log_densities
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.posterior.approximation import PosteriorApproximation
from capacity.runtime.pytrees import mistakable, register_dataclass


@register_dataclass
@dataclass(frozen=True)
class Prior(PosteriorApproximation):
    """One's own: messages of the prior, which no sweep moves."""

    joint: Joint
    operations: ClassVar[float] = 1.0

    def observe(self, z: Any) -> Any:
        return z

    def sample(self, key: Any, observation: Any) -> Any:
        return self.joint.source.sample(key, 1).message[0]

    def state_of(self, observation: Any, message: Any) -> Any:
        return message

    def message_of(self, state: Any) -> Any:
        return state

    def log_start(self, observation: Any, state: Any) -> jax.Array:
        log_prob: jax.Array = self.joint.source.log_prob(state)
        return log_prob


def test_one_of_ones_own_gives_weights_of_the_right_mean() -> None:
    """Chains that stay where they start weigh a draw of the prior: E[w] = p(z)."""
    joint = keyed_bits(2, 1.0)
    ladder = even_ladder(STRIDE, STRIDE)
    chains = run_chains(
        jax.random.key(0), joint, Prior(joint), Samples.simulate(jax.random.key(9), joint, 4 * LANES), ladder, 2
    )
    log_p = np.asarray(log_densities(list_codes(joint), joint.channel, jnp.asarray(chains.samples.z)).joint)
    ratio = np.exp(chains.forward - log_p[None])
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / ratio.size**0.5
    assert (chains.accepted == 1).all()


def test_what_lacks_a_method_is_refused() -> None:
    class Half(PosteriorApproximation):
        operations = 1.0

        def observe(self, z: Any) -> Any:
            return z

    half: Any = Half
    with pytest.raises(TypeError, match="log_start.*message_of.*sample.*state_of"):
        half()


def test_one_that_jax_may_take_for_another_is_refused() -> None:
    @jax.tree_util.register_dataclass
    @dataclass(frozen=True)
    class Theirs(Prior):
        pass

    joint = keyed_bits(2, 1.0)
    theirs, ladder = Theirs(joint), even_ladder(STRIDE, STRIDE)
    if not mistakable(theirs):
        pytest.skip("this JAX tells classes apart")
    samples = Samples.simulate(jax.random.key(9), joint, LANES)
    with pytest.raises(TypeError, match="Expected an approximation whose class is told from others; got Theirs"):
        run_chains(jax.random.key(0), joint, theirs, samples, ladder)
