"""Echo noise: Z = U + S E, the noise E distributed as Z itself (Brekelmans et al. 2019).

E = sum_l S^l U^(l) over codes U^(l) of other messages, so that Z and E have one law and, where that law has a density,
h(Z|U) = h(E) + log S gives I(U;Z) = -log2 S bits a unit: the authors' formula.

It is valid only there.  For codes of entropy H(U), I(U;Z) <= min(H(U), -sum_j log2 S_j) always: the first since z tells
no more than was sent; the second since boxes of sides S_j^n number prod S_j^-n, and each further n adds I(U;Z) on
average.  On one unit I = D log2(1/S), D the dimension of the law of Z (at most 1, and at most H(U)/log2(1/S)): for
codes +-1 at S = 1/4 the law is a Cantor set's, D = 1/2, and 1 bit passes where the formula says 2.
`formula` refuses there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.channels.atoms import covariance_of, moments_of, shared
from capacity.channels.channel import Channel, Number, Powers, check_level
from capacity.channels.constraint import Constraint
from capacity.channels.gaussian import LOG_2PI
from capacity.channels.inner_noise import Noise, NoiseShape
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import ArrayLeaf, Key, Units

MAX_ECHOES = 2**14  # components of the density


@register_dataclass
@dataclass(frozen=True)
class Echo(Channel):
    """Echo noise of constant scale S (the level) from a bank of codes, and a floor of Gaussian noise; Lebesgue density.

    The sum of echoes stops after `depth`: without a floor it then takes finitely many values, all of which can be told
    apart.  The floor stands for the resolution at which that cannot be seen; `depth` should be such that S^depth times
    the codes is well below it.  All units share the codes that echo: the channel has memory,
    and no entropy in closed form.
    Gradients pass to the code, the scale and the bank as if the draws were constant (pathwise, exact).

    Attributes:
        scale: S, in (0, 1); one for all units, or (units,).
        bank: (K, units), codes that echo, equally likely: those of a batch in training, or of all messages.
        depth: how many echoes.
        floor: standard deviation of the Gaussian floor, positive.

    Raises:
        ValueError: for values out of their range.  `log_prob` also where K^depth exceeds 2^14.
    """

    scale: Number
    bank: ArrayLeaf
    depth: int = field(default=6, metadata={"static": True})
    floor: Number = 1e-2
    memoryless: ClassVar[bool] = False
    presumes: ClassVar[Constraint] = Constraint("bank")
    name: ClassVar[str] = "echo"
    summary: ClassVar[str] = "echoes of other codes, S times; ceiling -log2 S, which is the formula where it is valid"

    def __post_init__(self) -> None:
        check_level("scale", self.scale, 0.0, 1.0, "()")
        check_level("floor", self.floor, 0.0, np.inf, "()")
        if self.depth < 1:
            raise ValueError(f"Expected a depth of at least 1; got {self.depth}.")

    def part(self, units: slice) -> Echo:
        scale = jnp.asarray(self.scale)
        return Echo(scale[units] if scale.ndim else self.scale, self.bank[..., units], self.depth, self.floor)

    def _scale(self) -> jax.Array:
        return jnp.broadcast_to(jnp.asarray(self.scale, self.bank.dtype), self.bank.shape[1:])

    def __call__(self, key: Key, u: Units) -> Units:
        """Noisy units, shape (units,)."""
        key_rows, key_floor = jax.random.split(key)
        rows = self.bank[jax.random.randint(key_rows, (self.depth,), 0, len(self.bank))]
        return self._with(u, rows, jax.random.normal(key_floor, u.shape, u.dtype))

    def _with(self, u: Units, rows: Float[Array, "depth units"], normal: Units) -> Units:
        powers = self._scale()[None] ** jnp.arange(1, self.depth + 1, dtype=u.dtype)[:, None]
        return u + (powers * rows).sum(0) + jnp.asarray(self.floor, u.dtype) * normal

    def noise_shape(self, u: Units) -> NoiseShape:
        """A code of the bank for every echo, and the floor."""
        return NoiseShape(u.shape[0], self.depth, len(self.bank))

    def log_masses(self, u: Units) -> Float[Array, "draws ways"]:
        return jnp.full((self.depth, len(self.bank)), -np.log(len(self.bank)), u.dtype)

    def noised(self, u: Units, noise: Noise) -> Units:
        return self._with(u, noise.choices.astype(u.dtype) @ self.bank, noise.normal.astype(u.dtype))

    def echoes(self) -> Float[Array, "echoes units"]:
        """All values (K^depth, units) of S E, equally likely.

        Raises:
            ValueError: if they are more than 2^14.
        """
        count = len(self.bank) ** self.depth
        if count > MAX_ECHOES:
            raise ValueError(f"Expected at most {MAX_ECHOES} sums of echoes for a density; got {count}.")
        scale = self._scale()[None]
        sums = scale * self.bank
        for _ in range(self.depth - 1):
            sums = (scale * self.bank)[:, None] + (scale * sums)[None]
            sums = sums.reshape(-1, self.bank.shape[1])
        return sums

    def log_prob(self, z: Units, u: Units) -> Units:
        """Log density of each unit given those before, shape (units,), nats."""
        echoes, floor = self.echoes(), jnp.asarray(self.floor, z.dtype)
        terms = -0.5 * jnp.square(((z - u)[None] - echoes) / floor) - jnp.log(floor) - 0.5 * LOG_2PI
        return shared(terms, jnp.full(len(echoes), -np.log(len(echoes)), z.dtype))

    def _echo_moments(self) -> tuple[jax.Array, jax.Array]:
        return moments_of(self.bank, jnp.full(len(self.bank), -np.log(len(self.bank)), self.bank.dtype))

    def _sums(self, power: int) -> jax.Array:
        """sum over echoes of S^(power l), l from 1."""
        echoes = jnp.arange(1, self.depth + 1, dtype=self.bank.dtype)
        return (self._scale()[None] ** (power * echoes)[:, None]).sum(0)

    def moments(self, u: Units) -> tuple[Units, Units]:
        """u plus the echoes' mean, and their variance with the floor's."""
        mean, variance = self._echo_moments()
        floor = jnp.square(jnp.asarray(self.floor, u.dtype))
        return u + mean * self._sums(1), jnp.broadcast_to(variance * self._sums(2) + floor, u.shape)

    def covariance(self, u: Units) -> Float[Array, "units units"]:
        """Covariance (units, units) of z given any code."""
        bank = covariance_of(self.bank, jnp.full(len(self.bank), -np.log(len(self.bank)), self.bank.dtype))
        both = self._scale()[:, None] * self._scale()[None]
        numbers = jnp.arange(1, self.depth + 1, dtype=u.dtype)
        echoes = bank * (both[None] ** numbers[:, None, None]).sum(0)
        return echoes + jnp.square(jnp.asarray(self.floor, u.dtype)) * jnp.eye(len(both), dtype=u.dtype)

    def ceiling(self, power: Powers) -> Powers:
        """-log2 S bits per unit, whatever the power: an upper bound, for codes distributed as the bank."""
        bits = -jnp.log(jnp.asarray(self.scale, jnp.result_type(power))) / NATS_PER_BIT
        return jnp.broadcast_to(bits, jnp.broadcast_shapes(jnp.shape(power), bits.shape))

    def formula(self, code_bits: float) -> float:
        """The authors' figure, -sum log2 S_j in bits over all units, under guard.

        Args:
            code_bits: H(U), the entropy of the code; `inf` where it is continuous.

        Raises:
            ValueError: where the figure exceeds H(U): the echoes' law then has no density, and the formula says
                nothing.  (Where it does not, the law may still have none, at exceptional scales such as the golden
                ratio's inverse for codes +-1: the figure remains an upper bound.  Solomyak 1995, Hochman 2014.)
        """
        bits = float(-np.log2(np.asarray(self._scale(), np.float64)).sum())
        if bits > code_bits * (1 + 1e-6):
            raise ValueError(
                f"Expected -sum log2 S of at most the code's entropy, {code_bits:g} bits; got {bits:g}: echoes so "
                "faint have no density, and the formula does not hold. At most the entropy passes, and all of it where "
                "no sums of echoes meet."
            )
        return bits
