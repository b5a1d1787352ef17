"""What a class of one's own is refused for when it is enrolled or used: each kind of fault, with its remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from capacity.channels import CHANNELS, AdditiveNoise, AtomicChannel, Channel, Gaussian
from capacity.channels.channel import check_ceiling
from capacity.channels.constraint import POWER
from capacity.cli.sources import SOURCES
from capacity.estimators import ESTIMATORS, estimate
from capacity.estimators.estimator import Estimator, RatioEstimator
from capacity.runtime.contracts import check_class, missing_members, reordered
from capacity.runtime.registry import Registry
from capacity.systems import SYSTEMS, ChannelSystem
from synthetic import NamedSource

X = np.linspace(0.0, 1.0, 50)


def subclass(base: type, **members: Any) -> type:
    """A class of one's own with a name, a line, and these members."""
    return type("Mine", (base,), {"name": "homemade", "summary": "mine", "__module__": __name__} | members)


def given(*args: Any) -> Any:
    """Stands for a method that a class defines."""
    return args


@pytest.mark.parametrize(
    ("registry", "base", "members", "missing"),
    [
        (CHANNELS, AdditiveNoise, {}, "log_noise"),
        (CHANNELS, AtomicChannel, {"__call__": given}, "atoms"),
        (ESTIMATORS, RatioEstimator, {"information": given}, "fit"),
        (SOURCES, NamedSource, {"build": given, "bits": 1.0, "dim": 1, "message_dim": 1}, "embed, log_prob, sample"),
        (SOURCES, NamedSource, {"build": given, "sample": given, "embed": given, "log_prob": given}, "bits, dim, mess"),
    ],
)
def test_what_a_base_class_in_between_asks_for_is_asked_for(
    registry: Registry, base: type, members: dict[str, Any], missing: str
) -> None:
    with pytest.raises(TypeError, match=f"Expected a class with {missing}"):
        registry.register(subclass(base, **members))
    assert "homemade" not in registry


NOISE = {"__call__": given, "log_prob": given, "moments": given}


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"ceiling": given}, "Expected presumes beside ceiling"),
        ({"presumes": POWER}, "Expected ceiling beside presumes"),
        ({"constraint": "any code"}, "Expected presumes, the name of constraint since release 0.2; got .*Mine"),
        ({"statement": "none"}, "Expected no_ceiling_because, the name of statement since"),
    ],
)
def test_a_channel_says_what_its_ceiling_presumes_by_the_new_names(members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        CHANNELS.register(subclass(Channel, **NOISE, **members))


def test_a_channel_may_have_both_or_neither_or_do_without_an_inherited_ceiling() -> None:
    noise = {"log_noise": given}
    for base, members in (
        (Channel, NOISE),
        (Channel, NOISE | {"ceiling": given, "presumes": POWER}),
        (AdditiveNoise, noise),
        (AdditiveNoise, noise | {"ceiling": given}),
        (AdditiveNoise, noise | {"presumes": None}),
    ):
        CHANNELS.check(subclass(base, **members))


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_has_ceiling_and_presumes_or_neither(name: str) -> None:
    check_ceiling(CHANNELS[name])


def test_what_has_been_renamed_is_not_asked_of_a_class_that_inherits_nothing() -> None:
    missing = missing_members(int, Channel, CHANNELS.renamed)
    assert "presumes" in missing and "constraint" not in missing and "statement" not in missing


class OldCeiling(ChannelSystem):
    """As in release 0.1."""

    def channel(self, level: Any) -> Channel:
        return Gaussian(level)

    def ceiling(self, level: float, source: Any) -> float | None:  # type: ignore[override]
        return None


class OldLoss(ChannelSystem):
    """As in release 0.1."""

    def channel(self, level: Any) -> Channel:
        return Gaussian(level)

    def loss(  # type: ignore[override]
        self, params: Any, key: Any, level: Any, source: Any, n: int, progress: Any
    ) -> Any:
        return 0.0


@pytest.mark.parametrize(("kind", "order"), [(OldCeiling, "source, level"), (OldLoss, "params, key, source, level")])
def test_arguments_in_the_order_of_before_are_refused(kind: type, order: str) -> None:
    words = {"name": "homemade", "summary": "", "level_name": "", "level_symbol": "", "default_levels": (1.0,)}
    with pytest.raises(TypeError, match=f"Expected the arguments of .* in the order {order}.*; got .*level, source"):
        SYSTEMS.register(type("Mine", (kind,), words))


def test_an_argument_that_is_left_out_or_added_is_no_other_order() -> None:
    class Asked:
        def method(self, first: int, second: int, *, third: int = 0) -> None: ...

    class Added(Asked):
        def method(self, first: int, more: int, second: int = 0, *, third: int = 0) -> None: ...  # type: ignore[override]

    class Swapped(Asked):
        def method(self, second: int, first: int, *, third: int = 0) -> None: ...  # type: ignore[override]

    assert reordered(Added, Asked) == {}
    assert reordered(Swapped, Asked) == {"method": (["first", "second"], ["second", "first"])}
    check_class(Added, Asked)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"takes": "real"}, "Expected takes among continuous, discrete, mixed, any; got 'real' in Mine"),
        ({"unchanged_by": frozenset({"shift", "spin"})}, "Expected unchanged_by within shift, .*spin"),
        ({"unchanged_by": "shift"}, "Expected unchanged_by within shift, .*got 'shift'"),
    ],
)
def test_an_estimator_declares_what_is_known(members: dict[str, Any], sentence: str) -> None:
    kind = subclass(Estimator, information=given, **members)
    with pytest.raises(TypeError, match=sentence):
        ESTIMATORS.register(kind)
    with pytest.raises(TypeError, match=sentence):
        estimate(0, X, X**2, method=kind())


def test_a_class_in_place_of_an_estimator_is_refused() -> None:
    with pytest.raises(TypeError, match="Expected an instance of Estimator; got the class KSG"):
        estimate(0, X, X, method=ESTIMATORS["ksg"])
    with pytest.raises(TypeError, match="Expected a class with name, .*Estimator says"):
        estimate(0, X, X, method=3)  # type: ignore[arg-type]
