"""Products: the exact information of TRUTH.md, at sizes that nobody can enumerate."""

import functools
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp

from synthetic import Codebook, FairBits, GaussianVectors, MarkovBits, Product
from synthetic.quadrature import information_by_quadrature

KEY = jax.random.key(4)


@functools.cache
def large(bits: int) -> Product:
    """A product of as many fair bits, made once: its rotation takes a second."""
    return Product.build(KEY, bits, bits)


@pytest.mark.parametrize(("snr", "bits"), [(1, 0.485944), (2, 0.721452), (4, 0.912822)])
def test_one_bit_through_gaussian_noise(snr: float, bits: float) -> None:
    # TRUTH.md, to the digits shown there.
    source = Product.build(KEY, 3, 5)
    assert source.information(snr**-0.5) == pytest.approx(3 * bits, abs=3e-6)


@pytest.mark.parametrize(("bits", "truth"), [(69, 49.780), (277, 199.842), (1386, 999.93)])
def test_large_products_are_exact(bits: int, truth: float) -> None:
    source = large(bits)
    assert source.bits == bits and not source.listable
    # TRUTH.md shows 999.93 to two decimals and the others to three.
    assert source.information(2**-0.5) == pytest.approx(truth, abs=6e-3 if bits > 1000 else 6e-4)


def test_large_products_can_be_drawn() -> None:
    source = large(1386)
    message, vector = source.sample(KEY, 4)
    # Sums of 1,386 float32 terms.
    np.testing.assert_allclose(jax.jit(jax.vmap(source.embed))(message), vector, atol=1e-4)
    np.testing.assert_allclose(jnp.mean(vector**2), 1.0, atol=1e-4)
    assert jax.jit(source.log_prob)(message[0]) == pytest.approx(-1386 * np.log(2.0), rel=1e-5)
    with pytest.raises(ValueError, match=r"got 2\*\*1386\."):
        source.codebook()


@pytest.mark.parametrize("noise_std", [0.02, 0.15, 0.25, 0.4, 1.0, 5.0])
def test_quadrature_agrees_with_an_adaptive_one(noise_std: float) -> None:
    # An independent computation: h(Z) - h(N) by SciPy's adaptive rule, piece by piece.
    points, masses = np.array([-1.0, 0.1, 0.9]), np.array([0.2, 0.3, 0.5])

    def integrand(z: float) -> float:
        exponents = np.log(masses) - 0.5 * ((z - points) / noise_std) ** 2
        log_density = logsumexp(exponents) - 0.5 * np.log(2 * np.pi * noise_std**2)
        return -np.exp(log_density) * log_density

    edges = np.linspace(-1 - 10 * noise_std, 1 + 10 * noise_std, 60)
    entropy = sum(quad(integrand, *pair)[0] for pair in pairwise(edges))
    bits = (entropy - 0.5 * np.log(2 * np.pi * np.e * noise_std**2)) / np.log(2.0)
    mine = information_by_quadrature(points[:, None], np.log(masses), noise_std)
    assert mine == pytest.approx(bits, abs=1e-7)


def test_two_dimensions_agree_with_two_lines() -> None:
    square = FairBits.build(KEY, 2, 2)
    line = FairBits(jnp.ones((1, 1)))
    both = Product([square], jnp.eye(2)).information(0.7)
    assert both == pytest.approx(2 * Product([line], jnp.eye(1)).information(0.7), abs=1e-6)


def test_distinct_blocks_add_up_in_any_order() -> None:
    chain = MarkovBits.build(KEY, 2, 2)
    uneven = Codebook(jnp.array([[0.0], [1.0], [3.0]]), [0.2, 0.3, 0.5])
    bit = FairBits(jnp.ones((1, 1)))
    apart = sum(Product([b], jnp.eye(b.dim)).information(0.5) for b in (chain, uneven, bit, bit))
    source = Product([bit, chain, uneven, bit], jnp.eye(5))
    assert source.information(0.5) == pytest.approx(apart, abs=1e-9)
    assert source.bits == pytest.approx(chain.bits + uneven.bits + 2)
    assert [block.name for block in source.blocks] == ["bits", "markov", "codebook", "bits"]


def test_information_runs_from_the_entropy_to_nothing() -> None:
    source = Product([Codebook(jnp.array([[0.0], [1.0], [3.0]]))], jnp.eye(1))
    figures = [source.information(std) for std in (0.01, 0.3, 1.0, 10.0, 1e4)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] == pytest.approx(np.log2(3.0), abs=1e-6)
    assert figures[-1] == pytest.approx(0.0, abs=1e-7)


def test_refusals() -> None:
    bit = FairBits(jnp.ones((1, 1)))
    with pytest.raises(ValueError, match="at least one block; got none"):
        Product([], jnp.eye(1))
    with pytest.raises(ValueError, match="got block 1, 'gaussian', of inf bits"):
        Product([bit, GaussianVectors(jnp.ones(1))], jnp.eye(2))
    with pytest.raises(ValueError, match="blocks' 2 dimensions; got 3"):
        Product([bit, bit], jnp.eye(3))
    with pytest.raises(ValueError, match="at most 2 dimensions for exact information; got one of 3"):
        Product([FairBits(jnp.eye(3))], jnp.eye(3)).information(1.0)
    with pytest.raises(ValueError, match="positive, finite noise_std; got 0"):
        Product([bit], jnp.eye(1)).information(0.0)
    many = Codebook(jax.random.normal(KEY, (2000, 2)))
    with pytest.raises(ValueError, match="Expected at most .* codewords in 2 dimensions"):
        Product([many], jnp.eye(2)).information(1.0)
