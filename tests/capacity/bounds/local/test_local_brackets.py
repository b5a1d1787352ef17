"""Brackets of codes with short windows: held against lists, a trellis of its own, and codes that break the windows."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

import synthetic
from capacity.bounds import Enumeration, measure
from capacity.bounds.local.bracket import local_bracket
from capacity.bounds.local.coded import CodedMessages
from capacity.bounds.local.frontier import plan_frontier
from capacity.bounds.local.receptive import find_fields
from capacity.channels import BinarySymmetric, Gaussian
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket
from tests.trellis_truth import CODES, FEW_DIGITS, trellis_bits, trellis_joint


def _found(key: int, joint: Joint, budget_gflop: float = 20.0) -> tuple[Bracket, bool]:
    found = local_bracket(jax.random.key(key), joint, budget_gflop, None, lambda share, text: None)
    assert found is not None
    return found


def _bent(x: jax.Array) -> jax.Array:
    """Four digits a unit, all windows of one kind."""
    padded = jnp.pad(x, (1, 2))
    parts = [padded[i : i + len(x)] for i in range(4)]
    return jnp.tanh(0.9 * parts[0] - 0.7 * parts[1] * parts[2] + 0.5 * parts[3])


def _scattered(x: jax.Array) -> jax.Array:
    """Blocks of three digits far apart."""
    a, b, c = jnp.split(x, 3)
    return jnp.concatenate([a + 0.5 * b * c, b - c])


@pytest.mark.parametrize("encoder", [_bent, _scattered])
def test_the_same_as_by_a_list(encoder: object) -> None:
    joint = Joint(synthetic.PlainBits(12, 12), encoder, Gaussian(jnp.float32(0.8)))  # type: ignore[arg-type]
    exact = Enumeration(2**14)(jax.random.key(1), joint)
    bracket, is_exact = _found(2, joint)
    assert is_exact
    assert bracket.low < exact.bits < bracket.high
    assert float(bracket.upper.bits - bracket.lower.bits) < 1e-3 * float(exact.bits)


def test_atoms_too() -> None:
    signs = Joint(synthetic.PlainBits(8, 8), lambda x: x * jnp.roll(x, 1), BinarySymmetric(jnp.float32(0.1)))
    exact = Enumeration(2**11)(jax.random.key(1), signs)
    bracket, is_exact = _found(2, signs)
    assert is_exact and bracket.low < exact.bits < bracket.high


@pytest.mark.parametrize("memory", [2, 4])
def test_a_trellis_of_its_own(memory: int) -> None:
    """Short here; of 4,096 digits where tests may take minutes."""
    truth, stderr = trellis_bits(memory, 2, 128, 1.0, FEW_DIGITS)
    bracket, is_exact = _found(memory, trellis_joint(memory, 2, 128, 1.0), 5.0)
    assert is_exact
    assert bracket.low - 3 * stderr < truth < bracket.high + 3 * stderr


@pytest.mark.slow
@pytest.mark.parametrize("memory", CODES)
@pytest.mark.parametrize("outputs", [1, 2])
def test_half_a_kilobyte(memory: int, outputs: int) -> None:
    truth, stderr = trellis_bits(memory, outputs, 4096, 1.0)
    bracket = measure(jax.random.key(memory), trellis_joint(memory, outputs, 4096, 1.0))
    assert bracket.low - 3 * stderr < truth < bracket.high + 3 * stderr
    assert bracket.width < 0.01 * truth


def test_windows_that_leave_digits_out_give_bounds_still() -> None:
    joint = Joint(synthetic.PlainBits(12, 12), _bent, Gaussian(jnp.float32(0.8)))
    exact = Enumeration(2**14)(jax.random.key(1), joint)
    found = local_bracket(jax.random.key(2), joint, 2.0**-7, None, lambda share, text: None)
    assert found is not None
    bracket, is_exact = found
    assert not is_exact
    assert bracket.low < exact.bits < bracket.high
    assert bracket.upper.bits > bracket.lower.bits + 0.1


def test_rare_messages_with_another_code_are_reached_for() -> None:
    """One message in 256 has a code that no window says: it is seen, and the bounds say what it costs."""

    def encode(x: jax.Array) -> jax.Array:
        return _bent(x) * jnp.where((x[:8] > 0).all(), 3.0, 1.0)

    joint = Joint(synthetic.PlainBits(12, 12), encode, Gaussian(jnp.float32(0.8)))
    exact = Enumeration(2**14)(jax.random.key(1), joint)
    bracket, is_exact = _found(2, joint)
    assert not is_exact
    assert bracket.low < exact.bits < bracket.high


def test_dense_codes_and_uneven_digits_are_left_to_others() -> None:
    dense = jax.random.normal(jax.random.key(0), (80, 80))
    mixed = Joint(synthetic.PlainBits(80, 80), lambda x: dense @ x, Gaussian(jnp.float32(1.0)))
    chain = Joint(synthetic.MarkovBits(jnp.eye(24)), lambda x: x, Gaussian(jnp.float32(1.0)))
    for joint in (mixed, chain):
        assert local_bracket(jax.random.key(1), joint, 10.0, None, lambda share, text: None) is None


def test_fields_are_those_of_the_code() -> None:
    found = find_fields(jax.random.key(0), CodedMessages(trellis_joint(6, 2, 200, 1.0)))
    assert found is not None
    pairs = set(zip(found.unit.tolist(), found.digit.tolist(), strict=True))
    wanted = {
        (2 * time + row, time - delay)
        for row, taps in enumerate(CODES[6][:2])
        for time in range(200)
        for delay, tap in enumerate(taps)
        if tap and time >= delay
    }
    assert pairs == wanted
    assert plan_frontier(found, 16).slots == 7


def test_slots_hold_one_digit_at_a_time() -> None:
    found = find_fields(jax.random.key(0), CodedMessages(Joint(synthetic.PlainBits(90, 90), _scattered, Gaussian(1.0))))
    assert found is not None
    frontier = plan_frontier(found, 16)
    assert frontier.exact and frontier.slots == 3
    for step, unit in enumerate(frontier.units):
        needed = set(found.digit[found.unit == unit].tolist())
        assert needed <= set(frontier.digits[step].tolist())
