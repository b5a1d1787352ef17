"""Fair bits, Markov chains, linear codes and codebooks against their closed forms."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from synthetic import Codebook, FairBits, LinearCode, MarkovBits
from synthetic.algebra import binary_rank, fair_digits, from_digits
from synthetic.pytrees import register
from synthetic.sizes import check_listing

KEY = jax.random.key(3)


def test_fair_bits_keep_distances_and_read_back() -> None:
    source = FairBits.build(KEY, 6, 9)
    vectors = source.codebook()[0]
    np.testing.assert_allclose(jnp.sum(vectors**2, axis=1), 6.0, rtol=1e-5)
    read = (vectors @ source.rotation.T > 0).astype(jnp.int8)
    np.testing.assert_array_equal(read, source.messages())


@pytest.mark.parametrize("width", [1, 16, 32, 70])
def test_fair_digits_are_fair_and_independent(width: int) -> None:
    """Digits of one word and of neighbouring words go together as little as chance has it."""
    n = 20000
    signs = 2.0 * np.asarray(fair_digits(KEY, n, width)) - 1
    assert signs.shape == (n, width) and set(np.unique(signs)) == {-1.0, 1.0}
    together = signs.T @ signs / n - np.eye(width)
    assert np.abs(signs.mean(0)).max() < 5 / n**0.5 and np.abs(together).max() < 5 / n**0.5
    assert abs((signs[1:] * signs[:-1]).mean()) < 5 / (n * width) ** 0.5


def test_messages_count_upwards_most_significant_first() -> None:
    messages = FairBits.build(KEY, 5, 5).messages()
    np.testing.assert_array_equal(jax.jit(jax.vmap(from_digits))(messages), np.arange(32))


def test_a_million_messages_list_at_once() -> None:
    vectors, log_probs = jax.jit(FairBits.build(KEY, 20, 32).codebook)()
    assert vectors.shape == (2**20, 32) and log_probs.shape == (2**20,)


def test_markov_entropy_grows_by_its_rate() -> None:
    # h(1/4) + (k - 1) (3/4 h(0.1) + 1/4 h(0.3)), against the entropy of the enumerated chain.
    short, long = (MarkovBits.build(KEY, k, 12) for k in (9, 10))
    entropies = []
    for source in (short, long):
        masses = np.asarray(jax.jit(source.codebook)()[1], np.float64)
        entropies.append(-(np.exp(masses) * masses).sum() / math.log(2.0))
        assert source.bits == pytest.approx(entropies[-1], abs=1e-5)
    assert entropies[1] - entropies[0] == pytest.approx(long.entropy_rate, abs=1e-5)
    assert long.entropy_rate == pytest.approx(0.75 * 0.4689956 + 0.25 * 0.8812909, abs=1e-6)


def test_markov_samples_are_stationary() -> None:
    message = np.asarray(MarkovBits.build(KEY, 12, 12).sample(KEY, 20_000).message)
    # Standard error sqrt(3/16/20000) = 0.003; five of them.
    np.testing.assert_allclose(message.mean(axis=0), 0.25, atol=0.016)
    assert message[:, 1:][message[:, :-1] == 0].mean() == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("p01", [0.0, 1.0, -0.1])
def test_markov_refuses_impossible_messages(p01: float) -> None:
    with pytest.raises(ValueError, match="Expected p01 strictly between 0 and 1"):
        MarkovBits(jnp.eye(3), p01, 0.5)


def test_linear_code_adds_modulo_two() -> None:
    # The (7, 4) Hamming code: sixteen codewords, any two at least three places apart.
    checks = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]])
    source = LinearCode(jnp.asarray(np.hstack([np.eye(4, dtype=int), checks])), jnp.eye(7))
    words = np.asarray(jax.jit(jax.vmap(source.encode))(source.messages()), int)
    np.testing.assert_array_equal(words, np.asarray(source.messages()) @ source.generator % 2)
    places = (words[:, None] != words[None]).sum(-1)
    assert places[places > 0].min() == 3


def test_rank_is_that_over_the_binary_field() -> None:
    # Rank 3 over the reals, 2 over GF(2): the rows add up to zero modulo two.
    matrix = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    assert np.linalg.matrix_rank(matrix) == 3 and binary_rank(matrix) == 2
    with pytest.raises(ValueError, match=r"Expected generator of rank 3 over GF\(2\).* got rank 2"):
        LinearCode(jnp.asarray(matrix), jnp.eye(3))


def test_linear_code_refusals() -> None:
    with pytest.raises(ValueError, match="digits 0 and 1"):
        LinearCode(jnp.array([[1, 2]]), jnp.eye(2))
    with pytest.raises(ValueError, match="one row for each of the 2 code bits; got 3"):
        LinearCode(jnp.array([[1, 1]]), jnp.eye(3))
    with pytest.raises(ValueError, match=r"at least bits \+ 1 = 9"):
        LinearCode.build(KEY, 8, 8)
    assert LinearCode.build(KEY, 8, 9).generator.shape == (8, 9)


def test_rotations_must_be_orthonormal() -> None:
    with pytest.raises(ValueError, match="Expected rotation with orthonormal rows; got"):
        FairBits(jnp.array([[1.0, 0.0], [1.0, 1.0]]))
    with pytest.raises(ValueError, match="at most as many rows as columns"):
        FairBits(jnp.ones((3, 2)))
    with pytest.raises(ValueError, match=r"shape \(rows, dim\)"):
        FairBits(jnp.ones(3))


def test_codebook_entropy_is_of_its_masses() -> None:
    rows = np.arange(8.0).reshape(4, 2)
    assert Codebook(jnp.asarray(rows)).bits == 2.0
    assert Codebook(jnp.asarray(rows), [0.5, 0.25, 0.125, 0.125]).bits == pytest.approx(1.75)
    assert Codebook(jnp.asarray(rows), [0.5, 0.5, 0, 0]).messages().shape == (2, 1)
    single = Codebook(jnp.asarray(rows[:1]))
    assert single.bits == 0.0 and single.sample(KEY, 3).message.shape == (3, 1)


def test_codebook_from_data_merges_repeats() -> None:
    source = Codebook.from_data([[5.0], [0.0], [5.0], [-0.0]])
    np.testing.assert_array_equal(source.vectors, [[5.0], [0.0]])
    assert source.bits == 1.0


def test_codebook_gives_no_mass_to_numbers_past_its_last_row() -> None:
    source = Codebook(jnp.arange(3.0)[:, None])
    assert source.log_prob(jnp.array([1, 1], jnp.int8)) == -jnp.inf


@pytest.mark.parametrize(
    ("vectors", "probs", "words"),
    [
        ([[0.0], [1.0], [0.0]], None, r"got 1 that repeat .* Codebook\.from_data\(rows\)"),
        ([0.0, 1.0], None, r"shape \(N, dim\)"),
        ([[np.nan]], None, "finite vectors"),
        (np.zeros((0, 2)), None, "N >= 1"),
        ([[0.0], [1.0]], [0.5, 0.6], "sum 1 within 1e-6; got 1.1"),
        ([[0.0], [1.0]], [1.5, -0.5], "not negative"),
        ([[0.0], [1.0]], [1.0], r"probs of shape \(2,\); got shape \(1,\)"),
    ],
)
def test_codebook_refusals(vectors: list, probs: list | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Codebook(jnp.asarray(vectors), probs)


def test_counts_too_long_to_print_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"got > 2\*\*1584\."):
        check_listing(3**1000)
    with pytest.raises(ValueError, match="got 1048577"):
        check_listing(2**20 + 1)
    with pytest.raises(ValueError, match="Expected static fields among"):
        register("nothing")(FairBits)
