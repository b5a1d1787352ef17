"""Laws that hold for every source: whatever is imported in `synthetic` is tested here."""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chisquare

import synthetic
from synthetic import SOURCES, Batch, Source
from synthetic.pi import pi_digits

KEY = jax.random.key(7)


def _built(name: str) -> Source:
    return SOURCES[name].build(KEY, 4, 64)


def _uneven_codebook() -> Source:
    vectors = np.random.default_rng(1).normal(size=(6, 3))
    return synthetic.Codebook(jnp.asarray(vectors), [0.05, 0.15, 0.0, 0.2, 0.25, 0.35])


def _mixed_product() -> Source:
    bits = synthetic.FairBits(jnp.eye(2))
    chain = synthetic.MarkovBits.build(KEY, 2, 2)
    blocks = [bits, bits, _uneven_codebook(), chain]
    return synthetic.Product(blocks, synthetic.FairBits.build(KEY, 9, 11).rotation)


# Constructors beyond `build`: uneven masses, counts that are no power of two, sources in sources.
EXTRA = {
    "uneven codebook": _uneven_codebook,
    "mixed product": _mixed_product,
    "bent chain": lambda: synthetic.Embedded.wrap(KEY, synthetic.MarkovBits.build(KEY, 3, 5), 6),
    "hundred windows": lambda: synthetic.PiDigits(jnp.asarray(pi_digits(111)), 12),
    "twelve sprites": lambda: synthetic.Sprites(
        side=12, shapes=("heart", "square"), scales=(2.0,), angles=(0.0, 0.5, 1.0),
        xs=(0.0,), ys=(-1.0, 1.0),
    ),
}  # fmt: skip


@functools.cache
def source_of(case: str) -> Source:
    """The source of one case, made once."""
    return EXTRA[case]() if case in EXTRA else _built(case)


CASES = [*SOURCES, *EXTRA]
DISCRETE = [case for case in CASES if case not in SOURCES or SOURCES[case].discrete]
CONTINUOUS = [name for name in SOURCES if not SOURCES[name].discrete]


@functools.cache
def sampler_of(case: str) -> Callable[[jax.Array], Batch]:
    """8,000 draws for a key, compiled once for all laws."""
    source = source_of(case)
    return jax.jit(lambda key: source.sample(key, 8000))


@functools.cache
def drawn_from(case: str, seed: int) -> Batch:
    """8,000 draws, made once, as NumPy arrays."""
    return jax.tree.map(np.asarray, sampler_of(case)(jax.random.key(seed)))


@functools.cache
def embedded_of(case: str) -> Callable[[np.ndarray], tuple[jax.Array, jax.Array]]:
    """`embed` and `log_prob` mapped over messages, compiled once for each number of them."""
    source = source_of(case)
    return jax.jit(jax.vmap(lambda message: (source.embed(message), source.log_prob(message))))


@functools.cache
def listed_by(case: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Messages, vectors and log masses, as NumPy arrays."""
    source = source_of(case)
    messages, (vectors, log_probs) = jax.jit(lambda: (source.messages(), source.codebook()))()
    return np.asarray(messages), np.asarray(vectors), np.asarray(log_probs)


@pytest.mark.parametrize("case", CASES)
def test_keeps_the_contract(case: str) -> None:
    source = source_of(case)
    assert isinstance(source, Source)
    assert source.name in SOURCES and source.summary and "\n" not in source.summary
    message, vector = drawn_from(case, 7)
    assert message.shape == (8000, source.message_dim)
    assert message.dtype == (jnp.int8 if source.discrete else jnp.float32)
    assert vector.shape == (8000, source.dim) and vector.dtype == jnp.float32
    assert isinstance(source.bits, float)
    assert repr(source).startswith(type(source).__name__)


@pytest.mark.parametrize("case", CASES)
def test_vector_of_a_sample_embeds_its_message(case: str) -> None:
    message, vector = drawn_from(case, 7)
    embedded, log_probs = embedded_of(case)(message)
    # The same sums in another order: float32 rounding only.
    np.testing.assert_allclose(embedded, vector, atol=2e-5)
    assert log_probs.shape == (8000,) and np.isfinite(log_probs).all()
    # Mean squares are of order one, as documented with each source.
    assert 0.01 < (vector**2).mean() < 4.0


@pytest.mark.parametrize("case", CASES)
def test_keys_decide_samples(case: str) -> None:
    first, other = drawn_from(case, 7), drawn_from(case, 8)
    again = sampler_of(case)(jax.random.key(7))
    np.testing.assert_array_equal(first.message, again.message)
    np.testing.assert_array_equal(first.vector, again.vector)
    assert (first.message != other.message).any(axis=1).mean() > 0.1


@pytest.mark.parametrize("case", CASES)
def test_is_a_pytree_that_traces_maps_and_stacks(case: str) -> None:
    source = source_of(case)
    leaves, tree = jax.tree.flatten(source)
    again = jax.tree.unflatten(tree, leaves)
    assert type(again) is type(source) and again.bits == source.bits

    keys = jnp.stack([jax.random.key(8), jax.random.key(7)])
    stacked = jax.tree.map(lambda *pair: np.stack(pair), source, again)
    assert stacked.dim == source.dim and stacked.bits == source.bits
    # A source without array leaves has nothing to map over: its axis is None.
    axis = 0 if leaves else None
    batch = jax.jit(jax.vmap(lambda s, k: s.sample(k, 8000), in_axes=(axis, 0)))(stacked, keys)
    alone = drawn_from(case, 7)
    np.testing.assert_allclose(batch.message[1], alone.message, atol=2e-5)
    np.testing.assert_allclose(batch.vector[1], alone.vector, atol=2e-5)


@pytest.mark.parametrize("case", DISCRETE)
def test_codebook_is_the_whole_distribution(case: str) -> None:
    source = source_of(case)
    messages, vectors, log_probs = listed_by(case)
    assert source.listable and messages.dtype == jnp.int8
    assert set(np.unique(messages)) <= {0, 1}
    assert len(np.unique(messages, axis=0)) == len(messages) == len(vectors) == len(log_probs)
    assert vectors.dtype == log_probs.dtype == jnp.float32
    # Log masses are float32: relative error 1e-7 each.
    masses = log_probs.astype(np.float64)
    assert logsumexp(masses) == pytest.approx(0.0, abs=2e-6)
    entropy = -(np.exp(masses) * masses).sum() / math.log(2.0)
    assert source.bits == pytest.approx(entropy, abs=2e-6)
    embedded, log_prob = embedded_of(case)(messages)
    np.testing.assert_allclose(embedded, vectors, atol=2e-5)
    np.testing.assert_allclose(log_prob, log_probs, atol=2e-6)


@pytest.mark.parametrize("case", DISCRETE)
def test_vectors_are_distinct(case: str) -> None:
    vectors = listed_by(case)[1].astype(np.float64)
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    # Far beyond float32 rounding, so that no two messages look the same.
    assert distances[~np.eye(len(vectors), dtype=bool)].min() > 1e-2


@pytest.mark.parametrize("case", DISCRETE)
def test_samples_follow_the_masses(case: str) -> None:
    messages, _, log_probs = listed_by(case)
    drawn = drawn_from(case, 7).message
    powers = 2 ** np.arange(messages.shape[1])
    order = {int(row @ powers): i for i, row in enumerate(messages)}
    counts = np.bincount([order[int(row @ powers)] for row in drawn], minlength=len(messages))
    masses = np.exp(log_probs.astype(np.float64))
    # A right sampler fails one key in ten thousand; the key is fixed.
    assert chisquare(counts, len(drawn) * masses / masses.sum()).pvalue > 1e-4


@pytest.mark.parametrize("case", CONTINUOUS)
def test_continuous_sources_refuse_lists_and_have_a_rate(case: str) -> None:
    source = source_of(case)
    assert source.bits == math.inf and not source.listable
    with pytest.raises(ValueError, match="Expected a discrete source to list its messages"):
        source.messages()
    with pytest.raises(ValueError, match="Expected a discrete source to list its messages"):
        source.codebook()
    assert source.rate(1.0) > source.rate(2.0) > 0


@pytest.mark.parametrize("name", SOURCES)
def test_build_refuses_what_is_no_size(name: str) -> None:
    with pytest.raises(ValueError, match="Expected bits to be a whole number of at least 1; got 0"):
        SOURCES[name].build(KEY, 0, 64)
    with pytest.raises(ValueError, match="Expected dim to be a whole number of at least 1; got -1"):
        SOURCES[name].build(KEY, 4, -1)


@pytest.mark.parametrize("name", ["bits", "markov", "code", "nonlinear", "product"])
def test_linear_embeddings_need_room_and_lists_have_an_end(name: str) -> None:
    with pytest.raises(ValueError, match="Expected dim of at least bits = 16 for an injective"):
        SOURCES[name].build(KEY, 16, 8)
    source = SOURCES[name].build(KEY, 24, 32)
    assert not source.listable
    for listing in (source.messages, source.codebook):
        with pytest.raises(ValueError, match=r"at most 2\*\*20 = 1048576 .* got 2\*\*24\."):
            listing()


def test_table_names_every_source_once() -> None:
    assert set(SOURCES) == {
        "bits", "sequence", "markov", "code", "codebook", "digits", "gaussian", "nonlinear", "sprites", "product",
    }  # fmt: skip
    assert {cls.__name__ for cls in SOURCES.values()} <= set(synthetic.__all__)
    assert all(hasattr(synthetic, name) for name in synthetic.__all__)
