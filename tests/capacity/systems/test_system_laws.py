"""Laws of every system, at tiny sizes: bits inside their limits, the encoder learns, the same key the same figures.

And the closed forms: dropout of real units H (1 - p^units), stochastic depth prod(survival) H or H, one bit a sign,
log2 b a unit of b values.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.curves.execute import run_plan
from capacity.curves.plan import plan_curve
from capacity.systems import (
    SYSTEMS,
    Architecture,
    BinaryAutoencoder,
    DropoutAutoencoder,
    GaussianDropoutAutoencoder,
    QuantizedAutoencoder,
    StochasticDepthAutoencoder,
)
from capacity.training import Training, measurement_key, sender
from synthetic import FairBits

BITS = 3
SOURCE = FairBits.build(jax.random.key(7), BITS, 4)
SIZE = Architecture(2, (8,), (8,))
TRAINING = Training(steps=150, batch=64, receiver_steps=0)
# One of each kind in the quick run; a program takes seconds to compile, and all of them have the same laws.
QUICK = ("binary", "dropout", "target_vae")
VARIANTS = {
    "dropout, floor": DropoutAutoencoder(SIZE, floor=0.2),
    "dropout, signs": DropoutAutoencoder(SIZE, "signs"),
    "dropout, digits": DropoutAutoencoder(SIZE, "digits"),
    "gaussian_dropout, real": GaussianDropoutAutoencoder(SIZE, "real"),
    "binary, coins": BinaryAutoencoder(SIZE, stochastic=True),
    "stochastic_depth, no skips": StochasticDepthAutoencoder(SIZE, skip=False),
    "stochastic_depth, linear, floor": StochasticDepthAutoencoder(SIZE, decay="linear", floor=0.1),
    "quantized, fsq": QuantizedAutoencoder(SIZE, "fsq"),
}
CASES = {name: kind(SIZE) for name, kind in SYSTEMS.items()} | VARIANTS
ALL = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in CASES]


class Found(NamedTuple):
    """Of three lanes."""

    bits: np.ndarray
    stderr: np.ndarray
    power: np.ndarray
    moved: np.ndarray  # how far the encoder went in training


def levels_of(name: str) -> tuple[float, ...]:
    levels = CASES[name].default_levels
    if name == "target_vae":
        return 1.0, 2.0, 2.5
    return levels[1], levels[len(levels) // 2], levels[-3]  # the outermost ask for more samples: rare events


@cache
def program(name: str) -> Any:
    """Trains and measures a lane for each level: one compiled program, once a session."""
    system = CASES[name]

    def lane(args: tuple[jax.Array, jax.Array]) -> tuple[Any, ...]:
        key, level = args
        params, _ = TRAINING.train(key, SOURCE, system, level)
        joint = sender(key, params, SOURCE, system, level)
        listed = list_codes(joint)
        moved = jnp.zeros(())
        if "encoder" in params:
            pairs = zip(*(jax.tree.leaves(p["encoder"]) for p in (params, _start(system, key))), strict=True)
            moved = jnp.stack([jnp.abs(a - b).sum() for a, b in pairs]).min()
        bits = information(measurement_key(key), joint, listed, 256)
        return bits.bits, bits.stderr, listed.power, moved

    return jax.jit(lambda keys, levels: jax.lax.map(lane, (keys, levels)))


def _start(system: Any, key: jax.Array) -> Any:
    return system.init(jax.random.split(key, 5)[0], SOURCE)  # as `Training.train` has it


def run(name: str) -> Found:
    levels = jnp.asarray(levels_of(name), jnp.float32)
    keys = jax.random.split(jax.random.key(0), len(levels))
    return Found(*(np.asarray(a) for a in program(name)(keys, levels)))


@cache
def found(name: str) -> Found:
    return run(name)


@pytest.mark.parametrize("name", ALL)
def test_bits_are_inside_their_limits(name: str) -> None:
    system, figures = CASES[name], found(name)
    ceilings = [system.ceiling(SOURCE, level) for level in levels_of(name)]
    limits = np.minimum(BITS, [BITS if c is None else c for c in ceilings])
    slack = 4 * figures.stderr + 1e-3
    assert np.isfinite(figures.bits).all()
    assert (figures.bits <= limits + slack).all() and (figures.bits >= -slack).all()
    assert ("no ceiling" in system.statement) == (ceilings[0] is None)


@pytest.mark.parametrize("name", ALL)
def test_the_same_key_gives_the_same_figures_and_the_encoder_learns(name: str) -> None:
    np.testing.assert_array_equal(run(name).bits, found(name).bits)
    if name not in ("handmade",):
        assert (found(name).moved > 0).all()


def holds_its_power(name: str) -> bool:
    """The others have a power of their own."""
    constrained = getattr(CASES[name], "constraint", None) is not None
    return constrained and name not in ("useless_features", "information_dropout") and "depth" not in name


@pytest.mark.parametrize("name", [case for case in ALL if holds_its_power(str(case.values[0]))])
def test_the_power_is_what_the_ceiling_presumes(name: str) -> None:
    constraint = CASES[name].constraint
    power = found(name).power
    if constraint.kind in ("power", "signs"):
        np.testing.assert_allclose(power, constraint.power, rtol=1e-4)
    assert (power <= constraint.power * (1 + 1e-4)).all()


@pytest.mark.parametrize("name", ["dropout", *(pytest.param(n, marks=pytest.mark.slow) for n in CASES if "depth" in n)])
def test_closed_forms_of_real_units(name: str) -> None:
    """H (1 - p^units) through dropout; through dropped blocks H with skips, prod(survival) H without."""
    truth = [CASES[name].closed_form(SOURCE, level) for level in levels_of(name)]
    if "floor" in name:
        assert truth == [None] * 3
        return
    p, blocks = np.array(levels_of(name)), 2
    known = {"dropout": 1 - p**2, "stochastic_depth": p**0, "stochastic_depth, no skips": (1 - p) ** blocks}
    np.testing.assert_allclose(truth, BITS * known[name], rtol=1e-6)
    assert (abs(found(name).bits - truth) <= 4 * found(name).stderr + 1e-3).all()


def test_target_bits_are_passed() -> None:
    np.testing.assert_allclose(found("target_vae").bits, levels_of("target_vae"), atol=0.06)


@pytest.mark.slow
def test_eight_signs_carry_eight_bits() -> None:
    """Never above one bit a unit, and at least 0.97 of one in the best of three trainings."""
    source = FairBits.build(jax.random.key(7), 8, 8)
    system = BinaryAutoencoder(Architecture(8, (48, 48)))
    training = Training(steps=1500, batch=256, receiver_steps=0)
    curve = run_plan(plan_curve(jax.random.key(0), source, system, [1e-4], 3, training=training))
    assert (curve.bits_low <= 8).all()
    assert curve.bits.max() >= 0.97 * 8
    assert curve.marginal_bits.max() <= 1 + 1e-3  # also where no flip was seen


@pytest.mark.slow
@pytest.mark.parametrize("asked", [1.0, 4.0, 8.0])
def test_asked_bits_at_the_default_size(asked: float) -> None:
    """Within 2 % or 0.05 bits, whichever is more, for three seeds; from a source of 12 bits."""
    source = FairBits.build(jax.random.key(1), 12, 32)
    curve = run_plan(plan_curve(jax.random.key(0), source, SYSTEMS["target_vae"](), [asked], 3))
    assert (abs(curve.bits - asked) <= max(0.02 * asked, 0.05)).all()


@pytest.mark.parametrize(
    ("system", "levels", "words"),
    [
        (SYSTEMS["dropout"](SIZE), [1.5], r"level in \[0, 1\]; got 1.5"),
        (SYSTEMS["quantized"](SIZE), [2.5], r"level in \[2, inf\) whole; got 2.5"),
        (SYSTEMS["quantized"](SIZE, "fsq"), [2.0], "at least 3 levels by fsq"),
        (SYSTEMS["deterministic"](SIZE), [30.0], r"level in \[1, 20\]; got 30"),
        (SYSTEMS["target_vae"](SIZE), [3.0], "fewer bits asked for than the source's 3; got 3"),
    ],
)
def test_levels_are_checked_before_any_work(system: Any, levels: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan_curve(jax.random.key(0), SOURCE, system, levels)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DropoutAutoencoder(SIZE, "complex"), "values to be one of digits, real, signs; got 'complex'"),
        (lambda: DropoutAutoencoder(SIZE, floor=-1.0), r"floor in \[0, inf\); got -1.0"),
        (lambda: GaussianDropoutAutoencoder(SIZE, "digits"), "values to be one of real, signs"),
        (lambda: BinaryAutoencoder(SIZE, True, 0.0), r"temperature in \(0, inf\); got 0.0"),
        (lambda: QuantizedAutoencoder(SIZE, "odd"), "rule to be one of even, fsq; got 'odd'"),
        (lambda: StochasticDepthAutoencoder(SIZE, 0), r"blocks in \[1, 8\]; got 0"),
        (lambda: SYSTEMS["useless_features"](SIZE, 2), "0 to 1 useless units; got 2"),
        (lambda: SYSTEMS["one_to_many"](SIZE, 0.0), r"noise in \(0, inf\); got 0.0"),
        (lambda: SYSTEMS["handmade"](SIZE, "morse"), "code to be one of"),
    ],
)
def test_choices_are_checked(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("name", SYSTEMS)
def test_levels_that_are_allowed_are_those_of_the_channel(name: str) -> None:
    """At the ends and just outside of them; a system that names no range takes all positive levels."""
    system = SYSTEMS[name](SIZE)
    interval = system.allowed.get("level", "(0, inf)").removesuffix(" whole")
    for end, inwards in zip(interval[1:-1].split(","), (1, -1), strict=True):
        if float(end) in (0.0, np.inf):
            continue
        outside = float(end) - inwards
        allowed = interval[0 if inwards > 0 else -1] in "[]"
        for level, refused in ((float(end), not allowed), (outside, True)):
            if refused and outside > 0:
                with pytest.raises(ValueError, match="level in"):
                    system.check(SOURCE, (level,))
            elif not refused:
                system.channel(level)


@pytest.mark.parametrize("floor", [0.0, 0.1])
@pytest.mark.parametrize("name", SYSTEMS)
def test_what_a_bracket_needs_is_said_as_it_is(name: str, floor: float) -> None:
    kind = SYSTEMS[name]
    has_floor = hasattr(kind, "floor")
    system = kind(SIZE, **({"floor": floor} if has_floor else {}))
    said = system.full_support == "always" or (system.full_support == "with a floor" and has_floor and floor > 0)
    assert system.channel(system.default_levels[0]).full_support == said


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_says_what_its_level_is(name: str) -> None:
    kind = SYSTEMS[name]
    assert kind.name == name and kind.summary and kind.level_name and kind.level_symbol
    assert len(kind.default_levels) >= 8 and list(kind.default_levels) == sorted(set(kind.default_levels))
    assert kind(SIZE).statement
