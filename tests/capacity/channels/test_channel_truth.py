"""Tabulated bits of channels, measured: messages sent through them and enumerated; the interval holds the truth.

Sixty and more intervals at 95 % would miss some: each is stretched so that all hold at once (Bonferroni), and no less
than tables' last digit.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint, Layer, Stack, measure
from capacity.bounds import Ceiling, Enumeration, MaximumEntropy, Rate, measure_layers
from capacity.bounds.exact.densities import log_densities
from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.units import unit_information
from capacity.channels import (
    FSQ,
    Binarised,
    BinarySymmetric,
    Chain,
    Dropout,
    Echo,
    Erasure,
    Gaussian,
    GaussianDropout,
    Quantized,
    Scaled,
    StochasticBinarised,
    StochasticDepth,
    Uniform,
    VariationalDropout,
    residual_outcomes,
)
from capacity.results.estimate import Z95
from capacity.theory import amplitude_limited_gaussian
from synthetic import Codebook

STRETCH = 3.5 / Z95  # two-sided normal quantile of 5 % over a hundred intervals


def same(x: jax.Array) -> jax.Array:
    return x


def sent(points: Any, channel: Any, probs: Any = None, encoder: Any = same) -> Joint:
    """A message for each row of points (m, units), sent as it is."""
    return Joint(Codebook(np.asarray(points, np.float32), probs), encoder, channel)


def slow(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


def bit(channel: Any, copies: int = 1, low: float = -1.0) -> Joint:
    return sent(np.repeat([[low], [1.0]], copies, axis=1), channel)


def holds(joint: Joint, truth: float, digit: float = 1e-5, samples: int = 4096) -> None:
    e = enumerated(jax.random.key(1), joint, samples)
    low, high = (float(e.bits) + STRETCH * float(end - e.bits) for end in (e.low, e.high))
    assert low - digit <= truth <= high + digit, f"{float(e.bits):.6f} [{low:.6f}, {high:.6f}], truth {truth}"
    assert float(e.stderr) < 0.05


def _enumerated(key: jax.Array, joint: Joint, samples: int) -> Any:
    return information(key, joint, list_codes(joint), samples)


enumerated = jax.jit(_enumerated, static_argnums=2)  # one program, where `Enumeration` also asks for another precision


def midpoints(count: int, low: float, high: float) -> np.ndarray:
    return (low + (high - low) * (np.arange(count) + 0.5) / count)[:, None]


CASCADE = Chain(BinarySymmetric(0.1), BinarySymmetric(0.1))
FIVE_FLIPS = BinarySymmetric(0.5 * (1 - 0.8**5))


@pytest.mark.parametrize(
    ("joint", "truth", "digit"),
    [
        *((lambda s=s: bit(Gaussian(s**-0.5)), t, 1e-6) for s, t in ((1, 0.485944), (2, 0.721452), (4, 0.912822))),
        *((lambda p=p: bit(GaussianDropout(p)), t, 1e-6) for p, t in ((0.2, 0.912822), (0.5, 0.485944))),
        (lambda: bit(Erasure(0.5)), 0.5, 1e-6),
        *(slow(lambda k=k: bit(Erasure(0.5), k), t, 1e-6) for k, t in ((3, 0.875), (10, 0.999023))),
        (lambda: bit(Dropout(0.5)), 0.5, 1e-6),
        slow(lambda: bit(Dropout(0.5), 3), 0.875, 1e-6),
        (lambda: bit(Dropout(0.5), low=0.0), 0.311278, 1e-6),
        (lambda: bit(BinarySymmetric(0.11)), 0.500084, 1e-6),
        (lambda: bit(BinarySymmetric(0.1)), 0.5310, 1e-4),
        *(slow(lambda k=k: bit(BinarySymmetric(0.1), k), t, 1e-4) for k, t in ((3, 0.8624), (5, 0.9569))),
        (lambda: bit(CASCADE), 0.31992, 1e-5),
        slow(lambda: bit(Chain(CASCADE, Chain(CASCADE, BinarySymmetric(0.1)))), 0.07890, 1e-5),
        (lambda: bit(Chain(FIVE_FLIPS, FIVE_FLIPS)), 0.00833, 1e-5),
        (lambda: sent(midpoints(1024, -1, 1), StochasticBinarised(1.0, "linear")), 0.278652, 3e-6),
    ],
)  # fmt: skip
def test_tabulated_bits(joint: Any, truth: float, digit: float) -> None:
    holds(joint(), truth, digit)


@pytest.mark.parametrize(("scale", "truth"), [slow(1, 2.9157), slow(2, 5.4769), slow(3, 5.9667)])
def test_six_bits(scale: float, truth: float) -> None:
    signs = 2.0 * ((np.arange(64)[:, None] >> np.arange(6)) & 1) - 1
    holds(sent(scale * signs, Gaussian(1.0)), truth, 1e-4)


@pytest.mark.parametrize(
    ("half_width", "truth", "count"),
    [
        (0.5, 0.72135, 1024),
        slow(0.05, 3.39406, 4096),
        slow(0.005, 6.65107, 8192),
        slow(0.0005, 9.96651, 65536),
    ],
)
def test_uniform_noise(half_width: float, truth: float, count: int) -> None:
    """A fine grid stands for the interval: its steps are far shorter than the noise."""
    holds(sent(midpoints(count, 0, 1), Uniform(half_width)), truth, 1e-3)


@pytest.mark.parametrize("amplitude", [slow(0.5), slow(1.0), 1.5, slow(2.0)])
def test_best_input_of_limited_amplitude(amplitude: float) -> None:
    """The input that Blahut-Arimoto found, sent: the table's capacity passes (3 and 5: its own test, slow)."""
    truth = {0.5: 0.16075, 1.0: 0.48594, 1.5: 0.75998, 2.0: 0.9419}[amplitude]
    found = amplitude_limited_gaussian(amplitude)
    likely = found.probs > 1e-4
    probs = found.probs[likely] / found.probs[likely].sum()
    holds(sent(found.inputs[likely][:, None], Gaussian(1.0), probs), truth, 1e-3)


@pytest.mark.parametrize(
    ("depth", "restored", "truth"),
    [
        (1, False, 0.5), (2, False, 0.29248), (5, False, 0.13152), (10, False, 0.06875),
        (2, True, 0.20752), (3, True, 0.09632), (4, True, 0.04655),
    ],
)  # fmt: skip
def test_gaussian_chains(depth: int, restored: bool, truth: float) -> None:
    """Every layer's own noise, on units of their own for each layer; a normal input by 24 Gauss-Hermite points.

    What reaches layer l is g^(l-1) x + sum_k g^(l-k) n_k, n_k independent: a Gaussian channel of that gain and noise.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(24)
    kept = weights / weights.sum() > 1e-9
    gain = 0.5**0.5 if restored else 1.0
    noise = sum(gain ** (2 * k) for k in range(depth)) ** 0.5
    probs = weights[kept] / weights[kept].sum()
    holds(sent(gain ** (depth - 1) * points[kept][:, None], Gaussian(noise), probs), truth, 1e-5)


REAL = np.asarray(jax.random.normal(jax.random.key(0), (200, 3)))
BLOCKS = (jnp.tanh, lambda h: jnp.sin(2 * h), jnp.cos)


def with_skips(x: jax.Array) -> jax.Array:
    return residual_outcomes(x, BLOCKS)


def without_skips(x: jax.Array) -> jax.Array:
    return residual_outcomes(x, BLOCKS, skip=False)


@pytest.mark.slow
def test_real_units_under_dropout_lose_what_is_wholly_dropped() -> None:
    holds(sent(REAL, Dropout(0.5)), np.log2(200) * (1 - 0.5**3))
    exact = Enumeration(1024)(jax.random.key(0), sent(REAL, Dropout(0.0)))  # held against float64 as well
    assert float(exact.low) <= np.log2(200) <= float(exact.high) and float(exact.high - exact.low) < 1e-4
    holds(sent(REAL, Dropout(0.0)), np.log2(200), 2e-6 * 8)


@pytest.mark.slow
def test_gaussian_noise_after_dropout_limits_it() -> None:
    through = Chain(Dropout(0.3), Gaussian(0.5))
    alone, both, gaussian = (
        enumerated(jax.random.key(0), sent(REAL, channel), 2048) for channel in (Dropout(0.3), through, Gaussian(0.5))
    )
    assert float(both.high) < 0.6 * float(alone.low)
    assert float(both.low) <= float(Ceiling()(jax.random.key(0), sent(REAL, through)).bits)
    # A receiver who is told the mask, and sees dropped units no more, hears Gaussian noise on the others.
    assert float(both.low) < float(gaussian.high)


@pytest.mark.parametrize(("encoder", "passes"), [(without_skips, 0.7**3), slow(with_skips, 1)])
def test_stochastic_depth_kills_or_spares(encoder: Any, passes: float) -> None:
    holds(sent(REAL, StochasticDepth(0.3), encoder=encoder), np.log2(200) * passes, 2e-5)


@pytest.mark.slow
def test_bits_by_unit_of_a_channel_with_memory() -> None:
    """A killed path kills all units at once: each alone has all that passes, and the others add nothing."""
    joint = sent(REAL[:50], StochasticDepth(0.3), encoder=without_skips)
    units = unit_information(jax.random.key(0), joint, list_codes(joint), 4096)
    truth = np.log2(50) * 0.7**3
    np.testing.assert_allclose(units.marginal.bits, truth, atol=0.2)
    np.testing.assert_allclose(units.increment.bits, [truth, 0, 0], atol=0.2)
    np.testing.assert_allclose(units.redundancy.bits, 2 * truth, atol=0.4)


@pytest.mark.parametrize(("scale", "truth"), [(0.25, 1.0), slow(0.5, 1.0), slow(0.7, -np.log2(0.7))])
def test_echo_passes_the_formula_or_the_source(scale: float, truth: float) -> None:
    """min(1, -log2 S) of one bit, where its formula says 2 at S = 1/4; the floor takes a little."""
    e = enumerated(jax.random.key(1), bit(Echo(scale, jnp.array([[-1.0], [1.0]]), 10, 0.01)), 2048)
    assert float(e.low) - 0.01 <= truth <= float(e.high) + 0.01


@pytest.mark.slow
def test_learnt_rates_are_the_rates() -> None:
    """Variational dropout of alpha = 1 on +-1 is a Gaussian channel of SNR 1."""
    holds(sent([[-1.0], [1.0]], VariationalDropout(), encoder=rate_one), 0.485944)


def rate_one(x: jax.Array) -> Scaled:
    return Scaled(x, jnp.zeros_like(x))


@pytest.mark.parametrize(
    "channel",
    [
        Uniform(0.7),
        *map(slow, (
            Chain(Dropout(0.3), Gaussian(0.7)),
            BinarySymmetric(0.2), Erasure(0.3), Dropout(0.3, values=(-1.0, 1.0)), Binarised(),
            GaussianDropout(0.4, values=(-1.0, 1.0)),
            StochasticBinarised(0.7), Quantized(2.0), FSQ(np.array([3.0, 4.0])),
            Chain(Binarised(), BinarySymmetric(0.2)),
        )),
    ],
    ids=lambda channel: channel.name,
)  # fmt: skip
def test_random_codes_stay_below_the_ceiling(channel: Any) -> None:
    """40 messages on two units of +-1, drawn at random and repeated: at most the ceiling passes."""
    signs = np.sign(np.asarray(jax.random.normal(jax.random.key(2), (40, 2))))
    joint = sent(np.concatenate([signs, np.arange(40)[:, None]], axis=1), channel, encoder=first_two)
    ceiling = Ceiling()(jax.random.key(0), joint)
    e = enumerated(jax.random.key(1), joint, 1024)
    assert -1e-5 <= float(e.bits) and float(e.bits) - 4 * float(e.stderr) <= float(ceiling.bits) + 1e-5


def first_two(x: jax.Array) -> jax.Array:
    return x[:2]


def test_a_ceiling_is_refused_to_codes_that_break_its_constraint() -> None:
    with pytest.raises(ValueError, match="Expected codes with u = ±1, which the ceiling of erasure presumes"):
        Ceiling()(jax.random.key(0), sent(REAL, Erasure(0.5)))


@pytest.mark.parametrize("bound", [Rate(), MaximumEntropy(1024)], ids=lambda bound: bound.name)
def test_a_normal_reference_is_refused_to_atoms(bound: Any) -> None:
    with pytest.raises(ValueError, match="Expected a channel with a density; got dropout"):
        bound(jax.random.key(0), sent(REAL, Dropout(0.5)))


@pytest.mark.slow
def test_the_rate_of_a_mixture_is_sampled() -> None:
    """Without a known entropy the rate is a mean over samples; it lies above the information."""
    joint = sent(REAL, Chain(StochasticDepth(0.3), Gaussian(0.5)), encoder=with_skips)
    rate = Rate(2.0, samples=4096)(jax.random.key(0), joint)
    exact = measure(jax.random.key(0), joint, samples=512)
    assert exact.method == "enumeration" and float(rate.high) > float(exact.low) > 1


def test_units_that_do_not_move_or_repeat_leave_controls_exact() -> None:
    """A covariance without inverse: one unit twice, one constant, through no noise and through little."""
    points = np.stack([REAL[:, 0], REAL[:, 0], np.ones(200)], axis=1)
    holds(sent(points, Dropout(0.0)), np.log2(200), 2e-5)
    holds(sent(points, Dropout(0.25)), np.log2(200) * (1 - 0.25**2), 1e-5)
    joint = sent(points[:64], Dropout(0.25))
    listed = jax.jit(list_codes)(joint)
    keys = jax.random.split(jax.random.key(5), 200)
    many = jax.jit(lambda keys: jax.lax.map(lambda k: information(k, joint, listed, 256), keys))(keys)
    assert abs(float(many.bits.mean()) - 5.625) < 4 * float(many.bits.std()) / 200**0.5 + 1e-5


def test_impossible_messages_have_density_zero_in_any_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    from capacity.bounds.exact import tiles

    joint = sent(REAL, Dropout(0.0))
    listed = list_codes(joint)
    monkeypatch.setattr(tiles, "MESSAGES_PER_TILE", 16)
    q = log_densities(listed, joint.channel, listed.codes[:40], per_unit=True)
    np.testing.assert_allclose(q.joint, -np.log(200), rtol=1e-6)
    np.testing.assert_allclose(q.posterior, -np.log(200), rtol=1e-6)
    away = log_densities(listed, joint.channel, listed.codes[:40] + 1.0)
    assert np.all(np.asarray(away.joint) == -np.inf) and not np.isnan(away.posterior).any()


@pytest.mark.slow
def test_a_bracket_where_walks_are_cut_off_has_bounds_without_them() -> None:
    """Points that are told apart unless all units are dropped: H(1 - p^units)."""
    found = measure(jax.random.key(0), sent(REAL, Dropout(0.5)), budget_gflop=1.0, method="bracket")
    truth = np.log2(200) * (1 - 0.5**3)
    assert found.low <= truth <= found.high and found.width < 0.02 * truth


def test_a_layer_that_rules_messages_out_is_listed() -> None:
    """Units of different numbers each: the message is lost where all of them are dropped."""
    (found,) = measure_layers(jax.random.key(0), Stack(Codebook(REAL), (Layer(same, Dropout(0.5)),)))
    truth = np.log2(len(REAL)) * (1 - 0.5 ** REAL.shape[1])
    assert found.low <= truth + 1e-5 and truth - 1e-5 <= found.high and found.width < 1e-3
