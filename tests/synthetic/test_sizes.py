"""Sizes are refused before a source is made, and by the source in the same words."""

from __future__ import annotations

import subprocess
import sys

import jax
import numpy as np
import pytest

from synthetic import SOURCES
from synthetic.pi import pi_digits
from synthetic.sizes import CONTINUOUS, MAX_LISTED, SHORTEST_WINDOWS, SIZE_CHECKS


def said(call: object) -> str:
    """What a call refuses with; nothing where it does not."""
    try:
        call()  # type: ignore[operator]
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("bits, dim", [(0, 4), (3, 0), (4, 3), (3, 3), (3, 4), (6, 64), (40, 2), (17, 64), (21, 81)])
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_refuses_what_its_rule_refuses(name: str, bits: int, dim: int) -> None:
    refused = said(lambda: SIZE_CHECKS[name](bits, dim))
    if refused or bits < 10:
        assert said(lambda: SOURCES[name].build(jax.random.key(0), bits, dim)) == refused


def test_every_source_has_a_rule() -> None:
    assert SIZE_CHECKS.keys() == SOURCES.keys()
    small = {name: kind.build(jax.random.key(0), 3, 64) for name, kind in SOURCES.items()}
    assert {name for name, source in small.items() if not source.discrete} == set(CONTINUOUS)


@pytest.mark.parametrize("bits", [*range(15), pytest.param(20, marks=pytest.mark.slow)])
def test_windows_of_pi_differ_from_the_length_that_is_said(bits: int) -> None:
    shortest, count = SHORTEST_WINDOWS[bits], 2**bits
    digits = pi_digits(count + shortest - 1).astype(np.int64)
    for length, distinct in ((shortest, True), (shortest - 1, False)):
        if length:
            windows = np.lib.stride_tricks.sliding_window_view(digits[: count + length - 1], length)
            numbers = windows @ 10 ** np.arange(length)[::-1]
            assert (len(np.unique(numbers)) == count) == distinct
    assert len(SHORTEST_WINDOWS) == MAX_LISTED.bit_length()


def test_sizes_are_told_without_jax() -> None:
    program = "import sys, synthetic.sizes; assert 'jax' not in sys.modules; synthetic.FairBits; dir(synthetic)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
