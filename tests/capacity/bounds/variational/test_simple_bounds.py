"""Bounds without chains against sums over all messages in float64, and against closed forms."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint, measure
from capacity.bounds.variational import simple
from capacity.bounds.variational.simple import Found, simple_bounds
from capacity.channels import BinarySymmetric, Channel, Dropout, Gaussian, GaussianDropout, Uniform
from synthetic import Codebook, FairBits, GaussianVectors
from tests.families.truths import log_sum

Codes = Callable[[], np.ndarray]
DIGITS, UNITS, SIGMA = 8, 4, 0.4


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least that a bound takes, not seconds."""
    monkeypatch.setattr(simple, "MIN_GFLOP", 0.2)


def all_messages() -> np.ndarray:
    """(256, 8) of +-1, digit j counting 2^j."""
    return np.where((np.arange(2**DIGITS)[:, None] >> np.arange(DIGITS)) & 1, 1.0, -1.0)


def looked_up(table: jax.Array, x: jax.Array) -> jax.Array:
    return table[((x > 0).astype(jnp.int32) << jnp.arange(DIGITS)).sum()]


def tabled(codes: np.ndarray, channel: Channel) -> Joint:
    """Eight fair bits whose codes are the rows: an encoder without a gradient."""
    encoder = jax.tree_util.Partial(looked_up, jnp.asarray(codes, jnp.float32))
    return Joint(FairBits(jnp.eye(DIGITS)), encoder, channel)


def gaussian_truth(codes: np.ndarray, sigma: float, log_p: np.ndarray | None = None) -> tuple[float, float]:
    """I(M;Z) in bits and its standard error: every message, noisy codes of each, a sum over all messages."""
    rng, count, each = np.random.default_rng(1), len(codes), 64
    log_p = np.full(count, -np.log(count)) if log_p is None else log_p
    values = np.empty((count, each))
    for i, code in enumerate(codes):
        noise = rng.normal(size=(each, codes.shape[1]))
        z = code + sigma * noise
        terms = log_p - 0.5 * sum((z[:, j, None] - codes[:, j]) ** 2 for j in range(codes.shape[1])) / sigma**2
        values[i] = -0.5 * (noise**2).sum(1) - log_sum(terms)
    p = np.exp(log_p)
    return float(p @ values.mean(1) / np.log(2)), float(np.sqrt(p**2 @ values.var(1, ddof=1) / each) / np.log(2))


def hashed() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(32, UNITS))[rng.integers(0, 32, 2**DIGITS)]


def parities_of_six() -> np.ndarray:
    rng = np.random.default_rng(2)
    chosen = np.stack([rng.permutation(DIGITS) < 6 for _ in range(UNITS)])
    return np.prod(np.where(chosen[:, None], all_messages()[None], 1.0), axis=2).T


def erased() -> np.ndarray:
    """Four digits as they are, but nothing where the others are all 1."""
    signs = all_messages()
    return np.where((signs[:, :4] == 1).all(1)[:, None], 0.0, signs[:, 4:])


def far() -> np.ndarray:
    codes = np.random.default_rng(3).normal(size=(2**DIGITS, UNITS))
    codes[:2] *= 1e3
    return codes


def ends(found: list[Found]) -> tuple[float, float]:
    """The highest low end and the lowest high end."""
    lows = [float(one.bound.low) for one in found if one.bound.kind == "lower"]
    return max([0.0, *lows]), min(float(one.bound.high) for one in found if one.bound.kind == "upper")


@pytest.mark.parametrize(
    ("codes", "max_bits"),
    [
        *((codes, simple.MAX_BITS) for codes in (hashed, parities_of_six, erased, far)),
        *((codes, 0) for codes in (parities_of_six, far)),
        *(pytest.param(codes, 0, marks=pytest.mark.slow) for codes in (hashed, erased)),
    ],
)
def test_every_bound_holds_the_truth(codes: Codes, max_bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With blocks of digits, and with tables of sampled codes alone."""
    monkeypatch.setattr(simple, "MAX_BITS", max_bits)
    table = codes().astype(np.float32)
    truth, error = gaussian_truth(table.astype(np.float64), SIGMA)
    found = simple_bounds(jax.random.key(0), tabled(table, Gaussian(jnp.float32(SIGMA))), 1.0)
    assert {one.bound.kind for one in found} == {"lower", "upper"}
    for bound, how in found:
        held = bound.low - 2 * error <= truth if bound.kind == "lower" else truth <= bound.high + 2 * error
        assert held, f"{how}: {bound.kind} {bound.low} to {bound.high}, truth {truth}"
    low, high = ends(found)
    assert high - low < 0.17


@pytest.mark.parametrize("flip", [1e-3, 0.2])
def test_flips_of_bits_are_a_product_of_one_bit_channels(flip: float) -> None:
    joint = Joint(FairBits(jnp.eye(12)), lambda x: x, BinarySymmetric(jnp.float32(flip)))
    truth = 12 * (1 + flip * np.log2(flip) + (1 - flip) * np.log2(1 - flip))
    low, high = ends(simple_bounds(jax.random.key(1), joint, 1.0))
    assert low <= truth + 1e-5 and truth <= high + 1e-5
    assert high - low < 0.02


def test_parities_of_more_digits_than_any_list_has() -> None:
    """Eight independent parities of 64 digits, flipped: each is a fair bit of its own."""
    rng = np.random.default_rng(4)
    chosen = jnp.asarray(rng.random((8, 64)) < 0.2)
    encoder = jax.tree_util.Partial(lambda c, x: jnp.prod(jnp.where(c, x[None], 1.0), axis=1), chosen)
    joint = Joint(FairBits(jnp.eye(64)), encoder, BinarySymmetric(jnp.float32(0.1)))
    truth = 8 * (1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9))
    low, high = ends(simple_bounds(jax.random.key(2), joint, 1.0))
    assert low <= truth <= high and high - low < 0.05


def test_rare_messages_that_no_sample_saw_are_reached_for() -> None:
    """One message of 1,025 at 1 - 1e-5, all told apart: the sample says nothing of the others."""
    probs = np.r_[1 - 1e-5, np.full(1024, 1e-5 / 1024)]
    truth = float(-(probs * np.log2(probs)).sum())
    joint = Joint(
        Codebook(jnp.arange(1025, dtype=jnp.float32)[:, None], probs), lambda x: x, Gaussian(jnp.float32(0.05))
    )
    for key in range(2):
        low, high = ends(simple_bounds(jax.random.key(key), joint, 1.0))
        assert low <= truth <= high


def test_a_gaussian_source_meets_its_closed_form() -> None:
    joint = Joint(GaussianVectors(jnp.ones(2)), lambda x: x, Gaussian(jnp.float32(1.0)))
    low, high = ends(simple_bounds(jax.random.key(3), joint, 1.0))
    assert low <= 1.0 <= high and high - low < 0.2


@pytest.mark.parametrize("channel", [Dropout(0.3), Uniform(0.5)])
def test_channels_that_rule_messages_out_have_brackets_too(channel: Channel) -> None:
    """Where chains are cut off: a unit of +-1 erased, and noise that leaves two values apart, or not."""
    signs = np.sign(np.random.default_rng(5).normal(size=(2**DIGITS, 1)))
    found = measure(jax.random.key(4), tabled(signs, channel), budget_gflop=1.0, method="bracket")
    p = (signs > 0).mean()
    entropy = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    truth = entropy * (0.7 if channel.name == "dropout" else 1.0)
    assert found.low <= truth <= found.high and found.width < 0.05


def test_what_noise_leaves_out_is_no_density() -> None:
    """A unit without noise is an atom, of which a density says nothing: no bound."""
    joint = Joint(FairBits(jnp.eye(24)), jax.nn.relu, GaussianDropout(jnp.float32(0.1)))
    assert simple_bounds(jax.random.key(5), joint, 1.0) == []
