"""What is refused of networks of somebody's own before any training: a loss without a value, programs that change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.training.carried import training_pass
from capacity.training.system import System
from capacity.training.train import Training

if TYPE_CHECKING:
    from synthetic.source import Source

CHECKED = 16  # noisy codes of the one loss that is taken


def check_networks(source: Source, system: System, level: float) -> None:
    """Take the loss once, of fresh parameters and a small batch; every network that runs in it is looked at.

    Args:
        source: what is sent.
        system: with networks of somebody's own.
        level: how strong the noise is.

    Raises:
        ValueError: for a loss that is no number, and whatever the networks' own checks refuse.
    """
    key = jax.random.key(0)
    ready, params = system.prepared(key, source), jax.jit(system.init)(key, source)
    with training_pass(key, checking=True):
        value = ready.loss(params, key, source, jnp.float32(level), CHECKED, jnp.zeros(()))
    if value.shape != () or not jnp.isfinite(value):
        raise ValueError(f"Expected a loss that is one number at fresh parameters; got {value}.")


def same_program(source: Source, system: System, training: Training) -> str:
    """The digest of what runs, which two traces must agree on.

    Args:
        source: what is sent.
        system: with networks of somebody's own.
        training: how it is trained.

    Raises:
        ValueError: for a program that is another one each time it is traced.
    """
    first, again = (training.program(source, system) for _ in range(2))
    if first != again:
        raise ValueError(
            "Expected a system that is the same program each time it is traced; got another one the second time. Does "
            "a network draw from NumPy or `random`, or count its calls? Draw from the nnx.Rngs that it is made with, "
            "and count in an nnx.Variable."
        )
    return first
