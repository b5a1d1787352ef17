"""Functions that are no density, priors that do not add up to 1, and functions that write into what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from linear_vae import linear_vae
from scipy.stats import cauchy, laplace, norm, uniform

from capacity.analysis.model import CodePrior, LatentModel
from capacity.analysis.model.checks import check_functions, check_prior, note_log_variances

UNITS = 3
MODEL = linear_vae(UNITS, 6, 0.3, shift=1.0).model
NOISE = np.random.default_rng(7)


def values(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.asarray(MODEL.log_likelihood(x, z))


def slopes(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    assert MODEL.gradient is not None
    return np.asarray(MODEL.gradient(x, z)[1])


def encoded(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    assert MODEL.encode is not None
    mean, spread = MODEL.encode(x)
    return np.asarray(mean), np.asarray(spread)


def drawn(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sample in the place of the mean."""
    mean, spread = encoded(x)
    return mean + np.exp(spread) * rng.normal(size=mean.shape), spread


REFUSED: dict[str, tuple[LatentModel, str]] = {
    "a random likelihood": (
        replace(MODEL, log_likelihood=lambda x, z: values(x, z) + NOISE.normal(size=len(z))), "log_likelihood when it",
    ),
    "a likelihood normalised by its batch": (
        replace(MODEL, log_likelihood=lambda x, z: values(x, z - z.mean(0)), gradient=None), "log_likelihood of a row",
    ),
    "a gradient's value without its constant": (
        replace(MODEL, gradient=lambda x, z: (values(x, z) + 3, slopes(x, z))), "gradient to give the log likelihood",
    ),
    "a gradient's value as a mean over pixels": (
        replace(MODEL, gradient=lambda x, z: (values(x, z) / 6, slopes(x, z) / 6)), "a sum, left out",
    ),
    "an encoder that draws": (replace(MODEL, encode=lambda x: drawn(x, NOISE)), "encode when it is asked twice"),
    "an encoder that draws by a fixed seed": (
        replace(MODEL, encode=lambda x: drawn(x, np.random.default_rng(0))), "encode of a row",
    ),
    "an encoder normalised by its batch": (
        replace(MODEL, encode=lambda x: (encoded(x)[0] - encoded(x)[0].mean(0), encoded(x)[1])), "encode of a row",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_functions_that_are_none_of_a_row_alone(case: str) -> None:
    model, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        check_functions(np.random.default_rng(0), model)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_what_is_rounded_passes(kind: type[np.floating]) -> None:
    def rounded(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return values(x.astype(kind), z.astype(kind)).astype(kind), slopes(x, z).astype(kind)

    check_functions(np.random.default_rng(0), replace(MODEL, gradient=rounded))


def test_a_function_may_write_into_what_it_is_given() -> None:
    def spoiling(function: Callable[..., Any] | None) -> Callable[..., Any]:
        assert function is not None

        def call(*given: object) -> Any:
            found = function(*given)
            for array in given:
                if isinstance(array, np.ndarray):
                    array[:] = 0
            return found

        return call

    clean = replace(MODEL, prior=CodePrior(lambda z: norm.logpdf(z).sum(1), normals, lambda z: -z))
    assert clean.prior is not None
    dirty = replace(
        clean,
        log_likelihood=spoiling(clean.log_likelihood),
        simulate=spoiling(clean.simulate),
        gradient=spoiling(clean.gradient),
        encode=spoiling(clean.encode),
        prior=CodePrior(spoiling(clean.prior.log_prob), normals, spoiling(clean.prior.gradient)),
    )
    (z, x), (again, other) = (model.draw(np.random.default_rng(1), 20) for model in (clean, dirty))
    np.testing.assert_array_equal(z, again)
    np.testing.assert_array_equal(x, other)
    for one, two in zip(clean.log_joint(x, z), dirty.log_joint(x, z), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(clean.likelihood(x, z), dirty.likelihood(x, z))
    np.testing.assert_array_equal(clean.posterior(x).mean, dirty.posterior(x).mean)
    np.testing.assert_array_equal(z, again)
    np.testing.assert_array_equal(x, other)


def normals(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=(n, UNITS))


def two_modes(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.choice([-3, 3], size=(n, UNITS)) + rng.normal(size=(n, UNITS))


LAWS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.random.Generator, int], np.ndarray]]] = {
    "normal": (norm(2, 0.1).logpdf, lambda rng, n: rng.normal(2, 0.1, (n, UNITS))),
    "Laplace": (laplace.logpdf, lambda rng, n: rng.laplace(size=(n, UNITS))),
    "uniform": (uniform.logpdf, lambda rng, n: rng.uniform(size=(n, UNITS))),
    "Cauchy": (cauchy.logpdf, lambda rng, n: rng.standard_cauchy(size=(n, UNITS))),
    "two modes": (lambda z: np.logaddexp(norm.logpdf(z, -3), norm.logpdf(z, 3)) - np.log(2), two_modes),
}


LONG = ("Cauchy", "two modes")  # chains pass as many temperatures as they may


@pytest.mark.parametrize("law", [pytest.param(law, marks=pytest.mark.slow if law in LONG else ()) for law in LAWS])
def test_a_density_passes(law: str) -> None:
    density, sample = LAWS[law]
    prior = CodePrior(lambda z: density(z).sum(1), sample)
    check_prior(np.random.default_rng(0), replace(MODEL, gradient=None, prior=prior), 400)


@pytest.mark.parametrize("lacks", [-1.0, 0.5, 3.0])
@pytest.mark.parametrize("law", ["normal", "Laplace", "uniform"])
def test_a_prior_that_does_not_add_up_to_one(law: str, lacks: float) -> None:
    density, sample = LAWS[law]
    prior = CodePrior(lambda z: density(z).sum(1) + lacks, sample)
    with pytest.raises(ValueError, match="Is a constant left out"):
        check_prior(np.random.default_rng(0), replace(MODEL, gradient=None, prior=prior), 400)


def test_log_variances_in_the_place_of_log_standard_deviations_are_warned_of() -> None:
    x = np.random.default_rng(0).normal(size=(2000, 4))
    right = replace(MODEL, units=4, encode=lambda x: (x * 0.75**0.5, np.full(x.shape, np.log(0.5))))
    wrong = replace(right, encode=lambda x: (x * 0.75**0.5, np.full(x.shape, 2 * np.log(0.5))))
    with pytest.warns(UserWarning, match="log-variances"):
        note_log_variances(wrong, x)
    note_log_variances(right, x)
