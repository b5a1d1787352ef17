"""What annealing asks of an approximation of p(m|z): a normalised start, a joint density, and sweeps that keep it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from capacity.bounds.annealed.ladder import Ladder, even_ladder
from capacity.bounds.posterior.bridge import BridgeMove, Carried, Target
from capacity.runtime.shapes import Key, Scalar

PRIME = 7919  # a stride through the moves that meets each as often as any other


class Sweep(NamedTuple):
    """Which moves of the approximation are made, start <= move < stop, in which order, and under which density.

    Attributes:
        weight: w of q^(1-w) f^w, q being the start and f the approximation's joint density.
        start, stop: numbers of moves.
        backwards: whether from the last to the first, which reverses the sweep forwards.
    """

    weight: Scalar | float
    start: jax.Array | int
    stop: jax.Array | int
    backwards: jax.Array | bool


class PosteriorApproximation(ABC):
    """An approximation of p(m|z), and its samplers; for one noisy code at a time, batching is the caller's `vmap`.

    One's own is a frozen dataclass and a pytree, and defines

    - `observe(z)`, `sample(key, observation)` and `log_start(observation, state)`: a normalised q(m|z) to start from;
    - `state_of(observation, message)` and `message_of(state)`: how messages are held while a chain moves;
    - `operations`: what a sweep costs, as the number of arithmetic operations that take about as long;
    - where f(m, z) ~ p(m, z) is not the start itself: `log_joint`, `sweep`, `moves`, and `refresh` where states carry
      sums whose rounding errors pile up.

    No bound rests on how good it is: it must be fixed before the samples that it is held against are drawn.
    """

    @property
    def moves(self) -> int:
        """How many moves make a whole sweep."""
        return 1

    @property
    @abstractmethod
    def operations(self) -> float:
        """What a sweep costs, as the number of arithmetic operations that take about as long."""

    @property
    def bridge(self) -> BridgeMove:
        """What moves a chain on the second leg: sweeps there and back, accepted by what this leaves out."""
        return SweptBridge(self)

    def initial_ladder(self, first: int) -> Ladder:
        """The first pilot's ladder, so many rungs a leg."""
        return even_ladder(first, first)

    @abstractmethod
    def observe(self, z: PyTree) -> PyTree:
        """Everything that the samplers need to know of z (units,)."""

    @abstractmethod
    def sample(self, key: Key, observation: PyTree) -> PyTree:
        """The state of a message drawn from q(m|z)."""

    @abstractmethod
    def state_of(self, observation: PyTree, message: PyTree) -> PyTree:
        """The state of a given message (message_dim,)."""

    @abstractmethod
    def message_of(self, state: PyTree) -> PyTree:
        """The message (message_dim,) of a state."""

    @abstractmethod
    def log_start(self, observation: PyTree, state: PyTree) -> jax.Array:
        """log q(m|z), a scalar, nats; normalised."""

    def log_joint(self, observation: PyTree, state: PyTree) -> jax.Array:
        """log f(m, z), a scalar, nats, f standing for p(m, z); by default the start, and the first leg does nothing."""
        return self.log_start(observation, state)

    def sweep(self, key: Key, observation: PyTree, state: PyTree, part: Sweep) -> PyTree:
        """Moves that leave q^(1-w) f^w as it is; none where the first leg has nowhere to go.

        Args:
            key: of the moves.
            observation: of the noisy code.
            state: where the chain stands.
            part: which moves, in which order, and the weight w.
        """
        return state

    def refresh(self, observation: PyTree, state: PyTree) -> PyTree:
        """The same state, without the rounding errors that piled up in it."""
        return state


@dataclass(frozen=True)
class SweptBridge(BridgeMove):
    """A sweep there and back, its own reversal under the approximation, accepted by what that leaves out."""

    approximation: PosteriorApproximation

    def carry(self, target: Target, observation: PyTree, state: PyTree, z: PyTree) -> Carried:
        """The state, and log p(m, z) - log f(m, z)."""
        truth = target.log_prob(self.approximation.message_of(state), z)
        return Carried(state, truth - self.approximation.log_joint(observation, state))

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
        """One proposal under f (p/f)^weight."""
        out, back, toss = jax.random.split(key, 3)
        state = swept_there_and_back(out, back, self.approximation, observation, carried.state, turn)
        new = self.carry(target, observation, state, z)
        accept = jnp.log(jax.random.uniform(toss)) < weight * (new.log_ratio - carried.log_ratio)
        return jax.tree.map(partial(jnp.where, accept), new, carried), accept


def swept_there_and_back(
    out: Key, back: Key, approximation: PosteriorApproximation, observation: PyTree, state: PyTree, turn: jax.Array
) -> PyTree:
    """A state after a sweep and its reversal: reversible under the approximation's joint density."""
    start, stop = _window(turn, approximation.moves)
    one = jnp.ones(())
    state = approximation.sweep(out, observation, state, Sweep(one, start, stop, False))
    state = approximation.sweep(back, observation, state, Sweep(one, start, stop, True))
    return approximation.refresh(observation, state)


def _window(turn: jax.Array, moves: int) -> tuple[jax.Array, jax.Array]:
    """From which move to which a proposal goes: all, and in turn shorter and shorter stretches."""
    length = jnp.asarray([moves, -(-moves // 2), -(-moves // 4), -(-moves // 8)])[turn % 4]
    start = (turn * PRIME) % (moves - length + 1)
    return start, start + length
