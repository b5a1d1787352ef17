"""What a model's functions must do before any figure of them means something; asked on a few rows.

They say the same when they are asked twice, and of each row whatever rows are beside it: a decoder with its dropout on,
or normalised by its batch, has no density.  The value beside the gradient is the log likelihood.  And the prior's
density adds up to 1: where it does not, all evidence is off by what it lacks.
"""

from __future__ import annotations

import warnings

import numpy as np

from capacity.analysis.model.chains import ends
from capacity.analysis.model.latent_model import CodeRows, LatentModel, PointRows
from capacity.analysis.model.pilots import planned
from capacity.runtime.tables.posterior import like_a_unit_prior

ROWS = 16
CLOSE, ROUNDED = 1e-2, 1e-3  # nats, and a share of the largest number: what half precision may move
ENCODED = 1e-2  # of an array's spread over rows
PRIOR_DRAWS, PRIOR_CHAINS, PRIOR_TEMPERATURES = 128, 8, 100
PRIOR_GAP, PRIOR_ERRORS = 0.1, 6.0  # nats, which modes that no draw saw may take, and standard errors


def check_functions(rng: np.random.Generator, model: LatentModel) -> None:
    """Refuse functions that are random, or whose rows decide about each other, and gradients of another function.

    Args:
        rng: decides the rows.
        model: decoder, prior and encoder.

    Raises:
        ValueError: with the name of the function.
    """
    z, x = model.draw(rng, ROWS)
    with np.errstate(all="ignore"):
        value = model.likelihood(x, z)
        _same("log_likelihood", value, model.likelihood(x, z), _half(value), model.likelihood(*_lower(x, z)), CLOSE)
        if model.gradient is not None:
            beside = model.log_joint(x, z)[0] - model.log_prior(z)
            if _differ(value, beside, CLOSE):
                raise ValueError(
                    "Expected gradient to give the log likelihood and its gradient, a number for each row; got "
                    f"{beside[0]:.6g} where log_likelihood gives {value[0]:.6g}. Is a constant, or a sum, left out?"
                )
    if model.encode is not None:
        mean, spread = model.posterior(x)
        mean_again, spread_again = model.posterior(x)
        alone = model.posterior(_lower(x, z)[0])
        _same("encode", mean, mean_again, _half(mean), alone.mean, ENCODED * float(mean.std()))
        _same("encode", spread, spread_again, _half(spread), alone.spread, ENCODED * float(spread.std()))


def note_log_variances(model: LatentModel, x: PointRows) -> None:
    """Warn of spreads that look like log-variances, under the usual prior.

    Args:
        model: with an encoder.
        x: points, a row each.

    Warns:
        UserWarning: where the code is all of the prior's variance by that reading, and not by the one that is taken.
    """
    if model.encode is None or model.prior is not None:
        return
    mean, spread = model.posterior(x)
    if spread.ndim == 2 and like_a_unit_prior(mean, spread / 2, spread):
        warnings.warn(
            "encode is to give means and log standard deviations; means and noise have the variance of the usual "
            "prior, 1, if the second are log-variances. Measured as log standard deviations: halve them if so.",
            stacklevel=2,
        )


def check_prior(rng: np.random.Generator, model: LatentModel, temperatures: int) -> None:
    """Refuse a prior of one's own whose density does not add up to 1: chains without a likelihood tell its logarithm.

    Args:
        rng: decides the chains.
        model: of which the prior and whether there is a gradient count.
        temperatures: at most.

    Raises:
        ValueError: for such a prior, and where its draws are not of its density.
    """
    if model.prior is None:
        return
    flat = LatentModel(
        model.units,
        lambda x, z: np.zeros(len(z)),
        lambda draws, z: np.zeros((len(z), 1)),
        None if model.prior.gradient is None else lambda x, z: (np.zeros(len(z)), np.zeros_like(z)),
        None,
        model.prior,
        model.batch,
    )
    most = min(temperatures, PRIOR_TEMPERATURES)
    found = planned(rng, flat, PRIOR_GAP, most, PRIOR_CHAINS, None, lambda text: None)
    z, x = flat.draw(rng, PRIOR_DRAWS)
    below, above, _ = ends(rng, flat, found.plan, x, PRIOR_CHAINS, z)
    with np.errstate(invalid="ignore"):  # where all chains of a draw ended nowhere: no end is known
        low = below.mean() - PRIOR_ERRORS * below.std() / PRIOR_DRAWS**0.5
        high = above.mean() + PRIOR_ERRORS * above.std() / PRIOR_DRAWS**0.5
    if low > PRIOR_GAP or high < -PRIOR_GAP:
        raise ValueError(
            "Expected the prior's log_prob as the logarithm of a density that adds up to 1; got one that adds up to "
            f"between exp({low:.3g}) and exp({high:.3g}). Is a constant left out?"
        )


def _lower(x: PointRows, z: CodeRows) -> tuple[PointRows, CodeRows]:
    """The second half, so that noise drawn by the place of a row shows itself."""
    return x[ROWS // 2 :], z[ROWS // 2 :]


def _half(values: np.ndarray) -> np.ndarray:
    return values[ROWS // 2 :]


def _same(name: str, first: np.ndarray, again: np.ndarray, half: np.ndarray, alone: np.ndarray, near: float) -> None:
    if _differ(first, again, near):
        raise ValueError(
            f"Expected the same of {name} when it is asked twice; got others. Is dropout on, or a sample drawn inside?"
        )
    if _differ(half, alone, near):
        raise ValueError(
            f"Expected {name} of a row to depend on that row; got others for half of the rows alone. Is it normalised "
            "by its batch, or noise drawn by the place of a row?"
        )


def _differ(one: np.ndarray, other: np.ndarray, near: float) -> bool:
    """Whether numbers are further apart than rounding brings them; equal infinities are not."""
    return not np.allclose(other, one, rtol=ROUNDED, atol=near)
