"""What sizes a source can have: those that are none, embeddings without room, endless lists; told without JAX."""

from __future__ import annotations

import math
from collections.abc import Callable

MAX_LISTED = 2**20
"""Messages that a source may list at most."""
MAX_SPRITE_BITS = 16  # 4 shapes, 8 scales, 8 angles, 16 x 16 positions
SHORTEST_WINDOWS = (1, 1, 2, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 10, 11, 11, 13)
"""Digits within which the first 2**bits windows of pi differ, by bits."""


def check_listing(count: int) -> None:
    """Raise ValueError where `count` messages are too many to list."""
    if count > MAX_LISTED:
        power = count.bit_length() - 1
        # A count past 2**64 has too many digits to read, and Python refuses to print some of them.
        shown = f"2**{power}" if count == 2**power else f"{count}" if power < 64 else f"> 2**{power}"
        raise ValueError(f"Expected at most 2**20 = {MAX_LISTED} messages to list; got {shown}.")


def check_size(bits: int, dim: int) -> None:
    """Raise ValueError unless `bits` and `dim` are whole numbers of at least one."""
    for label, value in (("bits", bits), ("dim", dim)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"Expected {label} to be a whole number of at least 1; got {value!r}.")


def check_linear(bits: int, dim: int) -> None:
    """Raise ValueError unless `bits` amplitudes fit into `dim` dimensions one to one."""
    check_size(bits, dim)
    if dim < bits:
        raise ValueError(f"Expected dim of at least bits = {bits} for an injective linear embedding; got {dim}.")


def check_coded(bits: int, dim: int) -> None:
    """Raise ValueError unless `dim` has room for a check digit too."""
    check_linear(bits, dim)
    if dim == bits:
        raise ValueError(
            f"Expected dim of at least bits + 1 = {bits + 1}, so that the code has a check digit; got {dim}."
        )


def check_listed(bits: int, dim: int) -> None:
    """Raise ValueError unless 2**bits messages can be listed."""
    check_size(bits, dim)
    check_listing(2 ** min(bits, 2**10))


def check_windows(bits: int, dim: int) -> None:
    """Raise ValueError unless the first 2**bits windows of `dim` digits of pi can be listed and differ."""
    check_listed(bits, dim)
    if dim < SHORTEST_WINDOWS[bits]:
        raise ValueError(
            f"Expected dim of at least {SHORTEST_WINDOWS[bits]}, within which the first 2**{bits} windows of pi "
            f"differ; got {dim}."
        )


def check_spectrum(bits: int, dim: int) -> None:
    """Raise ValueError unless a spectrum over `dim` dimensions can decay so that its rate is `bits`."""
    check_size(bits, dim)
    if dim < 2:
        raise ValueError(f"Expected dim of at least 2 for a spectrum that decays; got {dim}.")
    if bits > 16 * dim:
        raise ValueError(f"Expected bits of at most 16 dim = {16 * dim}; got {bits}.")


def check_sprites(bits: int, dim: int) -> None:
    """Raise ValueError unless pictures are square, of 8 x 8 pixels or more, and a grid has as many."""
    check_size(bits, dim)
    side = math.isqrt(dim)
    if side * side != dim or side < 8:
        raise ValueError(f"Expected dim to be the square of at least 8 pixels; got {dim}.")
    if bits > MAX_SPRITE_BITS:
        raise ValueError(f"Expected bits of at most {MAX_SPRITE_BITS} for a grid of sprites; got {bits}.")


SIZE_CHECKS: dict[str, Callable[[int, int], None]] = {
    "codebook": check_listed,
    "code": check_coded,
    "digits": check_windows,
    "bits": check_linear,
    "sequence": check_linear,
    "markov": check_linear,
    "nonlinear": check_linear,
    "gaussian": check_spectrum,
    "sprites": check_sprites,
    "product": check_linear,
}
"""The rule that the `build` of each of the toolkit's sources holds its bits and dimensions to, by name."""
CONTINUOUS = ("gaussian",)
"""Sources whose messages are no digits."""
