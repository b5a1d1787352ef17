"""Laws that every channel keeps: sampler, density, moments and entropy must tell of one distribution."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.channels import (
    CHANNELS,
    FSQ,
    Binarised,
    BinarySymmetric,
    Chain,
    Channel,
    Dropout,
    Echo,
    Erasure,
    Gaussian,
    GaussianDropout,
    InformationDropout,
    LearntGaussian,
    Posterior,
    Quantized,
    Scaled,
    SharedDropout,
    StochasticBinarised,
    StochasticDepth,
    Uniform,
    VariationalDropout,
    residual_outcomes,
)
from capacity.channels.channel import noisy, sliced
from capacity.channels.erased import Erased
from capacity.channels.inner_noise import Noise, drawn_choices
from capacity.runtime.contracts import missing_members

SAMPLES = 40000
U = jnp.array([-1.0, 0.3, 2.0])
SIGNS = jnp.array([-1.0, 1.0, 1.0])
OUTCOMES = residual_outcomes(U, [jnp.tanh, jnp.sin])
DEAD = residual_outcomes(U, [jnp.tanh, jnp.sin], skip=False)
BANK = jnp.array([[-1.0, 1.0, 0.0], [1.0, 0.5, -1.0]])
CASES: dict[str, tuple[Any, Any]] = {
    "gaussian": (Gaussian(0.7), U),
    "learnt_gaussian": (LearntGaussian(), Posterior(U, jnp.array([-1.0, 0.0, 0.5]))),
    "uniform": (Uniform(0.4), U),
    "dropout": (Dropout(0.3), U),
    "dropout of a hidden unit": (Dropout(0.3, fill=0.3), U),
    "dropout of given values": (Dropout(0.3, fill=-1.0, values=(-1.0, 0.3, 2.0)), U),
    "gaussian_dropout": (GaussianDropout(0.2), U),
    "gaussian_dropout of opposites": (GaussianDropout(0.4, values=(-1.0, 1.0)), SIGNS),
    "variational_dropout": (VariationalDropout(), Scaled(U, jnp.array([-2.0, -1.0, 0.0]))),
    "information_dropout": (InformationDropout(), Scaled(U, jnp.array([-2.0, -1.5, -1.0]))),
    "binary_symmetric": (BinarySymmetric(0.11), SIGNS),
    "erasure": (Erasure(0.25), SIGNS),
    "binarised": (Binarised(), U),
    "stochastic_binarised": (StochasticBinarised(0.8), U),
    "stochastic_binarised, linear": (StochasticBinarised(1.0, "linear"), U),
    "quantized": (Quantized(4.0, 1.5), U),
    "fsq": (FSQ(jnp.array([8.0, 5.0, 3.0])), U),
    "stochastic_depth": (StochasticDepth(0.3, "linear"), OUTCOMES),
    "stochastic_depth without skips": (StochasticDepth(0.3), DEAD),
    "shared_dropout": (SharedDropout(0.3, np.array([[True, False, True], [False, True, False]])), U),
    "shared_dropout of a layer": (SharedDropout.of_layer(0.2, 3), U),
    "echo": (Echo(0.4, BANK, 4, 0.1), U),
    "chain": (Chain(Dropout(0.3), Gaussian(0.4)), U),
    "chain, atoms": (Chain(BinarySymmetric(0.1), Erasure(0.3)), SIGNS),
    "chain, memory": (Chain(StochasticDepth(0.3), Gaussian(0.4)), OUTCOMES),
}
SURE = ("binarised", "quantized", "fsq")  # Z follows from the code


class Found(NamedTuple):
    """What a channel says of one code, and of samples."""

    z: np.ndarray
    log_prob: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    entropy: np.ndarray | None


def test_every_channel_has_a_case() -> None:
    assert {channel.name for channel, _ in CASES.values()} == CHANNELS.keys()
    assert all(CHANNELS[channel.name] is type(channel) for channel, _ in CASES.values())


# What is theirs alone is also measured against tables.
SLOW = ("chain, atoms", "shared_dropout of a layer", "stochastic_binarised, linear", "stochastic_depth without skips")


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in CASES],
    ids=str,
    scope="module",
)
def case(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    return CASES[request.param]


@jax.jit
def noised_of(channel: Any, u: Any, keys: jax.Array) -> jax.Array:
    """Noisy units by noise that is drawn first."""
    shape = channel.noise_shape(u)

    def one(key: jax.Array) -> jax.Array:
        normal = jax.random.normal(key, (shape.normal,))
        log_masses = channel.log_masses(u)
        assert log_masses.shape == (shape.draws, shape.ways)
        return channel.noised(u, Noise(normal, drawn_choices(jax.random.fold_in(key, 1), log_masses)))

    return jax.vmap(one)(keys)


def test_noise_inside_a_network_has_the_law_of_the_sampler(case: tuple[Any, Any], found: Found) -> None:
    """Z = f(U, e) by drawn e: units have the same quantiles, and the same covariances."""
    channel, u = case
    if isinstance(channel, Chain) and not (channel.atomic and channel.memoryless):
        with pytest.raises(ValueError, match="noise is known as z = f"):
            channel.noise_shape(u)
        return
    z = in_double(noised_of(channel, u, jax.random.split(jax.random.key(3), SAMPLES)))
    assert z.shape == found.z.shape
    grid = np.sort(np.concatenate([z, found.z]), axis=0)[::97]
    for unit in range(z.shape[1]):
        shares = (np.searchsorted(np.sort(s[:, unit]), grid[:, unit] + 1e-5) / SAMPLES for s in (z, found.z))
        assert np.abs(np.subtract(*shares)).max() < 2.2 * (2 / SAMPLES) ** 0.5  # Kolmogorov-Smirnov, 1 in 10,000
    spread = np.sqrt(np.maximum(found.variance, 1e-12))
    scale = np.outer(spread, spread) + 1e-6
    np.testing.assert_allclose(*(np.cov(s.T) / scale for s in (z, found.z)), atol=0.08)


def test_dropped_continuous_noise_is_a_density_and_an_atom() -> None:
    channel = Erased(Gaussian(0.5), Dropout(0.3))
    z = in_double(jax.vmap(channel, (0, None))(jax.random.split(jax.random.key(0), SAMPLES), U))
    mean, variance = (in_double(part) for part in channel.moments(U))
    np.testing.assert_allclose(z.mean(0), mean, atol=0.02)
    np.testing.assert_allclose(z.var(0), variance, atol=0.05)
    assert (z == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert float(jnp.exp(channel.log_prob(jnp.zeros(3), U))[1]) == pytest.approx(0.3)
    nodes = jnp.linspace(-4, 6, 20_000) + 1e-4
    density = jnp.exp(jax.vmap(lambda one: channel.log_prob(jnp.full(3, one), U))(nodes))
    np.testing.assert_allclose(density.sum(0) * (nodes[1] - nodes[0]), 0.7, rtol=1e-3)
    with pytest.raises(ValueError, match="first channel with a density; got dropout"):
        Erased(Dropout(0.1), Dropout(0.1))


def test_the_share_that_passes() -> None:
    """All units dropped, and nothing passes: 1 - p^units, or of groups."""
    assert float(Dropout(0.5).passes(3)) == pytest.approx(1 - 0.5**3)
    assert float(SharedDropout.of_layer(0.2, 3).passes(3)) == pytest.approx(0.8)
    assert float(Chain(Dropout(0.5), Erasure(0.5)).passes(1)) == pytest.approx(0.25)
    assert float(Gaussian(1.0).passes(3)) == 1.0


def in_double(a: Any) -> np.ndarray:
    return np.asarray(a, np.float64)


@pytest.fixture(scope="module")
def found(case: tuple[Any, Any]) -> Found:
    @jax.jit
    def all_of(channel: Any, u: Any, keys: jax.Array) -> Found:
        z = jax.vmap(channel, (0, None))(keys, u)
        log_prob = jax.vmap(channel.log_prob, (0, None))(z, u)
        entropy = channel.entropy(u) if channel.has_entropy else None
        return Found(z, log_prob, *channel.moments(u), entropy)

    return jax.tree.map(in_double, all_of(*case, jax.random.split(jax.random.key(0), SAMPLES)))


@jax.jit
def entropy_of(channel: Any, u: Any) -> jax.Array:
    return channel.entropy(u)


@jax.jit
def log_prob_of(channel: Any, z: jax.Array, u: Any) -> jax.Array:
    return jax.vmap(channel.log_prob, (0, None))(z, u)


def test_many_codes_at_once_have_noises_of_their_own(case: tuple[Any, Any], found: Found) -> None:
    """The same law as one code at a time, where a sample of each has the same mean, variance and covariances."""
    channel, u = case
    codes = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (SAMPLES, *jnp.shape(leaf))), u)
    z = in_double(jax.jit(noisy)(channel, jax.random.key(1), codes))
    assert z.shape == found.z.shape
    spread = np.sqrt(np.maximum(found.variance, 1e-12))
    np.testing.assert_array_less(np.abs(z.mean(0) - found.mean), 5 * spread / SAMPLES**0.5 + 1e-5)
    scale = np.outer(spread, spread) + 1e-6
    both = (np.cov(np.asarray(sample, np.float64).T) / scale for sample in (z, found.z))
    np.testing.assert_allclose(*both, atol=0.08)
    shifted = z[1:] - found.mean[None], z[:-1] - found.mean[None]
    np.testing.assert_array_less(np.abs((shifted[0] * shifted[1]).mean(0)), 5 * spread**2 / SAMPLES**0.5 + 1e-6)


def test_keeps_the_contract(case: tuple[Any, Any]) -> None:
    channel, u = case
    assert isinstance(channel, Channel)
    assert bool(channel.no_ceiling_because) != channel.has_ceiling == (channel.presumes is not None)
    assert not missing_members(type(channel), Channel)
    assert jax.tree.leaves(u)[0].ndim == channel.code_axes and isinstance(u, channel.code)
    signal, sent = jax.eval_shape(channel.signal, u), jax.eval_shape(channel, jax.random.key(0), u)
    assert signal.shape == sent.shape
    if channel.atomic:
        values, log_weights = jax.eval_shape(channel.atoms, u)
        assert values.shape[1:] == signal.shape and log_weights.shape == values.shape[: log_weights.ndim]
    else:
        with pytest.raises(ValueError, match="atoms"):
            channel.atoms(u)


def test_moments(found: Found) -> None:
    spread = np.sqrt(np.maximum(found.variance, 1e-12))
    np.testing.assert_array_less(np.abs(found.z.mean(0) - found.mean), 5 * spread / SAMPLES**0.5 + 1e-5)
    fourth = ((found.z - found.mean) ** 4).mean(0)
    np.testing.assert_array_less(np.abs(found.z.var(0) - found.variance), 5 * np.sqrt(fourth / SAMPLES) + 1e-6)


def test_what_was_sent_is_possible_and_entropy_is_its_mean(case: tuple[Any, Any], found: Found) -> None:
    assert np.isfinite(found.log_prob).all()
    if found.entropy is None:
        with pytest.raises(ValueError, match="whose entropy is known"):
            case[0].entropy(case[1])
        return
    error = found.log_prob.std(0) / SAMPLES**0.5
    np.testing.assert_array_less(np.abs(found.log_prob.mean(0) + found.entropy), 5 * error + 1e-5)


def test_probabilities_add_up_to_one(case: tuple[Any, Any], found: Found) -> None:
    """Over all rows of atoms; or over each unit's own line, by the trapezoid rule."""
    channel, u = case
    if channel.atomic:
        rows, first = np.unique(np.asarray(found.z), axis=0, return_index=True)
        assert np.exp(np.asarray(found.log_prob, np.float64)[first].sum(1)).sum() == pytest.approx(1, abs=1e-5)
        share = [(np.asarray(found.z) == row).all(1).mean() for row in rows]
        np.testing.assert_allclose(np.exp(found.log_prob[first].sum(1)), share, atol=5 * 0.5 / SAMPLES**0.5)
        return
    for j in range(found.z.shape[1]):
        here = slice(j, j + 1)
        own, code = channel.part(here), sliced(u, here)
        std = float(np.sqrt(found.variance[j]))
        grid = float(found.mean[j]) + std * jnp.linspace(-10, 10, 4001)
        log_p = in_double(log_prob_of(own, grid[:, None], code))[:, 0]
        p, step = np.exp(log_p), std * 20 / 4000
        # A density that jumps is off by up to a step at each edge.
        slack = 2 * step * p.max() if isinstance(channel, Uniform) else 2e-4
        assert p.sum() * step == pytest.approx(1, abs=slack)
        if channel.has_entropy:
            entropy = -(p * np.where(p > 0, log_p, 0)).sum() * step
            assert entropy == pytest.approx(float(entropy_of(own, code)[0]), abs=max(slack, 1e-3))


def test_units_alone_are_of_the_same_law(case: tuple[Any, Any], found: Found) -> None:
    """A slice of the units tells of those units: the first ones are what the whole says of them."""
    channel, u = case
    front = slice(0, 2)
    own = log_prob_of(channel.part(front), found.z[:100, front], sliced(u, front))
    np.testing.assert_allclose(own, found.log_prob[:100, front], atol=2e-5, rtol=2e-5)
    if channel.memoryless:
        last = slice(2, 3)
        own = log_prob_of(channel.part(last), found.z[:100, last], sliced(u, last))
        np.testing.assert_allclose(own, found.log_prob[:100, last], atol=2e-5, rtol=2e-5)
    else:
        covariance = np.cov(np.asarray(found.z, np.float64).T)
        said = np.asarray(jax.jit(channel.covariance)(u))
        np.testing.assert_allclose(said, covariance, atol=0.04)
        np.testing.assert_allclose(np.diagonal(said), found.variance, rtol=1e-4)


def test_same_key_same_noise(case: tuple[Any, Any]) -> None:
    channel, u = case
    many = jax.vmap(channel, (0, None))
    keys, others = (jax.random.split(jax.random.key(seed), 16) for seed in (3, 4))
    first, again, other = jax.jit(lambda u: (many(keys, u), many(keys, u), many(others, u)))(u)  # traced each time
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (channel.name in SURE)


def test_ceiling_or_a_refusal(case: tuple[Any, Any]) -> None:
    channel, _ = case
    power = jnp.array([0.0, 1.0, 2.0])
    if channel.has_ceiling:
        ceiling = channel.ceiling(power)
        assert ceiling.shape == (3,)
        if channel.name != "fsq":  # whose ceilings are of three different units
            assert jnp.all(ceiling >= 0) and jnp.all(jnp.diff(ceiling) >= 0)
    else:
        with pytest.raises(ValueError, match="no ceiling") as refusal:
            channel.ceiling(power)
        assert channel.no_ceiling_because in str(refusal.value)


def test_levels_stack_under_vmap(case: tuple[Any, Any], found: Found) -> None:
    """Two channels of one kind in one: what each says alone."""
    channel, u = case
    leaves, kind = jax.tree.flatten(channel)
    if not leaves:
        return
    twice = [jnp.asarray(np.stack([leaf, leaf]), jnp.asarray(leaf).dtype) for leaf in leaves]
    z = jnp.asarray(found.z[0], jnp.float32)
    both = jax.jit(jax.vmap(lambda c: c.log_prob(z, u)))(jax.tree.unflatten(kind, twice))
    np.testing.assert_allclose(both, np.stack([found.log_prob[0]] * 2), rtol=1e-5, atol=1e-5)


def test_gradients_reach_the_code(case: tuple[Any, Any]) -> None:
    channel, u = case

    def loss(u: Any, key: jax.Array) -> jax.Array:
        return (channel(key, u) * jnp.array([1.0, -2.0, 0.5])).sum()

    keys = jax.random.split(jax.random.key(5), 64)
    small = jax.tree.map(lambda leaf: 0.4 * leaf, u) if channel.name in (*SURE, "stochastic_binarised") else u
    gradient = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))(small, keys)
    for leaf in jax.tree.leaves(gradient):
        assert np.isfinite(leaf).all()
        assert (np.abs(np.asarray(leaf)).mean(0) > 0).any()


def test_ceilings_of_levels_stack() -> None:
    ceiling = jax.vmap(lambda c: c.ceiling(jnp.float32(1.0)))(jax.vmap(Gaussian)(jnp.array([1.0, 0.5])))
    np.testing.assert_allclose(ceiling, [0.5, 1.160964], atol=1e-6)
    ceiling = jax.vmap(lambda c: c.ceiling(jnp.float32(1.0)))(BinarySymmetric(jnp.array([0.0, 0.11, 0.5])))
    np.testing.assert_allclose(ceiling, [1.0, 0.500084, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Dropout(1.5), r"Expected rate in \[0, 1\]; got 1.5"),
        (lambda: Dropout(0.5, values=(1.0, 1.0)), "at least two distinct values"),
        (lambda: GaussianDropout(1.0), r"Expected rate in \(0, 1\)"),
        (lambda: GaussianDropout(0.5, values=(0.0, 1.0)), r"Expected values \(-a, a\)"),
        (lambda: Uniform(0.0), "Expected half_width in"),
        (lambda: BinarySymmetric(jnp.array([0.1, -0.1])), "Expected flip in"),
        (lambda: Erasure(2), "Expected rate in"),
        (lambda: StochasticBinarised(0.0), "Expected temperature in"),
        (lambda: StochasticBinarised(1.0, "cubic"), "Expected a rule among sigmoid, linear; got 'cubic'"),
        (lambda: Quantized(1), "Expected levels in"),
        (lambda: Quantized(2.5), "Expected levels to be whole"),
        (lambda: FSQ(jnp.array([8.0, 1.0])), "Expected levels in"),
        (lambda: StochasticDepth(0.5, "cubic"), "Expected a decay among"),
        (lambda: StochasticDepth(0.5).log_prob(U, jnp.ones((3, 3))), r"Expected a code of 2\^L outcomes"),
        (lambda: Echo(1.0, BANK), "Expected scale in"),
        (lambda: Echo(0.5, BANK, 0), "Expected a depth of at least 1"),
        (lambda: Echo(0.5, BANK, 15).log_prob(U, U), "Expected at most 16384 sums of echoes"),
        (lambda: Chain(Gaussian(1.0), Gaussian(1.0)), "Expected a first channel with finitely many values.*gaussian"),
        (lambda: Chain(Dropout(0.5), LearntGaussian()), "Expected a memoryless second channel.*learnt_gaussian"),
    ],
)
def test_refusals(build: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_echo_formula_is_refused_where_it_claims_more_than_was_sent() -> None:
    """Codes of +-1 hold 1 bit: the formula's 2 bits at S = 1/4 are refused, its 1 bit at S = 1/2 is right."""
    bank = jnp.array([[-1.0], [1.0]])
    with pytest.raises(ValueError, match="of at most the code's entropy, 1 bits; got 2"):
        Echo(0.25, bank).formula(1.0)
    assert Echo(0.5, bank).formula(1.0) == pytest.approx(1)
    assert Echo(0.25, BANK).formula(np.inf) == pytest.approx(6)


def test_stochastic_depth_survives_linearly() -> None:
    """To one half over 54 blocks, 40.25 blocks are kept on average (Huang et al. 2016)."""
    assert float(StochasticDepth(0.5, "linear").survival(54).sum()) == pytest.approx(40.25, abs=1e-4)
