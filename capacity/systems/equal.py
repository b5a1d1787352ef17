"""Networks of equal size: the widths that give so many parameters.

Structures are compared at equal parameters, encoder with encoder and decoders with decoders: a total is shared out as
multilayer perceptrons of one width share it, whose encoder is two thirds as wide as their decoders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.runtime.whole import whole
from capacity.systems.architecture import Architecture
from capacity.systems.networks.perceptron import MLPNetwork
from capacity.systems.networks.sizes import count_parameters

if TYPE_CHECKING:
    from synthetic.source import Source


def with_parameters(architecture: Architecture, source: Source, parameters: int) -> Architecture:
    """The architecture with widths that give its networks about so many parameters in all.

    Each network gets what a perceptron in its place has, as near as a whole width comes; depth stays.

    Args:
        architecture: its widths count by their number alone.
        source: what is sent.
        parameters: of all networks together.

    Raises:
        ValueError: where the narrowest networks have more, or there is no hidden layer to widen.
    """
    depth, wanted = _depth(architecture), whole(parameters, "parameters", most=None)
    perceptrons = replace(architecture, network=MLPNetwork())

    def of_width(width: int) -> Architecture:
        return replace(perceptrons, widths=(width,) * depth, encoder_widths=None)

    return equal_to(architecture, of_width(_width(lambda w: sum(_parameters(of_width(w), source)), wanted)), source)


def equal_to(architecture: Architecture, other: Architecture, source: Source) -> Architecture:
    """The architecture with as many parameters as another has, in the encoder and in the decoders.

    Args:
        architecture: its widths count by their number alone.
        other: what to equal.
        source: what is sent.

    Raises:
        ValueError: as `with_parameters` does.
    """
    depth = _depth(architecture)
    encoder, decoders = _parameters(other, source)

    def of_widths(width: int, encoder_width: int) -> Architecture:
        return replace(architecture, widths=(width,) * depth, encoder_widths=(encoder_width,) * depth)

    return of_widths(
        _width(lambda w: _parameters(of_widths(w, 1), source)[1], decoders),
        _width(lambda w: _parameters(of_widths(1, w), source)[0], encoder),
    )


def _depth(architecture: Architecture) -> int:
    if not architecture.widths:
        raise ValueError("Expected a hidden layer, whose width can be chosen; got none.")
    return len(architecture.widths)


def _parameters(architecture: Architecture, source: Source) -> tuple[int, int]:
    """Of the encoder, and of the decoders together."""
    encoder = count_parameters(architecture.encoder(source, architecture.units))
    decoders = count_parameters(architecture.message(source))
    if architecture.decode == "vector":
        decoders += count_parameters(architecture.vector(source))
    return encoder, decoders


def _width(count: Callable[[int], int], wanted: int) -> int:
    """The width whose count is nearest; counts grow with the width."""
    least, most = 1, 2
    if count(least) > wanted:
        raise ValueError(f"Expected at least {count(least):,} parameters for the narrowest network; got {wanted:,}.")
    while count(most) < wanted:
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if count(middle) < wanted else (least, middle)
    return min((least, most), key=lambda width: abs(count(width) - wanted))
