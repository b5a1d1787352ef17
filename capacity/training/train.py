"""How a system is trained: sender and receiver together, then the receiver alone.

The second stage tightens the decoder's lower bound without touching what is measured: the sender is frozen, and the
message decoder goes on learning from fresh samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from capacity.channels.channel import noisy
from capacity.training.fitting import Fitting, advance, apply, begin, cosine_adam
from capacity.training.precision import PRODUCTS, ROUNDED, fast_products, rounded_products

Optimiser: TypeAlias = optax.GradientTransformation | Callable[[jax.Array], optax.GradientTransformation]
# Of the default Adam: with 0.999 the same bits took a fifth more steps, and more VAEs at their threshold collapsed;
# between 0.95 and 0.98 bits differ by less than from seed to seed.
FORGETTING = 0.98
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
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} of at least 1; got {getattr(self, name)}.")
        if self.receiver_steps < 0:
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

    @property
    def total(self) -> int:
        """Steps of both stages."""
        return self.steps + self.receiver_steps

    def train(self, key: jax.Array, system: Any, level: jax.Array, source: Any) -> tuple[Any, jax.Array]:
        """One lane: trained parameters and the first stage's loss history (steps,), nats; traceable."""
        done = self.advance(self.begin(key, system, source), key, system, level, source, self.total)
        return done.params, done.history

    def joint(self, key: jax.Array, system: Any, level: jax.Array | float, source: Any) -> Any:
        """Train one lane and keep its sender: the joint of source, trained encoder and channel, for any bound.

        Traceable, so that many are trained in one program: `jax.lax.map(lambda level: training.joint(key, system,
        level, source), levels)` under `jax.jit` gives a joint whose leaves have a leading axis of levels.
        """
        level = jnp.asarray(level, jnp.float32)
        return sender(key, system, self.train(key, system, level, source)[0], level, source)

    def begin(self, key: jax.Array, system: Any, source: Any) -> LaneState:
        """A lane before its first step; traceable."""
        params = system.init(_streams(key)[0], source)
        optimiser, receiver_optimiser = self._optimisers(key)
        heard = begin(params["message"], receiver_optimiser, self.receiver_steps)
        return LaneState(jnp.zeros((), jnp.int32), begin(params, optimiser, self.steps), heard)

    def advance(
        self, lane: LaneState, key: jax.Array, system: Any, level: jax.Array, source: Any, stop: jax.Array | int
    ) -> LaneState:
        """The lane's steps up to `stop`, counted over both stages; traceable, and to the same bits by any stops."""
        stop = jnp.minimum(stop, self.total)
        key_fit, key_receiver = _streams(key)[1:3]
        optimiser, receiver_optimiser = self._optimisers(key)
        if hasattr(system, "prepared"):  # what is made once for all steps, such as a code by hand
            system = system.prepared(source, _streams(key)[3])

        def loss(params: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
            with rounded_products(self.products == ROUNDED):
                return system.loss(params, key, level, source, self.batch, progress)

        def cross(sent: Fitting, heard: Fitting) -> tuple[Fitting, Fitting]:
            params = sent.params
            if hasattr(system, "settle"):  # what batches can only hold on average, made exact over all messages
                params = system.settle(params, _streams(key)[3], level, source)
            message = params["message"]
            return sent._replace(params=params), begin(message, receiver_optimiser, self.receiver_steps)

        def hear(sent: Fitting, heard: Fitting) -> Fitting:
            joint = sender(key, system, sent.params, level, source)
            receiver_loss = self._receiver_loss(joint, system, sent.params, source)
            start = jnp.maximum(lane.step - self.steps, 0)
            return advance(key_receiver, receiver_loss, receiver_optimiser, heard, start, stop - self.steps)

        sent = advance(key_fit, loss, optimiser, lane.sent, lane.step, jnp.minimum(stop, self.steps))
        crosses = (lane.step < self.steps) & (stop >= self.steps)
        sent, heard = jax.lax.cond(crosses, cross, lambda sent, heard: (sent, heard), sent, lane.heard)
        if self.receiver_steps:
            heard = jax.lax.cond(stop > self.steps, hear, lambda sent, heard: heard, sent, heard)
        return LaneState(stop, sent, heard)

    def _optimisers(self, key: jax.Array) -> tuple[optax.GradientTransformation, optax.GradientTransformation]:
        """Of both stages."""
        key_fit, key_receiver = _streams(key)[1:3]
        first = _keyed(self.optimiser, key_fit, self.steps)
        second = _keyed(self.receiver_optimiser, key_receiver, self.receiver_steps)
        return (
            first or cosine_adam(self.learning_rate, self.steps, FORGETTING),
            second or cosine_adam(self.learning_rate, max(self.receiver_steps, 1), FORGETTING),
        )

    def _receiver_loss(self, joint: Any, system: Any, params: Any, source: Any) -> Callable[..., jax.Array]:
        def loss(message: Any, key: jax.Array, progress: jax.Array) -> jax.Array:
            key_sent, key_noise = jax.random.split(key)
            count = -(-self.receiver_batch // NOISES_PER_MESSAGE)
            sent, codes, _ = joint.sample(key_sent, count)
            # One batch, not one of each noise: a second axis made the slopes of the weights twice as slow.
            sent, codes = jax.tree.map(lambda a: jnp.concatenate([a] * NOISES_PER_MESSAGE), (sent, codes))
            z = noisy(joint.channel, key_noise, codes)
            log_decoder = log_decoder_of(system, params | {"message": message}, source)
            with rounded_products(self.products == ROUNDED):
                return -jax.vmap(log_decoder)(sent, z).mean()

        return loss


class LaneState(NamedTuple):
    """A lane under way: how many steps of both stages are done, and the two fits."""

    step: jax.Array
    sent: Fitting
    heard: Fitting

    @property
    def params(self) -> Any:
        """Of all networks, the message decoder as the second stage left it."""
        return self.sent.params | {"message": self.heard.params}

    @property
    def history(self) -> jax.Array:
        """The first stage's loss, (steps,), nats."""
        return self.sent.history


def sender(key: jax.Array, system: Any, params: Any, level: jax.Array, source: Any) -> Any:
    """The joint of a lane's trained sender; the lane's key decides the calibration sample, wherever it is asked for."""
    return system.joint(params, _streams(key)[3], level, source)


def front_of(system: Any, params: Any, source: Any) -> Callable[[jax.Array], jax.Array]:
    """What a system's receiver does to the channel's noisy units before its decoders: nothing, unless it says so."""
    own = getattr(system, "front", None)
    return own(params, source) if own else lambda z: z


def log_decoder_of(system: Any, params: Any, source: Any) -> Callable[[Any, jax.Array], jax.Array]:
    """log q(m | z), nats, of one message and the channel's noisy units, as the system's whole receiver has it."""
    hear, log_decoder = front_of(system, params, source), system.architecture.log_decoder(params, source)
    return lambda message, z: log_decoder(message, hear(z))


def measurement_key(key: jax.Array) -> jax.Array:
    """The stream of a lane's key that no training step draws from, so that what it samples has trained nothing."""
    return _streams(key)[4]


def _streams(key: jax.Array) -> jax.Array:
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
    program = str(jax.make_jaxpr(lambda p: apply(optimiser, p, optimiser.init(p), p))(params))
    return hashlib.sha256(program.encode()).hexdigest()[:16]
