"""What cannot be measured is refused before any work: no source, no pytree, a class in place of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint, Layer, Stack, capacity_curve, plan_curve
from capacity.channels import Gaussian
from capacity.joint.checks import SOURCE_MEMBERS, check_channel, is_placeholder
from capacity.runtime.contracts import members
from capacity.systems import ChannelSystem, GaussianAutoencoder
from synthetic import Batch, FairBits, Source, register

SOURCE = FairBits(jnp.eye(3))


@register
@dataclass(frozen=True)
class Signs:
    """A source of its own, as in release 0.1: it inherits nothing and has no `log_mass`."""

    name: ClassVar[str] = "signs"
    discrete: ClassVar[bool] = True
    bits: ClassVar[float] = 30.0
    dim: ClassVar[int] = 30
    message_dim: ClassVar[int] = 30
    listable: ClassVar[bool] = False

    def sample(self, key: jax.Array, n: int) -> Batch:
        message = jax.random.bernoulli(key, 0.5, (n, 30)).astype(jnp.int8)
        return Batch(message, jax.vmap(self.embed)(message))

    def embed(self, message: jax.Array) -> jax.Array:
        return 2.0 * message.astype(jnp.float32) - 1.0

    def log_prob(self, message: jax.Array) -> jax.Array:
        return jnp.full((), -30 * np.log(2), jnp.float32)

    def messages(self) -> jax.Array:
        raise ValueError

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        raise ValueError


class Bare(Gaussian):
    """A channel without its decorator."""


def test_what_a_source_must_have_is_what_its_contract_says() -> None:
    assert list(SOURCE_MEMBERS) == members(Source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (object(), "Expected a source with name, discrete, bits, .*got object: inherit synthetic.NamedSource"),
        (np.eye(3), "Expected a source with name, .*got ndarray"),
        (Signs(), "Expected a source with log_mass; got Signs: inherit .*; log_mass is log_prob unless noise"),
        (FairBits, "Expected an instance of a source; got the class FairBits"),
    ],
    ids=["object", "array", "without log_mass", "class"],
)
def test_what_is_no_source_is_refused(source: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Joint(source, lambda x: x, Gaussian(0.5))
    with pytest.raises(TypeError, match=words):
        Stack(source, (Layer(lambda x: x, Gaussian(0.5)),))
    with pytest.raises(TypeError, match=words):
        plan_curve(0, source, GaussianAutoencoder(), [0.5])


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (Bare(0.5), "Expected a channel that is a pytree; got Bare: decorate its class with capacity.register_"),
        (0.5, "Expected a channel that is a pytree; got float"),
        (Gaussian, "Expected an instance of a channel; got the class Gaussian"),
    ],
)
def test_a_channel_that_is_no_pytree_is_refused(channel: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        check_channel(channel)


def test_joints_and_layers_refuse_such_a_channel() -> None:
    for build in (lambda: Joint(SOURCE, lambda x: x, Bare(0.5)), lambda: Layer(lambda x: x, Bare(0.5))):
        with pytest.raises(TypeError, match="Expected a channel that is a pytree; got Bare"):
            build()


def test_axes_in_place_of_a_joints_parts_are_no_faults() -> None:
    """`jax.vmap` may be given a joint of axes."""
    assert is_placeholder(None) and is_placeholder(0) and not is_placeholder(0.5) and not is_placeholder(SOURCE)
    joint = Joint(SOURCE, lambda x: x, Gaussian(jnp.float32(0.5)))
    axes = jax.tree.map(lambda leaf: None, joint)
    mapped = jax.vmap(lambda joint, key: joint.sample(key, 2)[2], (axes, 0))(
        joint, jax.random.split(jax.random.key(0), 3)
    )
    assert mapped.shape == (3, 2, 3)


class Half:
    """It lacks most of a system."""

    name = "half"


class Symbolless(ChannelSystem):
    """It has all methods, and no words for a figure's axes."""

    def channel(self, level: Any) -> Gaussian:
        return Gaussian(level)


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (GaussianAutoencoder, "Expected an instance of System; got the class GaussianAutoencoder"),
        (Half(), "Expected a class with .*summary, .*, as .*System says .*got .*Half"),
        (
            Symbolless(),
            "Expected a class with name, summary, level_name, level_symbol, .*, as .*System says;",
        ),
    ],
    ids=["class", "half", "without its words"],
)
def test_what_is_no_system_is_refused_before_any_work(system: Any, words: str) -> None:
    for call in (plan_curve, capacity_curve):
        with pytest.raises(TypeError, match=words):
            call(0, SOURCE, system, [0.5])
