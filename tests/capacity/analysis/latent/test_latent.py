"""A trained model's code: against quadrature, against enumeration's own excess, collapsed, saturated, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from capacity import Latent, measure_latent
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.rate import marginal_kl
from capacity.bounds.exact.sample import sampled
from capacity.channels import LearntGaussian, Posterior
from capacity.joint.table import Rows, tabled
from capacity.plots.latent import latent_figure
from capacity.runtime.tables.posterior import checked_posterior

SAMPLES = 2048  # of all models, which with 256 posteriors of three units share their programs
Command = Callable[..., tuple[int, str, str]]
SIDES, STDS = (16, 16), ((0.15, 0.6), (0.3, 1.1))


def quadrature_bits(means: np.ndarray, stds: np.ndarray) -> float:
    """h(Z) - mean of h(Z|i) of one unit in bits, by the trapezium rule on the mixture's density."""
    reach = 9 * stds.max()
    grid = np.linspace(means.min() - reach, means.max() + reach, 8001)
    density = norm.pdf(grid[:, None], means[None], stds[None]).mean(1)
    entropy = -np.trapezoid(density * np.log2(np.maximum(density, 1e-300)), grid)
    return float(entropy - np.log2(stds).mean() - 0.5 * np.log2(2 * np.pi * np.e))


def grid_posteriors() -> tuple[np.ndarray, np.ndarray, list[float]]:
    """256 posteriors of two units, every pair of 16 and 16 one-unit posteriors once: bits add up; a third is dead."""
    rng = np.random.default_rng(0)
    means = [np.sort(rng.normal(size=n)) for n in SIDES]
    stds = [rng.uniform(*span, size=n) for span, n in zip(STDS, SIDES, strict=True)]
    truth = [quadrature_bits(m, s) for m, s in zip(means, stds, strict=True)]
    pairs = [np.stack(np.meshgrid(*side, indexing="ij"), -1).reshape(-1, 2) for side in (means, stds)]
    dead = np.zeros((256, 1)), np.ones((256, 1))
    return np.hstack([pairs[0], dead[0]]), np.log(np.hstack([pairs[1], dead[1]]) ** 2), truth


@pytest.fixture(scope="module")
def known() -> tuple[Latent, list[float]]:
    means, logvars, truth = grid_posteriors()
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        return measure_latent(jax.random.key(1), means, logvars, samples=SAMPLES), truth


def test_a_known_mixture_lies_within_the_interval_of_quadrature(known: tuple[Latent, list[float]]) -> None:
    found, truth = known
    assert float(found.information.low) <= sum(truth) <= float(found.information.high)
    assert float(found.information.high) - float(found.information.low) < 0.05
    # Five figures more, each within 4 standard errors: they miss together with a probability below 4e-4.
    for j, bits in enumerate(truth):
        for figures in (found.marginal, found.increment):
            assert abs(float(figures.bits[j]) - bits) < 4 * float(figures.stderr[j]) + 1e-4
    assert abs(float(found.total_correlation.bits)) < 4 * float(found.total_correlation.stderr) + 1e-4
    assert found.active.tolist() == [True, True, False]
    assert not found.saturated and found.limit == pytest.approx(8, abs=1e-5)


def test_rate_less_information_is_the_excess_that_samples_of_its_own_give(known: tuple[Latent, list[float]]) -> None:
    means, logvars, _ = grid_posteriors()
    table = Posterior(jnp.asarray(means, jnp.float32), jnp.asarray(0.5 * logvars, jnp.float32))
    joint = tabled(Rows.of(np.full(256, 1 / 256)), table, LearntGaussian())
    listed = list_codes(joint)
    direct = marginal_kl(joint, listed, sampled(jax.random.key(2), joint, listed, SAMPLES), jnp.ones(()))
    found = known[0].marginal_kl
    assert abs(float(found.bits) - float(direct.bits)) < 4 * np.hypot(float(found.stderr), float(direct.stderr))


def test_a_copied_unit_says_its_bits_twice() -> None:
    means = np.random.default_rng(3).normal(size=(256, 1))
    logvars = np.full((256, 3), np.log(0.3))
    found = measure_latent(jax.random.key(4), np.hstack([means, means, 0 * means]), logvars, samples=SAMPLES)
    both, alone = float(found.information.bits), float(found.marginal.bits[0])
    twice = float(found.total_correlation.bits)
    assert twice == pytest.approx(2 * alone - both, abs=0.2) and twice > 0.3
    matrix = found.shared.matrix()
    assert matrix[0, 1] == pytest.approx(twice, abs=0.2) and abs(matrix[0, 2]) < 0.05
    np.testing.assert_array_equal(matrix, matrix.T)


def test_a_collapsed_model_holds_nothing_and_names_its_dead_units(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    np.save(tmp_path / "m.npy", 1e-4 * rng.normal(size=(256, 3)))
    np.save(tmp_path / "l.npy", 1e-4 * rng.normal(size=(256, 3)))
    words = ("latent", "--means", tmp_path / "m.npy", "--logvars", tmp_path / "l.npy", "--samples", SAMPLES)
    status, out, err = command(*words)
    assert status == 0 and not err
    assert "0 of 3 units active; not active: 0, 1, 2" in out
    out = command(*words, "--json", "--plot", tmp_path / "p.png")[1]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(out)
    assert abs(found["information"]["bits"]) < 1e-3 and found["active_units"] == 0 and not found["saturated"]
    assert found["rate"] == pytest.approx(0.0, abs=1e-6)


def test_points_all_told_apart_saturate_and_more_would_show_more() -> None:
    means = 50.0 * np.random.default_rng(6).normal(size=(256, 3))
    found = measure_latent(jax.random.key(7), means, np.full((256, 3), -6.0), samples=SAMPLES)
    assert found.saturated and float(found.information.bits) == pytest.approx(8.0, abs=0.02)
    np.testing.assert_allclose(found.growth.information.bits, [5, 6, 7, 8], atol=0.05)
    assert found.growth.points.tolist() == [32, 64, 128, 256]
    texts = [axes.get_title() for axes in latent_figure(found).axes]
    assert any("near its limit" in text for text in texts)


def test_a_saturated_code_calls_nothing_redundancy(command: Command, tmp_path: Path) -> None:
    """Three independent units of 4 bits: 12 bits, of which 256 points show 8 by enumeration."""
    np.save(tmp_path / "m.npy", 16.0 * np.random.default_rng(11).normal(size=(256, 3)))
    np.save(tmp_path / "l.npy", np.zeros((256, 3)))
    words = ("latent", "--means", tmp_path / "m.npy", "--logvars", tmp_path / "l.npy", "--samples", SAMPLES)
    words = (*words, "--given", "logvar")
    out = command(*words)[1]
    lines = [line for line in out.splitlines() if line.startswith("total correlation")]
    assert len(lines) == 2 and all("saturated: not known" in line for line in lines)
    assert out.index("The population") < out.index("These 256 points")
    found = json.loads(command(*words, "--json")[1])
    wider = found["population"]
    assert wider["information"]["low"] <= 12.0 <= wider["information"]["high"] and not wider["information"]["known"]
    assert wider["total_correlation"]["low"] == 0 and not wider["total_correlation"]["known"]
    assert not found["total_correlation"]["known"]
    assert all(pair["low"] == 0 for pair in wider["shared"])
    for unit in found["by_unit"]:
        assert unit["population"]["marginal"]["low"] <= 4.003 <= unit["population"]["marginal"]["high"]
        assert unit["population"]["increment"]["low"] <= 4.003 <= unit["population"]["increment"]["high"]
    assert found["usage"]["carriers"] == 3


def test_the_same_key_gives_the_same_figures_and_order_of_points_none(known: tuple[Latent, list[float]]) -> None:
    means, logvars, _ = grid_posteriors()
    first, again = known[0], measure_latent(jax.random.key(1), means, logvars, samples=SAMPLES)
    assert float(first.information.bits) == float(again.information.bits)
    turned = measure_latent(jax.random.key(1), means[::-1], logvars[::-1], samples=SAMPLES)
    error = 4 * np.hypot(float(first.information.stderr), float(turned.information.stderr))
    assert abs(float(first.information.bits) - float(turned.information.bits)) < error


@pytest.mark.parametrize(
    ("means", "spreads", "given", "sentence"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3)), None, r"one shape \(N, units\); got \(5, 2\) and \(5, 3\)"),
        (np.zeros((5, 2)), np.zeros((2, 5)), None, "transposed"),
        (np.zeros(5), np.zeros(5), None, r"array\[:, None\]"),
        (np.zeros((5, 2)), np.full((5, 2), 0.3), None, "look like variances .* --given"),
        (
            np.zeros((5, 2)),
            np.tile([0.0, 0.3], (5, 1)),
            None,
            "0 to 0.3, which look like variances",
        ),
        (np.zeros((5, 2)), np.full((5, 2), -0.3), "variance", "variance greater than 0 .* logarithms"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), None, "finite means; got nan in row 0, unit 0"),
        (np.full((5, 2), 1e300), np.zeros((5, 2)), None, r"means within .*got 1e\+300 in row 0"),
        (np.zeros((5, 2)), np.full((5, 2), -np.inf), None, "finite logvars"),
        (np.zeros((5, 2)), np.full((5, 2), -200.0), None, "within ±40"),
        (np.zeros((1, 2)), np.zeros((1, 2)), None, "at least two data points"),
        (np.zeros((5, 2)).astype(str), np.zeros((5, 2)), None, "real numbers"),
        (np.zeros((5, 2)), np.zeros((5, 2)), "variances", "Did you mean 'variance'"),
    ],
)
def test_refusals(means: np.ndarray, spreads: np.ndarray, given: str | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        checked_posterior(means, spreads, given)


def test_what_is_given_may_be_said() -> None:
    means, std = np.zeros((4, 2)), np.array([[0.5, 0.9]] * 4)
    forms = {"std": std, "variance": std**2, "logvar": 2 * np.log(std), "log_std": np.log(std)}
    for given, spreads in forms.items():
        np.testing.assert_allclose(checked_posterior(means, spreads, given)[1], np.log(std), rtol=1e-12)


def test_variances_are_asked_about_on_the_command_line(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.zeros((5, 2)))
    np.save(tmp_path / "v.npy", np.full((5, 2), 0.4))
    status, out, err = command("latent", "--means", tmp_path / "m.npy", "--logvars", tmp_path / "v.npy")
    assert status == 2 and not out and err.count("\n") == 1 and "--given" in err


def test_rows_draw_with_their_probabilities_and_never_the_impossible() -> None:
    rows = Rows.of(np.array([0.5, 0.0, 0.25, 0.25, 0.0]))
    draw = rows.sample(jax.random.key(10), 4000)
    counts = np.bincount(np.asarray(draw.vector), minlength=5)
    assert counts[1] == counts[4] == 0 and rows.bits == pytest.approx(1.5)
    np.testing.assert_allclose(counts / 4000, [0.5, 0, 0.25, 0.25, 0], atol=4 * (0.25 / 4000) ** 0.5)
    np.testing.assert_array_equal(jax.vmap(rows.embed)(draw.message), draw.vector)
    np.testing.assert_allclose(np.exp(jax.vmap(rows.log_prob)(rows.messages())), [0.5, 0, 0.25, 0.25, 0], rtol=1e-6)
