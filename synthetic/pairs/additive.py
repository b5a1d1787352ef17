"""A uniform number and the same with uniform noise: Y = X + N, X on [0, 1], N on [-epsilon, epsilon].

I = (epsilon - ln 2 epsilon) / ln 2 bits while epsilon <= 1/2, else 1 / (4 epsilon ln 2) (Czyz et al. 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import numpy as np

from synthetic.pairs.pair import NumberPair, check_width, generator


@dataclass(frozen=True)
class AdditiveUniformPair(NumberPair):
    """X uniform on [0, 1] and Y = X + N, N uniform on [-epsilon, epsilon].

    Raises:
        ValueError: `epsilon` not positive and finite.
    """

    epsilon: float

    def __post_init__(self) -> None:
        """Check the noise's width."""
        check_width(self.epsilon)

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"1v1-additive-{self.epsilon}"

    @property
    def bits(self) -> float:
        """I(X;Y) in bits, in closed form."""
        wide = self.epsilon > 0.5
        nats = 0.25 / self.epsilon if wide else self.epsilon - math.log(2.0 * self.epsilon)
        return nats / math.log(2.0)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, 1) and y (n, 1)."""
        random = generator(key)
        x = random.uniform(size=(n, 1))
        return x, x + random.uniform(-self.epsilon, self.epsilon, size=(n, 1))

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits, shape (n,): -log2 of the length of [0, 1] that y leaves to x, or -inf where x is not in it."""
        low, high = np.maximum(y[:, 0] - self.epsilon, 0.0), np.minimum(y[:, 0] + self.epsilon, 1.0)
        return np.where(np.abs(y - x)[:, 0] <= self.epsilon, -np.log2(high - low), -np.inf)
