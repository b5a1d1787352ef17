"""How a system is trained: sender and receiver together, then the receiver alone.

The second stage tightens the decoder's lower bound without touching what is measured: the sender is frozen, and the
message decoder goes on learning from fresh samples.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from capacity.channels.channel import noisy
from capacity.joint.joint import Joint
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.shapes import Key, Scalar
from capacity.runtime.whole import whole
from capacity.training.carried import training_pass
from capacity.training.fitting import Fitting, Loss, advance, apply_update, begin, cosine_adam, one_step
from capacity.training.precision import PRODUCTS, ROUNDED, fast_products, rounded_products
from capacity.training.system import Level, Params, System
from capacity.training.traced import program_digest

if TYPE_CHECKING:
    from synthetic.source import Source

Optimiser: TypeAlias = optax.GradientTransformation | Callable[[jax.Array], optax.GradientTransformation]
# Of the default Adam: with 0.999 the same bits took a fifth more steps, and more VAEs at their threshold collapsed;
# between 0.95 and 0.98 bits differ by less than from seed to seed.
ADAM_B2 = 0.98
NOISES_PER_MESSAGE = 4  # a receiver's batch encodes a quarter of its messages and sends each four times


@dataclass(frozen=True)
class Training:
    """Steps, batches and optimisers of the two stages.

    Attributes:
        steps, batch: of the first stage; the batch counts noisy codes (some systems send a message twice).
        receiver_steps, receiver_batch: of the second; 0 steps to leave it out; the batch counts noisy codes.
        learning_rate: peak of the default schedule (Adam, warm-up, cosine to zero).
        optimiser, receiver_optimiser: the caller's own optax transformations, schedules included, instead; or functions
            from a key to one, so that every lane has a noise of its own in training (`capacity.training.noises`).
        products: "bfloat16" rounds the operands of products between hidden layers while training, "float32" rounds
            nothing; by default `fast_products()`.  What was trained is measured in float32 in any case.

    Raises:
        ValueError: for a count below 1, a learning rate that is not positive, or other products.
    """

    steps: int = 1300
    batch: int = 384
    receiver_steps: int = 300
    receiver_batch: int = 256
    learning_rate: float = 1.75e-2
    optimiser: Optimiser | None = None
    receiver_optimiser: Optimiser | None = None
    products: str = field(default_factory=fast_products)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "receiver_batch"):
            whole(getattr(self, name), name, most=None)
        if whole(self.receiver_steps, "receiver_steps", None, None) < 0:
            raise ValueError(f"Expected receiver_steps of at least 0; got {self.receiver_steps}.")
        if not self.learning_rate > 0:
            raise ValueError(f"Expected a positive learning_rate; got {self.learning_rate}.")
        if self.products not in PRODUCTS:
            raise ValueError(f"Expected products to be one of {', '.join(PRODUCTS)}; got {self.products!r}.")

    @property
    def configuration(self) -> dict[str, Any]:
        """What decides the outcome, as JSON; optimisers by a digest of the program that they are."""
        names = ("steps", "batch", "receiver_steps", "receiver_batch", "learning_rate", "products")
        optimisers = {n: _digest(getattr(self, n)) for n in ("optimiser", "receiver_optimiser")}
        return {name: getattr(self, name) for name in names} | optimisers

    def program(self, source: Source, system: System) -> str:
        """A short hash of what is traced of a system: a step of either stage, gradients included, and what is measured.

        Of the latter: code, noise, its density and moments, the prior of the rate, and what decoders make of a code.

        Args:
            source: what is sent.
            system: what is trained.
        """

        source, system = system.rehearsal(source)

        def lane(key: jax.Array, level: jax.Array) -> PyTree:
            params, start, still = system.init(key, source), jnp.zeros(()), optax.identity()
            ready = system.prepared(key, source)
            loss = self._loss(ready, source, level)
            trained, _, value = one_step(key, loss, still, params, still.init(params), start)
            joint = sender(key, ready.settle(trained, key, source, level), source, ready, level)
            receiver_loss = self._receiver_loss(joint, params, ready)
            received = one_step(key, receiver_loss, still, params["message"], still.init(params["message"]), start)
            return trained, value, received, _measured(key, joint, ready, params, level)

        return program_digest(lane, jax.random.key(0), jnp.ones(()))

    @property
    def total(self) -> int:
        """Steps of both stages."""
        return self.steps + self.receiver_steps

    def train(self, key: Seed, source: Source, system: System, level: Level) -> tuple[Params, jax.Array]:
        """One lane: trained parameters and the first stage's loss history (steps,), nats; traceable.

        Args:
            key: a key or a seed; it decides the start, the batches and their noise.
            source: what is sent.
            system: what is trained.
            level: how strong its noise is.
        """
        key, (source, system, level) = as_key(key), _in_order(source, system, level)
        done = self.advance(self.begin(key, source, system), key, source, system, level, self.total)
        return done.params, done.history

    def joint(self, key: Seed, source: Source, system: System, level: Level) -> Joint:
        """Train one lane and keep its sender: the joint of source, trained encoder and channel, for any bound.

        Traceable, so that many are trained in one program: `jax.lax.map(lambda level: training.joint(key, source,
        system, level), levels)` under `jax.jit` gives a joint whose leaves have a leading axis of levels.

        Args:
            key, source, system, level: as in `train`.
        """
        key, (source, system, level) = as_key(key), _in_order(source, system, level)
        level = jnp.asarray(level, jnp.float32)
        return sender(key, self.train(key, source, system, level)[0], source, system, level)

    def begin(self, key: Key, source: Source, system: System) -> LaneState:
        """A lane before its first step; traceable."""
        params = system.init(_streams(key)[0], source)
        optimiser, receiver_optimiser = self._optimisers(key)
        received = begin(params["message"], receiver_optimiser, self.receiver_steps)
        return LaneState(jnp.zeros((), jnp.int32), begin(params, optimiser, self.steps), received)

    def advance(
        self, lane: LaneState, key: Key, source: Source, system: System, level: Level, stop: jax.Array | int
    ) -> LaneState:
        """The lane's steps up to `stop`, counted over both stages; traceable, and to the same bits by any stops.

        Args:
            lane: as `begin` or an earlier `advance` left it.
            key, source, system, level: the lane's, as in `train`.
            stop: how many steps shall be done, at most `total`; may be traced.
        """
        source, system = system.rehearsal(source)
        stop = jnp.maximum(lane.step, jnp.minimum(stop, self.total))  # a lane that is further stays as it is
        key_fit, key_receiver = _streams(key)[1:3]
        optimiser, receiver_optimiser = self._optimisers(key)
        system = system.prepared(_streams(key)[3], source)

        def cross(sent: Fitting, received: Fitting) -> tuple[Fitting, Fitting]:
            params = system.settle(sent.params, _streams(key)[3], source, level)
            message = params["message"]
            return sent._replace(params=params), begin(message, receiver_optimiser, self.receiver_steps)

        def receive(sent: Fitting, received: Fitting) -> Fitting:
            joint = sender(key, sent.params, source, system, level)
            receiver_loss = self._receiver_loss(joint, sent.params, system)
            start = jnp.maximum(lane.step - self.steps, 0)
            return advance(key_receiver, receiver_loss, receiver_optimiser, received, start, stop - self.steps)

        loss = self._loss(system, source, level)
        sent = advance(key_fit, loss, optimiser, lane.sent, lane.step, jnp.minimum(stop, self.steps))
        crosses = (lane.step < self.steps) & (stop >= self.steps)
        sent, received = jax.lax.cond(crosses, cross, lambda sent, received: (sent, received), sent, lane.received)
        if self.receiver_steps:
            received = jax.lax.cond(stop > self.steps, receive, lambda sent, received: received, sent, received)
        return LaneState(stop, sent, received)

    def _optimisers(self, key: Key) -> tuple[optax.GradientTransformation, optax.GradientTransformation]:
        key_fit, key_receiver = _streams(key)[1:3]
        first = _keyed(self.optimiser, key_fit, self.steps)
        second = _keyed(self.receiver_optimiser, key_receiver, self.receiver_steps)
        return (
            first or cosine_adam(self.learning_rate, self.steps, ADAM_B2),
            second or cosine_adam(self.learning_rate, max(self.receiver_steps, 1), ADAM_B2),
        )

    def _loss(self, system: System, source: Source, level: Level) -> Loss:
        def loss(params: Params, key: Key, progress: Scalar) -> tuple[Scalar, Params]:
            with rounded_products(self.products == ROUNDED), training_pass(key) as opened:
                value = system.loss(params, key, source, level, self.batch, progress)
            return value, opened.whole(params)

        return loss

    def _receiver_loss(self, joint: Joint, params: Params, system: System) -> Loss:
        def loss(message: PyTree, key: Key, progress: Scalar) -> tuple[Scalar, PyTree]:
            key_sent, key_noise = jax.random.split(key)
            count = -(-self.receiver_batch // NOISES_PER_MESSAGE)
            sent, codes, _ = joint.sample(key_sent, count)
            # One batch, not one of each noise: a second axis made the slopes of the weights twice as slow.
            sent, codes = jax.tree.map(lambda a: jnp.concatenate([a] * NOISES_PER_MESSAGE), (sent, codes))
            z = noisy(joint.channel, key_noise, codes)
            received = params | {"message": message}
            with rounded_products(self.products == ROUNDED), training_pass(key) as opened:
                value = -system.log_probs(received, joint.source, sent, z).mean()
            return value, opened.states.get("message", message)

        return loss


class LaneState(NamedTuple):
    """A lane under way: how many steps of both stages are done, and the two fits."""

    step: jax.Array
    sent: Fitting
    received: Fitting

    @property
    def params(self) -> Params:
        """Of all networks, the message decoder as the second stage left it."""
        params: Params = self.sent.params | {"message": self.received.params}
        return params

    @property
    def history(self) -> jax.Array:
        """The first stage's loss, (steps,), nats."""
        return self.sent.history


def sender(key: Seed, params: Params, source: Source, system: System, level: Level) -> Joint:
    """The joint of a lane's trained sender; traceable.

    Args:
        key: the lane's, which decides the calibration sample, wherever the sender is asked for.
        params: as trained.
        source, system, level: the lane's.
    """
    return system.joint(params, _streams(as_key(key))[3], source, level)


def measurement_key(key: Seed) -> Key:
    """The stream of a lane's key that no training step draws from, so that what it samples has trained nothing."""
    return _streams(as_key(key))[4]


def _measured(key: Key, joint: Joint, system: System, params: Params, level: Level) -> PyTree:
    """What figures are made of, for two messages: the parts of a measurement that belong to the system."""
    message, codes, z = joint.sample(key, 2)
    noise = jax.vmap(joint.conditional)(z, codes), jax.vmap(joint.channel.moments)(codes)
    decoded = jax.vmap(system.log_decoder(params, joint.source))(message, z)
    if system.architecture.decode == "vector":
        vectors, read = joint.source.sample(key, 2).vector, jax.vmap(system.front(params, joint.source))(z)
        decoded += system.architecture.squared_error(params, joint.source, vectors, read)
    return noise, decoded, system.prior_std(level, jnp.ones(()))


def _in_order(source: Any, system: Any, level: Any) -> tuple[Source, System, Level]:
    """Source, system and level, also from a caller who has them in the order of before: system, level, source."""
    if isinstance(source, System):
        message = "Expected (key, source, system, level); got the system before the source, an order that goes."
        warnings.warn(message, DeprecationWarning, stacklevel=3)
        source, system, level = level, source, system
    return source, system, level


def _streams(key: Key) -> jax.Array:
    # One split for all uses: split(key, n)[i] and fold_in(key, i) are the same key, so mixing them reuses samples.
    return jax.random.split(key, 5)


def _keyed(optimiser: Optimiser | None, key: jax.Array, steps: int) -> optax.GradientTransformation | None:
    """The transformation itself, with a key of its own if it asks for one: no step of `fit` has the number `steps`."""
    return optimiser(jax.random.fold_in(key, steps)) if callable(optimiser) else optimiser


def _digest(given: Optimiser | None) -> str | None:
    """A short hash of the optimiser's traced program, which names its numbers and schedule."""
    optimiser = _keyed(given, jax.random.key(0), 0)
    if optimiser is None:
        return None
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    return program_digest(lambda p: apply_update(optimiser, p, optimiser.init(p), p), params)
