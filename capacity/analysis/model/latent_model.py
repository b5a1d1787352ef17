"""A model p(z) p(x|z) with an encoder's posterior q(z|x), as functions of NumPy batches: any framework has these.

`LatentModel.from_jax` makes one of functions of a single point in JAX; a PyTorch model takes a line or two for each
function (docs/your_model.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from capacity.runtime.shapes import Key
from capacity.runtime.whole import whole

PointRows: TypeAlias = np.ndarray
"""Points (n, ...), a row each."""
CodeRows: TypeAlias = Float[np.ndarray, "n units"]
"""Latent codes z, a row each."""
MIN_PADDED = 16  # rows; a program for each power of two from there
LOG_2PI = float(np.log(2 * np.pi))


class Encoded(NamedTuple):
    """The encoder's normal posteriors of n points.

    Attributes:
        mean: (n, units).
        spread: (n, units) log standard deviations; or (n, units, units) factors F of the covariances F F'.
    """

    mean: CodeRows
    spread: np.ndarray


@dataclass(frozen=True)
class CodePrior:
    """p(z), by functions of batches.

    Attributes:
        log_prob: (n, units) -> (n,) nats.
        sample: from a generator and n to (n, units).
        gradient: (n, units) -> (n, units), of `log_prob`; None where it is not known.
    """

    log_prob: Callable[[CodeRows], ArrayLike]
    sample: Callable[[np.random.Generator, int], ArrayLike]
    gradient: Callable[[CodeRows], ArrayLike] | None = None


@dataclass(frozen=True)
class LatentModel:
    """p(z) p(x|z), and q(z|x) where there is an encoder; every function takes and gives NumPy arrays of n rows.

    A function is given copies: it may write into them.

    Attributes:
        units: how many numbers z has.
        log_likelihood: from points (n, ...) and codes (n, units) to log p(x|z), (n,) nats.
        simulate: from a generator and codes (n, units) to points drawn from p(x|z), (n, ...): draws, not means.
        gradient: from points and codes to the pair of log p(x|z) and its gradient by z, (n,) and (n, units); None
            where there is none: chains then walk at random, and are slower to mix.
        encode: from points (n, ...) to means (n, units) and log standard deviations (n, units), or factors F
            (n, units, units) of covariances F F'; None without an encoder.
        prior: p(z); None for independent standard normal units.
        batch: rows that a function is given at a time.
    """

    units: int
    log_likelihood: Callable[[PointRows, CodeRows], ArrayLike]
    simulate: Callable[[np.random.Generator, CodeRows], ArrayLike]
    gradient: Callable[[PointRows, CodeRows], tuple[ArrayLike, ArrayLike]] | None = None
    encode: Callable[[PointRows], tuple[ArrayLike, ArrayLike]] | None = None
    prior: CodePrior | None = None
    batch: int = 1024

    def __post_init__(self) -> None:
        whole(self.units, "units")
        whole(self.batch, "batch")
        if self.prior is not None and self.gradient is not None and self.prior.gradient is None:
            raise ValueError("Expected a gradient of the prior beside that of the likelihood; got none.")

    @classmethod
    def from_jax(
        cls,
        units: int,
        log_likelihood: Callable[[jax.Array, jax.Array], jax.Array],
        simulate: Callable[[Key, jax.Array], jax.Array],
        *,
        encode: Callable[[jax.Array], tuple[jax.Array, jax.Array]] | None = None,
        log_prior: Callable[[jax.Array], jax.Array] | None = None,
        draw_prior: Callable[[Key], jax.Array] | None = None,
        batch: int = 1024,
    ) -> LatentModel:
        """From functions of one point and one code in JAX, computed in float64.

        Args:
            units: how many numbers z has.
            log_likelihood: from x (...) and z (units,) to log p(x|z), nats.
            simulate: from a key and z to x drawn from p(x|z).
            encode: from x to mean (units,) and log standard deviation (units,), or a factor (units, units).
            log_prior: from z to log p(z), nats; None for independent standard normal units.
            draw_prior: from a key to z; given if and only if `log_prior` is.
            batch: rows at a time.

        Raises:
            ValueError: for a prior's density without its draws, or the reverse.
        """
        if (log_prior is None) != (draw_prior is None):
            raise ValueError("Expected both log_prior and draw_prior, or neither; got one of them.")
        prior = None
        if log_prior is not None and draw_prior is not None:
            prior = CodePrior(
                _batched(log_prior), _drawn(lambda key, _: draw_prior(key)), _batched(jax.grad(log_prior))
            )
        return cls(
            units,
            _batched(log_likelihood),
            _drawn(simulate),
            _batched(jax.value_and_grad(log_likelihood, argnums=1)),
            None if encode is None else _batched(encode),
            prior,
            batch,
        )

    def draw(self, rng: np.random.Generator, n: int) -> tuple[CodeRows, PointRows]:
        """n pairs of the model: codes (n, units) by the prior, and points (n, ...) by the likelihood."""
        if self.prior is None:
            z = rng.normal(size=(n, self.units))
        else:
            z = _numbers(self.prior.sample(rng, n), (n, self.units), "codes of the prior")
        parts = []
        for rows in self._blocks(n):
            parts.append(np.asarray(self.simulate(rng, z[rows].copy())))
            if parts[-1].shape[:1] != z[rows].shape[:1]:
                raise ValueError(
                    f"Expected {len(z[rows])} points of simulate, a row each; got an array of shape {parts[-1].shape}."
                )
        return z, np.concatenate(parts)

    def posterior(self, x: PointRows) -> Encoded:
        """The encoder's posteriors of points.

        Raises:
            ValueError: for shapes that are none of n posteriors, numbers that are not finite, or no encoder.
        """
        if self.encode is None:
            raise ValueError("Expected a model with an encoder; got one without.")
        means, spreads = [], []
        for rows in self._blocks(len(x)):
            mean, spread = self.encode(x[rows].copy())
            shape = (len(x[rows]), self.units)
            full = np.ndim(spread) == 3
            kind = "factors of the encoder's covariances" if full else "log standard deviations of the encoder"
            means.append(_finite(_numbers(mean, shape, "means of the encoder"), "means of the encoder"))
            spreads.append(_finite(_numbers(spread, (*shape, self.units) if full else shape, kind), kind))
        return Encoded(np.concatenate(means), np.concatenate(spreads))

    def likelihood(self, x: PointRows, z: CodeRows) -> Float[np.ndarray, " n"]:
        """log p(x|z), (n,) nats; what is no number counts as impossible."""
        found = [
            _numbers(self.log_likelihood(x[rows].copy(), z[rows].copy()), z[rows].shape[:1], "log likelihoods")
            for rows in self._blocks(len(z))
        ]
        return _possible(np.concatenate(found))

    def log_prior(self, z: CodeRows) -> Float[np.ndarray, " n"]:
        """log p(z), (n,) nats."""
        if self.prior is None:
            return standard_normal(z)
        return _possible(_numbers(self.prior.log_prob(z.copy()), (len(z),), "log densities of the prior"))

    def log_joint(self, x: PointRows, z: CodeRows) -> tuple[Float[np.ndarray, " n"], CodeRows | None]:
        """log p(x, z), (n,) nats, and its gradient by z (n, units), None where there is none."""
        if self.gradient is None:
            return self.likelihood(x, z) + self.log_prior(z), None
        values, slopes = [], []
        for rows in self._blocks(len(z)):
            one, its_slope = self.gradient(x[rows].copy(), z[rows].copy())
            values.append(_numbers(one, z[rows].shape[:1], "log likelihoods"))
            slopes.append(_numbers(its_slope, z[rows].shape, "gradients of the log likelihood"))
        value, slope = _possible(np.concatenate(values)), np.concatenate(slopes)
        if self.prior is None:
            return value + standard_normal(z), slope - z
        assert self.prior.gradient is not None
        own = _numbers(self.prior.gradient(z.copy()), z.shape, "gradients of the prior")
        return value + self.log_prior(z), slope + own

    def _blocks(self, n: int) -> list[slice]:
        return [slice(start, min(start + self.batch, n)) for start in range(0, n, self.batch)]


def standard_normal(z: CodeRows) -> Float[np.ndarray, " n"]:
    """Log density of independent standard normal units, (n,) nats."""
    return np.asarray(-0.5 * (np.square(z).sum(1) + LOG_2PI * z.shape[1]))


def _possible(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), -np.inf, values)


def _numbers(values: ArrayLike, shape: tuple[int, ...], what: str) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"Expected {what} of shape {shape}; got {array.shape}.")
    return array


def _finite(values: np.ndarray, what: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError(f"Expected finite {what}; got {values[~np.isfinite(values)][0]}.")
    return values


def _batched(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of single points as one of NumPy batches, in float64; rows are padded to a few sizes."""
    program = jax.jit(jax.vmap(function))

    def whole_batch(*batches: np.ndarray) -> Any:
        n, size = len(batches[0]), _padded(len(batches[0]))
        with jax.enable_x64(True):
            rows = [jnp.asarray(np.resize(_double(batch), (size, *batch.shape[1:]))) for batch in batches]
            return jax.tree.map(lambda leaf: np.asarray(leaf)[:n], program(*rows))

    return whole_batch


def _drawn(simulate: Callable[[Key, jax.Array], jax.Array]) -> Callable[..., np.ndarray]:
    """A function of a key and a code as one of a generator and NumPy codes, or of a generator and a number of them."""
    program = jax.jit(jax.vmap(simulate))

    def draws(rng: np.random.Generator, z: CodeRows | int) -> np.ndarray:
        codes = np.zeros((z, 0)) if isinstance(z, int) else z
        n, size = len(codes), _padded(len(codes))
        with jax.enable_x64(True):
            keys = jax.random.split(jax.random.key(int(rng.integers(2**32))), size)
            return np.asarray(program(keys, jnp.asarray(np.resize(codes, (size, codes.shape[1])))))[:n]

    return draws


def _padded(n: int) -> int:
    return max(MIN_PADDED, 1 << (n - 1).bit_length())


def _double(batch: np.ndarray) -> np.ndarray:
    return batch.astype(np.float64) if batch.dtype.kind == "f" else batch
