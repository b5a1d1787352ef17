"""Units of a fixed power through Gaussian noise of standard deviation sigma, the level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import Gaussian
from capacity.joint.joint import Joint
from capacity.systems.antithetic import antithetic_codes, messages_for, repeat_batch
from capacity.systems.architecture import DEFAULT, Architecture, Params, merge
from capacity.systems.constraints import standardised, whole_moments


@dataclass(frozen=True)
class GaussianAutoencoder:
    """Autoencoder whose units have mean 0 and mean square `power` each, through noise of standard deviation `level`.

    In training the units are normalised over the batch; afterwards by the exact mean and power over all messages
    (over 65,536 samples where they cannot be listed), and frozen.  `power=None` leaves them free: the encoder then
    buys back any fixed noise.

    Training starts from a noise stronger than asked, where only half of the source's bits fit (but at most
    `noise_start` times the noise asked), and lowers it over the first 70 % of the steps: a code that once
    had to share all units among all bits keeps some of that, where one trained in weak noise only settles on separate
    levels per unit.
    """

    architecture: Architecture = DEFAULT
    power: float | None = 1.0
    noise_start: float = 2.0
    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "autoencoder, units of fixed power through Gaussian noise of standard deviation sigma"
    level_name: ClassVar[str] = "noise standard deviation"
    level_symbol: ClassVar[str] = "σ"
    default_levels: ClassVar[tuple[float, ...]] = (
        0.1,
        0.13,
        0.17,
        0.23,
        0.3,
        0.4,
        0.5,
        0.7,
        0.9,
        1.2,
        1.5,
        2.0,
    )

    def __post_init__(self) -> None:
        if self.power is not None and not self.power > 0:
            raise ValueError(f"Expected a positive power, or None for no constraint; got {self.power}.")
        if not self.noise_start >= 1:
            raise ValueError(f"Expected noise_start of at least 1; got {self.noise_start}.")

    @property
    def statement(self) -> str:
        """What the ceiling presumes, or why there is none."""
        if self.power is None:
            return "no ceiling: units of unlimited power buy back any fixed noise"
        return f"the ceiling presumes mean square E[u^2] <= {self.power:g} in every unit; the code has exactly that"

    def ceiling(self, level: float, source: Any) -> float | None:
        """Bits that all units can pass at most, or None without a power."""
        if self.power is None:
            return None
        return self.architecture.units * float(self.channel(level).ceiling(jnp.float32(self.power)))

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters."""
        return self.architecture.init(key, source, self.architecture.units)

    def channel(self, level: float | jax.Array) -> Gaussian:
        """The noise at this level."""
        return Gaussian(level)

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """Standard deviation of r(z), from the code's mean power a unit."""
        return jnp.sqrt(power + jnp.square(level))

    def loss(
        self,
        params: Params,
        key: jax.Array,
        level: jax.Array,
        source: Any,
        n: int,
        progress: jax.Array,
    ) -> jax.Array:
        """Mean loss in nats of n fresh noisy codes; progress runs from 0 to 1."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, messages_for(n))
        u = jax.vmap(merge(self.architecture.encoder(source, self.architecture.units), params["encoder"]))(batch.vector)
        if self.power is not None:
            u = standardised(u, self.power)
            level = self._annealed(level, source, progress)
        z = antithetic_codes(key_noise, u, level)
        return self.architecture.reconstruction(params, source, repeat_batch(batch), z)

    def _annealed(self, level: jax.Array, source: Any, progress: jax.Array) -> jax.Array:
        half = self.power / (2 ** (source.bits / self.architecture.units) - 1) if source.discrete else 0.0
        start = jnp.clip(jnp.sqrt(half), level, self.noise_start * level)
        return level + (start - level) * jnp.clip(1 - progress / 0.7, 0, 1)

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The trained sender: encoder with its normalisation frozen, and the channel."""
        shift, scale = jnp.zeros(self.architecture.units), jnp.ones(self.architecture.units)
        if self.power is not None:
            raw = jax.tree_util.Partial(self._encode, source, params["encoder"], shift, scale)
            shift, scale = whole_moments(raw, key, source, self.power)
        encoder = jax.tree_util.Partial(self._encode, source, params["encoder"], shift, scale)
        return Joint(source, encoder, self.channel(level))

    def _encode(self, source: Any, state: Any, shift: jax.Array, scale: jax.Array, x: jax.Array) -> jax.Array:
        encode = merge(self.architecture.encoder(source, self.architecture.units), state)
        return (encode(x) - shift) * scale
