"""Binary sequences as ±1 amplitudes, rotated: independent fair bits, and a Markov chain.

Fair bits: H = k. A stationary Markov chain of k symbols: H = h(pi) + (k - 1) H', with the entropy
rate H' = pi_0 h(p01) + pi_1 h(p10) and pi_1 = p01 / (p01 + p10).
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp

from synthetic.algebra import checked_orthonormal, coin_entropy, orthonormal
from synthetic.binary import BinarySource
from synthetic.pytrees import register
from synthetic.sizes import check_linear
from synthetic.source import Batch


@register()
@dataclass(frozen=True, eq=False)
class FairBits(BinarySource):
    """k independent fair bits as ±1 amplitudes, rotated into `dim` dimensions.

    The mean square of a vector's entry is k / dim: one where dim = k.

    Args:
      rotation: (k, dim) with orthonormal rows.

    Raises:
      ValueError: `rotation` has another shape, or rows that are not orthonormal.
    """

    name: ClassVar[str] = "bits"
    summary: ClassVar[str] = "independent fair bits as +-1 amplitudes, rotated"

    rotation: jax.Array

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        object.__setattr__(self, "rotation", checked_orthonormal(self.rotation, "rotation"))

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """`bits` fair bits under a random rotation; ValueError unless 1 <= bits <= dim."""
        check_linear(bits, dim)
        return cls(orthonormal(key, bits, dim))


@register("p01", "p10")
@dataclass(frozen=True, eq=False)
class MarkovBits(BinarySource):
    """A stationary binary Markov chain as ±1 amplitudes, rotated into `dim` dimensions.

    The mean square of a vector's entry is k / dim for k symbols. The entropy rate is that of
    Cover & Thomas, Elements of Information Theory (2006), section 4.2.

    Args:
      rotation: (k, dim) with orthonormal rows.
      p01: probability that a 0 is followed by a 1.
      p10: probability that a 1 is followed by a 0.

    Raises:
      ValueError: a probability not strictly between 0 and 1, so that some messages would be
        impossible; or `rotation` not as said.
    """

    name: ClassVar[str] = "markov"
    summary: ClassVar[str] = "a stationary binary Markov chain as +-1 amplitudes, rotated"

    rotation: jax.Array
    p01: float = 0.1
    p10: float = 0.3

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        for label in ("p01", "p10"):
            value = float(getattr(self, label))
            if not 0.0 < value < 1.0:
                raise ValueError(f"Expected {label} strictly between 0 and 1; got {value}.")
            object.__setattr__(self, label, value)
        object.__setattr__(self, "rotation", checked_orthonormal(self.rotation, "rotation"))

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """A chain of `bits` binary symbols with p01 = 0.1, p10 = 0.3: its entropy is lower."""
        check_linear(bits, dim)
        return cls(orthonormal(key, bits, dim))

    @property
    def stationary(self) -> float:
        """Probability of a 1 at any time: p01 / (p01 + p10)."""
        return self.p01 / (self.p01 + self.p10)

    @property
    def entropy_rate(self) -> float:
        """Bits that each further symbol adds: pi_0 h(p01) + pi_1 h(p10)."""
        one = self.stationary
        return (1.0 - one) * coin_entropy(self.p01) + one * coin_entropy(self.p10)

    @property
    def bits(self) -> float:
        """Entropy of the whole message in bits: h(pi) + (k - 1) * entropy_rate."""
        return coin_entropy(self.stationary) + (self.message_dim - 1) * self.entropy_rate

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, k) int8, vectors (n, dim) float32."""
        first_key, key = jax.random.split(key)
        first = jax.random.bernoulli(first_key, self.stationary, (n,))

        def step(now: jax.Array, uniform: jax.Array) -> tuple[jax.Array, jax.Array]:
            following = uniform < jnp.where(now, 1.0 - self.p10, self.p01)
            return following, following

        uniforms = jax.random.uniform(key, (self.message_dim - 1, n), jnp.float32)
        _, rest = jax.lax.scan(step, first, uniforms)
        message = jnp.concatenate([first[None, :], rest]).T.astype(jnp.int8)
        return Batch(message, self.embed(message))

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message (k,)."""
        stay0, flip01, flip10, stay1 = (math.log(p) for p in (1.0 - self.p01, self.p01, self.p10, 1.0 - self.p10))
        one = message > 0
        before, after = one[:-1], one[1:]
        steps = jnp.where(before, jnp.where(after, stay1, flip10), jnp.where(after, flip01, stay0)).astype(jnp.float32)
        first = jnp.where(one[0], math.log(self.stationary), math.log(1.0 - self.stationary))
        return first.astype(jnp.float32) + jnp.sum(steps)
