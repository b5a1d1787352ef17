"""How far a figure may err: control variates, skewed means, and what a sample cannot show.  Numbers in, numbers out.

A mean of skewed values has an interval with unequal arms (Hall 1992, J. R. Stat. Soc. B 54).  An event that no sample
saw is bounded by the rule of three (Hanley & Lippman-Hand 1983).
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

Numbers: TypeAlias = jax.Array | np.ndarray | float | int
"""A real number, or an array of them where lanes are stacked."""
Z95 = 1.959963984540054  # standard normal quantile of a two-sided 95 % interval
# Standard errors that a bracket reaches either way.  95 % is promised; but of twenty such intervals one misses by
# design, and a bracket chooses between bounds.  With three, none of twenty misses 19 times of 20.
CONSERVATIVE_ERRORS = 3.0
MEAN_ROUNDING = 1e-6  # relative, of means in single precision: what an interval without spread would leave out
RARE_LOSS = 5.0  # bits that one rare confusion costs in continuous noise; at 2, signs near their limit covered 81 %
NEIGHBOURS = 0.25  # of the variance within strata that is believed, however alike neighbours are
JUMP = 4.0  # a jump in the middle of a stratum has a quarter of its square as variance
BETWEEN = 0.1  # how much the means of strata count beside what varies within them, for weights that these leave open
TRUSTED_ERRORS = 5.0  # standard errors that the mean of a control may be off
WEIGHT_SPREAD = 0.3  # of the prior of weights
WEIGHT_ROUNDS = 3  # that the prior is held against what is left of the values
LOST = 1e6  # nats: a control that spreads by more says nothing in single precision
ROUNDED = 1e-5  # of a column's square: less than that of columns that say the same may be rounding
MAX_WEIGHT = 4.0  # either way


@partial(jax.jit, static_argnums=2)  # a loop outside of a compiled program would be compiled anew at every call
def less_explained(
    nats: Float[Array, " n"], controls: Float[Array, "n controls"], per_stratum: int | None = None
) -> Float[Array, " n"]:
    """The values (n,) less the combination of the controls (n, c) that explains most of them.

    Controls are in nats, as changes of some log density, whose weights are of order 1.  They are drawn towards 0 so
    far that a large one needs evidence: else it would rest on few samples in which a control hardly moved, and is not
    to be trusted with one that moves far.  A control whose mean among the samples is far from 0, for its spread among
    them, is left out: what carries its spread was not drawn.  Each half of the samples has the weights that the other
    half gives: weights that a few large values decide would else take these away, mean and spread.

    Both halves have samples of every stratum, neighbours apart.  A control of zero mean in the whole would have one in
    halves that are alike in nothing, and these would have unlike weights: their product would move the figure.

    Args:
        nats: values.
        controls: of zero mean, a column each.
        per_stratum: how many in a row are of one stratum, an even number; None: all.
    """
    n, count = controls.shape
    if not count:
        return nats
    controls = jnp.where(_is_trusted(controls)[None], controls, 0.0)
    # By the sequence of Thue and Morse: of any two in a row one, and neither half first more often.
    first = jax.lax.population_count(jnp.arange(n, dtype=jnp.uint32)) % 2 == 0
    halves = jnp.stack([first, ~first]).astype(nats.dtype)
    weights = jax.vmap(lambda chosen: _weights(chosen, nats, controls, per_stratum))(halves)
    left: jax.Array = nats - (controls * jnp.where(first[:, None], weights[1][None], weights[0][None])).sum(1)
    return left


def _weights(
    chosen: Float[Array, " n"],
    values: Float[Array, " n"],
    columns: Float[Array, "n controls"],
    per_stratum: int | None,
) -> Float[Array, " controls"]:
    """Weights by ridge regression on the samples chosen (1 or 0), drawn towards 0 as by a normal prior of standard
    deviation `WEIGHT_SPREAD` (Hoerl & Kennard 1970).

    What a weight may err by is found as for values of unequal variance (White 1980): where a control is large at a few
    samples, what is left of the values there counts.  A weight that few samples decide stays near 0.
    """
    values, columns = _for_weights(chosen, values, per_stratum), _for_weights(chosen, columns, per_stratum)
    gram = jnp.matmul(columns.T, columns, precision="highest")
    target = jnp.matmul(columns.T, values, precision="highest")
    size = jnp.maximum(jnp.diagonal(gram), np.finfo(gram.dtype).tiny)
    left, weights = values, jnp.zeros_like(target)
    for _ in range(WEIGHT_ROUNDS):
        square = jnp.square(left)
        at_large = (jnp.square(columns) * square[:, None]).sum(0) / size
        prior = jnp.maximum(at_large, square.sum() / chosen.sum()) / WEIGHT_SPREAD**2
        weights = jnp.clip(solved(gram, target, prior), -MAX_WEIGHT, MAX_WEIGHT)
        left = values - (columns * weights[None]).sum(1)
    return weights


def solved(matrix: Float[Array, "c c"], target: Float[Array, " c"], ridge: Float[Array, " c"]) -> Float[Array, " c"]:
    """x of (matrix + diag(ridge)) x = target, the matrix symmetric and not negative; rows and columns of 0 give 0.

    By elimination.  No LAPACK: its batched calls, made by lanes on several CPU devices at once, were seen to wait for
    each other forever.
    """
    size = jnp.sqrt(jnp.diagonal(matrix) + ridge)
    unit = jnp.where(size > 0, size, 1.0)
    scaled = matrix / jnp.outer(unit, unit) + jnp.diag(jnp.where(size > 0, ridge / unit**2 + ROUNDED, 1.0))
    rows = jnp.arange(len(target))

    def eliminate(k: jax.Array, left: jax.Array) -> jax.Array:
        pivot = left[k] / left[k, k]
        return jnp.where((rows == k)[:, None], pivot[None], left - jnp.outer(left[:, k], pivot))

    whole = jax.lax.fori_loop(0, len(target), eliminate, jnp.append(scaled, (target / unit)[:, None], axis=1))
    found: jax.Array = whole[:, -1] / unit
    return found


def within_strata(values: Float[Array, "n ..."], per_stratum: int | None = None) -> Float[Array, "n ..."]:
    """Values, axis 0, less the mean of their stratum: of so many in a row, or of all."""
    strata = values.reshape(-1, per_stratum or len(values), *values.shape[1:])
    return (strata - strata.mean(1, keepdims=True)).reshape(values.shape)


def _is_trusted(controls: Float[Array, "n controls"]) -> Bool[Array, " controls"]:
    """Whether the mean of each column is as near to 0 as its standard error says."""
    spread = jnp.sqrt(jnp.square(controls - controls.mean(0, keepdims=True)).mean(0) / len(controls))
    near: jax.Array = jnp.abs(controls.mean(0)) <= TRUSTED_ERRORS * spread
    return near & (spread < LOST)


def _for_weights(
    chosen: Float[Array, " n"], values: Float[Array, "n ..."], per_stratum: int | None
) -> Float[Array, "n ..."]:
    """What the weights of controls are fitted to: what varies within strata among the samples chosen, and a little
    between them; 0 for the others.  A half has two strata of the whole as one, where their number is even."""
    n = len(values)
    chosen = chosen.reshape(n, *[1] * (values.ndim - 1))

    def centred(size: int) -> jax.Array:
        some, left = (part.reshape(-1, size, *part.shape[1:]) for part in (chosen, values))
        mean = (some * left).sum(1, keepdims=True) / some.sum(1, keepdims=True)
        return (some * (left - mean)).reshape(values.shape)

    whole = centred(n)
    if per_stratum is None:
        return whole
    within = centred(2 * per_stratum if n % (2 * per_stratum) == 0 else per_stratum)
    return within + BETWEEN * (whole - within)


def mean_and_moments(
    values: Float[Array, " n"], fitted: int = 0, per_stratum: int | None = None
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """The mean of independent values, its standard error, skewness times the root of n, and a factor of its interval.

    The last is a factor, from how well the variance is known itself: two standard errors of it, by the kurtosis.

    Of a stratified sample variance and skewness are those within strata (Cochran 1977, section 5.4), the third moment
    of k values being k^2 / ((k - 1)(k - 2)) times the mean cube of what they differ from their mean.  In a stratum each
    value is from a part of its own, in order: what two neighbours differ by says how far one may be off.  Where values
    jump between two strata, their few may all lie on one side: the largest jump counts as within a stratum too.

    Args:
        values: (n,).
        fitted: coefficients that were fitted to them.
        per_stratum: how many in a row are of one stratum, an even number; None: all are of one.
    """
    n, size = len(values), per_stratum or len(values)
    left = within_strata(values, per_stratum)
    means = values.reshape(-1, size).mean(1)
    jump = jnp.square(jnp.diff(means)).max(initial=0.0)
    square = jnp.square(left).sum() / max(n - n // size - fitted, 1)
    if per_stratum is not None:
        neighbours = jnp.square(values[::2] - values[1::2]).sum() / max(n - 2 * fitted, 1)
        square = jnp.maximum(neighbours, NEIGHBOURS * square)
    spread = jnp.sqrt(square + jump * size / n / JUMP)
    unit = left / jnp.maximum(spread, np.finfo(values.dtype).tiny ** 0.25)
    skewness = (unit**3).mean() * (size**2 / ((size - 1) * (size - 2)) if size > 2 else 1.0)
    kurtosis = (unit**4).mean() / jnp.maximum((unit**2).mean() ** 2, np.finfo(values.dtype).tiny)
    wider = jnp.sqrt(1 + 2 * jnp.sqrt(jnp.maximum(kurtosis - 1, 0.0) / n))
    return values.mean(), spread / n**0.5, skewness, wider


@partial(jax.jit, static_argnums=(1, 2))  # one program, where a sample of another size would be twenty
def mean_and_ends(
    values: Float[Array, " n"], fitted: int = 0, per_stratum: int | None = None
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """The mean of independent values, its standard error, and both ends of its 95 % interval, see `mean_and_moments`.

    The arms are unequal where the values are skewed, and reach for events as far off as the most extreme of them that
    come less often than 3 times in n.
    """
    n = len(values)
    mean, error, skewness, wider = mean_and_moments(values, fitted, per_stratum)
    ends = skewed_ends(mean, wider * error, skewness / wider**3, n)
    low, high = (
        mean + sign * jnp.hypot(end - mean, rule_of_three_bits(extreme - mean, n))
        for sign, end, extreme in zip((-1, 1), ends, (values.min(), values.max()), strict=True)
    )
    return mean, error, low, high


def skewed_ends(mean: jax.Array, stderr: jax.Array, skewness: jax.Array, n: int) -> tuple[jax.Array, jax.Array]:
    """Both ends of the 95 % interval of a mean of n values of this skewness (Hall 1992), in the unit of the mean.

    Args:
        mean, stderr: a figure and its standard error.
        skewness: of the values, without a unit.
        n: how many values.
    """
    low, high = (mean - stderr * _unskew(y, skewness / n**0.5) for y in (Z95, -Z95))
    return low, high


def rule_of_three_bits(loss: Numbers, n: Numbers) -> Numbers:
    """What events that are not among n samples take at most, in bits, at 95 %, if each takes `loss` bits: 3/n of it."""
    return 3 / n * loss


def rule_of_three(distance: Numbers, n: Numbers, loss: Numbers) -> jax.Array:
    """What events too rare to be among n samples may take, in bits, from a figure at this distance of its limit.

    Where nearly every sample gives the limit, events that cost up to `loss` bits come once in many samples; with none
    seen, their share is below 3/n at 95 % (the rule of three, Hanley & Lippman-Hand 1983), and no variance shows it.
    """
    most = rule_of_three_bits(loss, n)
    return jnp.where(distance < 10 * most, most, 0.0)


def _unskew(y: float, a: jax.Array) -> jax.Array:
    """The inverse of Hall's (1992, equation 2.4) cubic that makes a Student ratio of skewed values normal.

    With a = skewness/sqrt(n) it is 3 (cbrt(1 + a (y - a/6)) - 1) / a, which tends to y; near 0 by its series.
    Losses of a good code are rare and large: without it, 95 % intervals at high signal-to-noise covered 92 %.
    """
    small = jnp.abs(a) < 1e-2
    safe = jnp.where(small, 1.0, a)
    return jnp.where(small, y - a / 6 - a * y**2 / 3, 3 * (jnp.cbrt(1 + safe * (y - safe / 6)) - 1) / safe)
