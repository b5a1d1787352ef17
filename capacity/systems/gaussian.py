"""Units of a fixed power through Gaussian noise of standard deviation sigma, the level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from capacity.joint.joint import Joint
from capacity.runtime.allowed import Allowed
from capacity.runtime.shapes import Key, Scalar, Units, Vector
from capacity.systems.antithetic import antithetic_codes, messages_for, repeat_batch
from capacity.systems.constraints import standardised, whole_moments
from capacity.systems.normal_noise import GaussianNoiseSystem
from capacity.theory import pam_information, random_coding_information
from capacity.training.carried import ModuleState
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source

ANNEALED_SHARE = 0.7  # of the steps
MAX_PAM_DIGITS = 10  # to a unit at most: beyond them the quadrature over 2^digits points takes long


@dataclass(frozen=True)
class GaussianAutoencoder(GaussianNoiseSystem):
    """Autoencoder whose units have mean 0 and mean square `power` each, through noise of standard deviation `level`.

    In training the units are normalised over the batch; afterwards by the exact mean and power over all messages
    (over 65,536 samples where they cannot be listed), and frozen.  `power=None` leaves them free: the encoder then
    buys back any fixed noise.

    Training starts from a noise stronger than asked, where only half of the source's bits fit (but at most
    `noise_start` times the noise asked), and lowers it over the first 70 % of the steps: a code that once
    had to share all units among all bits keeps some of that, where one trained in weak noise only settles on separate
    levels per unit.
    """

    power: float | None = 1.0
    noise_start: float = 2.0
    name = "gaussian"
    summary = "autoencoder, units of fixed power through Gaussian noise of standard deviation sigma"
    level_name = "noise standard deviation"
    level_symbol = "σ"
    default_levels = (0.1, 0.13, 0.17, 0.23, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2, 1.5, 2.0)
    allowed: ClassVar[Allowed] = {"power": "(0, inf)", "noise_start": "[1, inf)"}

    @property
    def statement(self) -> str:
        if self.power is None:
            return "no ceiling: units of unlimited power buy back any fixed noise"
        return f"the ceiling presumes mean square E[u^2] <= {self.power:g} in every unit; the code has exactly that"

    def ceiling(self, source: Source, level: float) -> float | None:
        if self.power is None:
            return None
        return self.architecture.units * float(self.channel(level).ceiling(jnp.float32(self.power)))

    def reference(self, source: Source, level: float) -> dict[str, float]:
        """Bits of codes of the same digits, units and power: random ones, and pulse-amplitude modulation by hand."""
        bits, units = source.bits, self.architecture.units
        if self.power is None or not (source.discrete and bits == round(bits)):
            return {}
        drawn = {"random_coding_bits": random_coding_information(bits, units, level, self.power)}
        if bits > MAX_PAM_DIGITS * units:
            return drawn
        return {"pam_bits": pam_information(round(bits), units, level, self.power)} | drawn

    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, messages_for(n))
        u = self.architecture.encode(params["encoder"], source, batch.vector, self.architecture.units)
        if self.power is not None:
            u = standardised(u, self.power)
            level = self._annealed(self.power, source, level, progress)
        z = antithetic_codes(key_noise, u, level)
        return self.architecture.reconstruction(params, source, repeat_batch(batch), z)

    def _annealed(self, power: float, source: Source, level: Level, progress: Scalar) -> jax.Array:
        half = power / (2 ** (source.bits / self.architecture.units) - 1) if source.discrete else 0.0
        start = jnp.clip(jnp.sqrt(half), level, self.noise_start * level)
        return level + (start - level) * jnp.clip(1 - progress / ANNEALED_SHARE, 0, 1)

    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        shift, scale = jnp.zeros(self.architecture.units), jnp.ones(self.architecture.units)
        if self.power is not None:
            raw = jax.tree_util.Partial(self._encode, source, params["encoder"], shift, scale)
            shift, scale = whole_moments(raw, key, source, self.power)
        encoder = jax.tree_util.Partial(self._encode, source, params["encoder"], shift, scale)
        return Joint(source, encoder, self.channel(level))

    def _encode(self, source: Source, state: ModuleState, shift: Units, scale: Units, x: Vector) -> Units:
        return (self.architecture.encode_one(state, source, x, self.architecture.units) - shift) * scale
