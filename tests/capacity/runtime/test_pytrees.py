"""Compiled programs tell classes apart, also classes whose fields are alike."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from craft import ROOT

from capacity import Joint, Layer, measure, register_dataclass
from capacity.channels import CHANNELS, Gaussian
from capacity.runtime.pytrees import mistakable
from synthetic import FairBits

SOURCE = FairBits(jnp.eye(3))


@register_dataclass
@dataclass(frozen=True)
class One:
    """A number and a name."""

    number: Any
    name: str = field(default="one", metadata={"static": True})


@register_dataclass
@dataclass(frozen=True)
class Same:
    """The same fields."""

    number: Any
    name: str = field(default="one", metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Theirs(Gaussian):
    """Registered by JAX."""

    name: ClassVar[str] = "theirs"


@flax.struct.dataclass
class Weights:
    """Parameters as Flax keeps them."""

    scale: jax.Array


@flax.struct.dataclass
class Shifts:
    """As many parameters."""

    scale: jax.Array


def confused() -> bool:
    """Whether this JAX takes one class for another."""
    return bool(mistakable(Theirs(jnp.float32(1))))


def test_classes_with_the_same_fields_have_other_structures() -> None:
    assert jax.tree.structure(One(1.0)) != jax.tree.structure(Same(1.0))
    assert jax.tree.structure(One(1.0)) != jax.tree.structure(One(1.0, "two"))
    assert jax.tree.structure(One(1.0)) == jax.tree.structure(One(2.0))


def test_no_two_channels_have_equal_structures() -> None:
    def of(kind: type) -> Any:
        data = {f.name: 0.5 for f in dataclasses.fields(kind) if not f.metadata.get("static")}
        value = object.__new__(kind)
        for f in dataclasses.fields(kind):
            object.__setattr__(value, f.name, data.get(f.name, None))
        return jax.tree.structure(value)

    structures = [of(kind) for kind in CHANNELS.values()]
    assert all(a != b for a, b in itertools.combinations(structures, 2))


def test_nothing_of_the_house_is_registered_by_jax() -> None:
    own = [p for p in (ROOT / "capacity").rglob("*.py") if "tree_util.register_dataclass" in p.read_text()]
    assert [p.name for p in own] == ["pytrees.py"]


def test_leaves_and_paths_are_those_of_the_fields() -> None:
    paths, _ = jax.tree_util.tree_flatten_with_path(One({"a": 1.0, "b": 2.0}))
    assert [jax.tree_util.keystr(path) for path, _ in paths] == [".number['a']", ".number['b']"]
    assert jax.tree.map(lambda leaf: leaf + 1, One(1.0, "x")) == One(2.0, "x")


def test_what_is_no_dataclass_is_refused() -> None:
    with pytest.raises(TypeError, match="Expected a dataclass; got <class .*: put @dataclass"):
        register_dataclass(type("Plain", (), {}))
    with pytest.raises(TypeError, match="Expected a dataclass; got One"):
        register_dataclass(One(1.0))  # type: ignore[type-var]


def test_checks_of_a_constructor_do_not_run_on_tracers() -> None:
    @register_dataclass
    @dataclass(frozen=True)
    class Positive:
        number: Any

        def __post_init__(self) -> None:
            if not self.number > 0:
                raise ValueError

    assert jax.jit(lambda value: value)(Positive(2.0)).number == 2


def test_what_may_be_mistaken_is_found_wherever_it_stands() -> None:
    weights = Weights(jnp.ones(2))
    found = [Weights] if confused() else []
    assert mistakable(weights) == mistakable({"a": (None, One(weights))}) == found
    assert mistakable(jax.tree_util.Partial(max, weights)) == found
    assert mistakable((One(1.0), np.ones(2), None, "x")) == []


def test_a_channel_or_source_that_may_be_mistaken_is_refused() -> None:
    if not confused():
        pytest.skip("this JAX tells classes apart")
    theirs = Theirs(jnp.float32(0.5))
    words = "Expected a channel whose class is told from others; got Theirs: .*capacity.register_dataclass"
    with pytest.raises(TypeError, match=words):
        Joint(SOURCE, lambda x: x, theirs)
    with pytest.raises(TypeError, match=words):
        Layer(lambda x: x, theirs)

    @jax.tree_util.register_dataclass
    @dataclass(frozen=True)
    class Own(FairBits):
        pass

    with pytest.raises(TypeError, match="Expected a source whose class is told"):
        Joint(Own(jnp.eye(3)), lambda x: x, Gaussian(jnp.float32(0.5)))


def scaled(weights: Weights | Shifts, x: jax.Array) -> jax.Array:
    """What it does hangs on the class alone."""
    return x * weights.scale if isinstance(weights, Weights) else x * 0 + weights.scale


def test_encoders_with_such_nodes_are_told_apart() -> None:
    """A constant encoder, of parameters in the other class, tells nothing."""
    joints = [
        Joint(SOURCE, jax.tree_util.Partial(scaled, kind(jnp.float32(1))), Gaussian(0.1)) for kind in (Weights, Shifts)
    ]
    assert jax.tree.structure(joints[0]) != jax.tree.structure(joints[1])
    bits = [float(measure(0, joint, method="enumeration").lower.bits) for joint in joints]
    assert bits == pytest.approx([3.0, 0.0], abs=1e-3)
