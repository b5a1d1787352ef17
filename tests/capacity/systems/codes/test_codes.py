"""Hand-made codes: power 1, closed forms, and the figures that enumeration gives for them."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint
from capacity.bounds import Enumeration
from capacity.channels import Gaussian
from capacity.systems.codes import (
    HANDMADE,
    PAM,
    PCA,
    Constellation,
    FSQCode,
    Hamming,
    HandmadeCode,
    LloydMax,
    Repetition,
)
from capacity.systems.codes.code import dealt
from capacity.systems.codes.constellation import centred, mutual_information, optimise, starts_of
from capacity.systems.codes.exact import flips_information, points_information
from capacity.systems.codes.fsq import even_levels, fsq_bits
from capacity.systems.codes.hamming import blocks
from capacity.systems.codes.lloyd_max import lloyd_max
from capacity.systems.codes.pam import gray_level
from capacity.theory import gaussian_noise_information, pam_information
from synthetic import Codebook, FairBits, GaussianVectors, MarkovBits, PiDigits

KEY = jax.random.key(5)
SOURCES = {
    "fair bits": lambda: FairBits.build(KEY, 6, 8),
    "markov": lambda: MarkovBits.build(KEY, 6, 8),
    "windows of pi": lambda: PiDigits.build(KEY, 6, 16),
}


def words(count: int) -> np.ndarray:
    return np.array(list(itertools.product((0, 1), repeat=count)))


def sent_by(code: HandmadeCode, source: Any, units: int) -> np.ndarray:
    """The units (M, units) of every message."""
    return np.asarray(jax.jit(jax.vmap(code.build(source, units)))(source.codebook()[0]))


@pytest.mark.parametrize("source", SOURCES)
def test_units_have_mean_0_and_power_1(source: str) -> None:
    @jax.jit  # traced, source and all: so a sweep may build a code inside its program
    def units(sent: Any) -> dict[str, jax.Array]:
        vectors = sent.codebook()[0]
        return {
            name: jax.vmap(code(steps=20).build(sent, 4) if name == "constellation" else code().build(sent, 4))(vectors)
            for name, code in HANDMADE.items()
        }

    sent = SOURCES[source]()
    probs = np.exp(sent.codebook()[1])
    for name, codes in units(sent).items():
        assert isinstance(HANDMADE[name](), HandmadeCode) and HANDMADE[name].name == name and HANDMADE[name].summary
        assert codes.shape == (64, 4)
        np.testing.assert_allclose(probs @ np.square(codes), 1.0, rtol=2e-4, err_msg=name)
        np.testing.assert_allclose(probs @ codes, 0.0, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("code", [PAM(), FSQCode(), Constellation(0.1, steps=100)])
def test_codes_that_send_all_digits_are_one_to_one(code: HandmadeCode) -> None:
    codes = sent_by(code, SOURCES["windows of pi"](), 3)
    distance = np.linalg.norm(codes[:, None] - codes[None], axis=-1) + 9 * np.eye(64)
    assert distance.min() > 0.1


def test_digits_are_read_where_messages_cannot_be_listed() -> None:
    sent = FairBits.build(KEY, 48, 64)
    batch = sent.sample(KEY, 100)
    units = jax.jit(jax.vmap(PAM().build(sent, 48, KEY)))(batch.vector)
    np.testing.assert_array_equal(units, 2.0 * np.asarray(batch.message) - 1.0)
    with pytest.raises(ValueError, match="Expected a key to draw from"):
        PAM().build(sent, 48)


def test_pam_meets_its_quadrature() -> None:
    sent = FairBits.build(KEY, 6, 6)
    found = Enumeration(2048)(KEY, Joint(sent, PAM().build(sent, 4), Gaussian(jnp.float32(0.4))))
    assert found.low - 0.01 < pam_information(6, 4, 0.4) < found.high + 0.01


def test_gray_labels_of_neighbours_differ_in_one_digit() -> None:
    labels = words(5)
    levels = np.asarray(jax.jit(jax.vmap(gray_level))(jnp.asarray(labels, jnp.int32)))
    ordered = labels[np.argsort(levels)]
    assert (np.abs(np.diff(ordered, axis=0)).sum(1) == 1).all()
    np.testing.assert_allclose(np.diff(np.sort(levels)), np.sqrt(12 / (4**5 - 1)), rtol=1e-5)


def test_one_float_holds_24_digits_apart() -> None:
    random = np.random.default_rng(0).integers(0, 2**24, 20_000)
    near = np.concatenate([random, (random + 1) % 2**24, np.arange(2**24 - 1000, 2**24)])
    labels = (near[:, None] >> np.arange(23, -1, -1)) & 1
    gray = np.concatenate([labels[:, :1], labels[:, 1:] ^ labels[:, :-1]], 1)
    levels = np.asarray(jax.jit(jax.vmap(gray_level))(jnp.asarray(gray, jnp.int32)))
    assert len(np.unique(levels)) == len(np.unique(near))
    order = np.argsort(near, kind="stable")
    assert (np.diff(levels[order]) >= 0).all()


@pytest.mark.parametrize(("times", "bits"), [(1, 0.5310), (3, 0.8624), (5, 0.9569)])
def test_repetition_through_flips(times: int, bits: float) -> None:
    assert flips_information(np.repeat(words(1), times, axis=1), 0.1) == pytest.approx(bits, abs=5e-5)


def test_repetition_deals_digits_out() -> None:
    sent = FairBits.build(KEY, 4, 4)
    codes, digits = sent_by(Repetition(3), sent, 8), np.asarray(sent.messages())
    np.testing.assert_array_equal(codes, 1 - 2 * digits[:, [0, 0, 0, 1, 1, 1, 2, 2]])


def test_hamming_corrects_any_one_flip() -> None:
    sent = words(4) @ blocks(4, 7) % 2
    distance = (sent[:, None] != sent[None]).sum(-1) + 9 * np.eye(16, dtype=int)
    assert distance.min() == 3
    # Perfect: syndromes and single flips are one to one, so I is 4 bits less what two flips and more confuse.
    assert flips_information(sent, 0.0) == pytest.approx(4.0)
    assert flips_information(sent, 0.5) == pytest.approx(0.0, abs=1e-12)
    assert 4 * 0.5310 < flips_information(sent, 0.1) < 7 * 0.5310
    np.testing.assert_array_equal(blocks(8, 14)[4:, 7:], blocks(4, 7))
    np.testing.assert_array_equal(blocks(4, 10)[:, 7:], blocks(4, 7)[:, :3])


def test_lloyd_max_of_the_normal() -> None:
    points, edges, distortion = lloyd_max(2)
    np.testing.assert_allclose(points, [-np.sqrt(2 / np.pi), np.sqrt(2 / np.pi)], rtol=1e-9)
    assert edges[0] == pytest.approx(0.0, abs=1e-12) and distortion == pytest.approx(1 - 2 / np.pi)
    # Max (1960), table I, whose last digit is off from 16 levels on.
    for levels, error in ((4, 0.1175), (8, 0.03454), (16, 0.009497), (32, 0.002499)):
        assert lloyd_max(levels)[2] == pytest.approx(error, abs=6e-5 if levels < 16 else 7e-6)
        # Never below the rate-distortion function 2^-2R.
        assert lloyd_max(levels)[2] > levels**-2.0
    with pytest.raises(ValueError, match="2 to 256 levels; got 1"):
        LloydMax(1)


def test_lloyd_max_on_normal_vectors() -> None:
    sent = GaussianVectors(jnp.asarray([4.0, 1.0, 0.25]))
    units = jax.vmap(LloydMax(2).build(sent, 2, KEY))(sent.sample(KEY, 20_000).vector)
    # Scaled to power 1 and mean 0: +-1 but for the sample that stands for the source.
    np.testing.assert_allclose(np.abs(units), 1.0, atol=0.02)


def test_fsq_holds_the_product_of_its_levels() -> None:
    assert fsq_bits([8, 5, 5, 5]) == pytest.approx(9.966, abs=5e-4)
    thousand = Codebook(Codebook.build(KEY, 10, 6).vectors[:1000])
    codes = sent_by(FSQCode((8, 5, 5, 5)), thousand, 4)
    assert len(np.unique(codes, axis=0)) == 1000
    assert [len(np.unique(column)) for column in codes.T] == [8, 5, 5, 5]
    assert even_levels(1000, 4) == (6, 6, 6, 5) and even_levels(256, 4) == (4, 4, 4, 4)
    assert even_levels(4, 3) == (2, 2, 2)
    with pytest.raises(ValueError, match="levels of 3 units"):
        FSQCode((4, 4)).build(thousand, 3)


def test_quadrature_in_the_plane_is_that_of_two_lines() -> None:
    points = np.stack(np.meshgrid([-1, 1], [-3, -1, 1, 3]), -1).reshape(-1, 2)
    apart = gaussian_noise_information([-1, 1], [0.5] * 2, 0.8)
    apart += gaussian_noise_information([-3, -1, 1, 3], [0.25] * 4, 0.8)
    assert points_information(points, 0.8) == pytest.approx(apart, abs=1e-8)
    ours = mutual_information(jnp.asarray(points, jnp.float32), jnp.float32(0.8)) / np.log(2)
    assert ours == pytest.approx(apart, abs=1e-3)


def test_ascent_finds_what_is_known_to_be_best() -> None:
    find = jax.jit(lambda start, noise: optimise(start, noise, steps=200))
    two, bits = find(jnp.asarray(starts_of(2, 1, 4), jnp.float32), jnp.float32(1.0))
    np.testing.assert_allclose(np.sort(two[:, 0]), [-1, 1], atol=1e-4)
    assert bits == pytest.approx(0.485944, abs=1e-5)
    # Four points in the plane: a square, whose bits are those of two antipodal pairs.
    four, bits = find(jnp.asarray(starts_of(4, 2, 4), jnp.float32), jnp.float32(0.7))
    assert points_information(four, 0.7) == pytest.approx(2 * gaussian_noise_information([-1, 1], [0.5] * 2, 0.7))


@pytest.mark.slow
def test_eight_optimised_points_beat_equal_spacing_and_keep_below_capacity() -> None:
    noise = 0.35
    points, bits = jax.jit(lambda s: optimise(s, jnp.float32(noise)))(jnp.asarray(starts_of(8, 1, 4), jnp.float32))
    exact = points_information(points, noise)
    assert bits == pytest.approx(exact, abs=1e-3)
    assert pam_information(3, 1, noise) + 0.002 < exact < 0.5 * np.log2(1 + noise**-2)
    np.testing.assert_allclose(jnp.square(centred(points)).mean(0), 1.0, rtol=1e-5)


def test_digits_are_dealt_as_the_closed_form_of_pam_presumes() -> None:
    assert dealt(5, 3) == [[0, 1], [2, 3], [4]] and dealt(2, 3) == [[0], [1], [0]]


def test_refusals() -> None:
    normal, fair = GaussianVectors(jnp.ones(3)), FairBits.build(KEY, 2, 3)
    with pytest.raises(ValueError, match="discrete source, whose messages are digits; got gaussian"):
        PAM().build(normal, 2, KEY)
    with pytest.raises(ValueError, match="at most 2 units, as many as the vectors have components; got 3"):
        PCA().build(fair, 3)
    with pytest.raises(ValueError, match="at most dim = 3 units"):
        PCA().build(fair, 4)
    with pytest.raises(ValueError, match="at most 6 digits on a pair of units; got 7"):
        Constellation().build(FairBits.build(KEY, 7, 7), 2)
    with pytest.raises(ValueError, match="at most 24 digits a unit"):
        PAM().build(FairBits.build(KEY, 25, 25), 1)
    for code in HANDMADE.values():
        with pytest.raises(ValueError, match="at least one unit; got 0"):
            code().build(fair, 0)
    with pytest.raises(ValueError, match=r"words \(M, n\) of digits"):
        flips_information([[2]], 0.1)
    with pytest.raises(ValueError, match=r"points \(M, 1\) or \(M, 2\)"):
        points_information(np.zeros((2, 3)), 1.0)
    with pytest.raises(ValueError, match="times of at least 1"):
        Repetition(0)
    with pytest.raises(ValueError, match="noise_std > 0; got 0"):
        Constellation(0.0)


def test_hamming_block_of_too_few_digits_is_still_one_to_one() -> None:
    sent = FairBits.build(KEY, 3, 3)
    assert len(np.unique(sent_by(Hamming(), sent, 7), axis=0)) == 8
