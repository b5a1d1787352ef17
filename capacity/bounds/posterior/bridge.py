"""The second leg of annealing, from an approximation to the truth: what it ends at, and what moves a chain along it."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Int, PyTree

from capacity.runtime.shapes import Key, Scalar


@runtime_checkable
class Target(Protocol):
    """What chains end at: a `Joint`, or anything that samples message, code and z, and has these densities in nats."""

    def sample(self, key: Key, n: int) -> tuple[PyTree, PyTree, PyTree]:
        """n independent messages, codes and noisy codes; leaves (n, ...)."""

    def log_prob(self, message: PyTree, z: PyTree) -> jax.Array:
        """log p(m, z) of one message and noisy code, a scalar."""

    def conditional(self, z: PyTree, code: PyTree) -> jax.Array:
        """log p(z|u) of one noisy code and the code that was sent, a scalar."""


class Carried(NamedTuple):
    """What a chain carries along the second leg.

    Attributes:
        state: of the approximation.
        log_ratio: a scalar, nats: the log density that the leg brings in, target over start of the leg.
        gradient: of `log_ratio` in the state, where moves need it; else nothing.
    """

    state: PyTree
    log_ratio: jax.Array
    gradient: PyTree = ()


@runtime_checkable
class BridgeMove(Protocol):
    """Moves along the second leg: under (start of the leg) x exp(weight log_ratio), which each leaves as it is."""

    def carry(self, target: Target, observation: PyTree, state: PyTree, z: PyTree) -> Carried:
        """What a chain in this state carries.

        Args:
            target: the truth.
            observation: what the approximation made of z.
            state: of the approximation.
            z: one noisy code.
        """

    def move(
        self,
        key: Key,
        target: Target,
        observation: PyTree,
        z: PyTree,
        carried: Carried,
        weight: Scalar,
        turn: Int[Array, ""],
    ) -> tuple[Carried, jax.Array]:
        """One reversible proposal, accepted or refused, and whether it was accepted.

        Args:
            key: of the proposal and the toss.
            target: the truth.
            observation: what the approximation made of z.
            z: one noisy code.
            carried: where the chain stands.
            weight: of the log ratio, from 0 to 1.
            turn: number of the step: proposals may take turns.
        """
