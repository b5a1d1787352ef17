"""A source of one's own: what the base classes leave to write, and what they give."""

from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from synthetic import Batch, NamedSource, NumberedSource, Source, register

KEY = jax.random.key(2)


@register("count", "dim")
@dataclass(frozen=True, eq=False)
class Ring(NumberedSource):
    """Points of a circle at equal angles."""

    name: ClassVar[str] = "ring"
    summary: ClassVar[str] = "equally likely points of a circle"
    count: int
    dim: int = 2

    def vector(self, number: jax.Array) -> jax.Array:
        angle = 2 * jnp.pi * number.astype(jnp.float32) / self.count
        return jnp.stack([jnp.cos(angle), jnp.sin(angle)])

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        del key, dim
        return cls(2**bits)


@register()
@dataclass(frozen=True, eq=False)
class Coin(NamedSource):
    """One bit that is 1 with probability 1/4, as it is: no list of messages is given."""

    name: ClassVar[str] = "coin"
    summary: ClassVar[str] = "an unfair coin"
    bits: ClassVar[float] = 2.0 - 0.75 * float(np.log2(3.0))
    dim: ClassVar[int] = 1
    message_dim: ClassVar[int] = 1

    def sample(self, key: jax.Array, n: int) -> Batch:
        message = jax.random.bernoulli(key, 0.25, (n, 1)).astype(jnp.int8)
        return Batch(message, message.astype(jnp.float32))

    def embed(self, message: jax.Array) -> jax.Array:
        return message.astype(jnp.float32)

    def log_prob(self, message: jax.Array) -> jax.Array:
        return jnp.log(jnp.where(message[0] > 0, 0.25, 0.75))

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        del key, bits, dim
        return cls()


def test_a_numbered_source_is_its_count_and_its_vectors() -> None:
    ring = Ring(6)
    assert isinstance(ring, Source) and ring.discrete and ring.listable
    assert ring.bits == pytest.approx(np.log2(6)) and ring.message_dim == 3
    vectors, log_probs = ring.codebook()
    np.testing.assert_allclose(vectors[2], [np.cos(2 * np.pi / 3), np.sin(2 * np.pi / 3)], atol=1e-6)
    np.testing.assert_allclose(np.exp(np.asarray(log_probs)), 1 / 6, rtol=1e-6)
    batch = jax.jit(lambda key: ring.sample(key, 500))(KEY)
    np.testing.assert_allclose(batch.vector, jax.vmap(ring.embed)(batch.message), atol=1e-6)
    assert float(ring.log_prob(jnp.array([1, 1, 1], jnp.int8))) == -np.inf
    assert Ring.build(KEY, 3, 2).count == 8


def test_a_source_without_a_list_says_so_and_its_masses_are_its_probabilities() -> None:
    coin = Coin()
    assert isinstance(coin, Source) and not coin.listable
    message = jnp.array([1], jnp.int8)
    assert float(coin.log_mass(message)) == float(coin.log_prob(message)) == pytest.approx(np.log(0.25))
    for listing in (coin.messages, coin.codebook):
        with pytest.raises(ValueError, match="Expected a discrete source to list its messages; got 'coin'"):
            listing()
    assert jax.tree.leaves(coin) == []


def test_what_is_left_out_is_named() -> None:
    class Half(NumberedSource):
        name = "half"
        summary = "no vectors"

    with pytest.raises(TypeError, match=r"abstract methods? .*vector"):
        Half()  # type: ignore[abstract]


def test_register_without_brackets_is_register_without_static_fields() -> None:
    @register
    @dataclass(frozen=True)
    class Pair:
        """Two leaves."""

        first: float
        second: float

    assert isinstance(Pair, type) and jax.tree.leaves(Pair(1.0, 2.0)) == [1.0, 2.0]
    with pytest.raises(TypeError, match="Expected names of fields, or one class; got"):
        register("first", 3)  # type: ignore[call-overload]
