"""Where a side is one of symbols: counts, neighbours within a symbol, and what a held-out model of the symbols shows.

Counts tell where a symbol comes five times and more on average.  Where it does not, a code is told column after column
by models that are judged on other rows: a lower bound, however many symbols there are.  Neighbours within a symbol need
rows of the other side to lie near each other; a classifier needs no such thing, and is asked wherever there is more
than one column, or where neighbours do not resolve it.
"""

from __future__ import annotations

import jax
import numpy as np

from capacity.estimators.automatic.candidates import BEYOND_CHANCE, Candidate, Weighed, excess, opened, said
from capacity.estimators.automatic.preparation import OFTEN, Prepared
from capacity.estimators.codes.bounds import AutoregressiveCode, ClassifierBound, HeldOutCode
from capacity.estimators.counts.plugin import PlugIn
from capacity.estimators.features.projected import leading_components
from capacity.estimators.neighbours.mixed import Ross
from capacity.results.estimate import Estimate
from capacity.runtime.threefry import parts_of

MAX_CLASSES = 32  # of a label; what has more is told as a code
WIDE = 32  # columns of numbers: beyond, neighbours look at leading components
NEAR_COMPONENTS = 16


def weigh_symbols(key: jax.Array, sides: Prepared) -> Weighed:
    """The figure for symbols on both sides.

    Args:
        key: of the methods.
        sides: symbols.
    """
    key_counts, key_code = parts_of(key, 2)
    counted = PlugIn()(key_counts, sides.x, sides.y)
    tried = [Candidate(PlugIn.name, counted)]
    most = max(len(np.unique(side)) for side in (sides.x, sides.y))
    if OFTEN * most < len(sides.x) and not bool(counted.saturated):
        words = "Both sides are symbols: counted, with a correction for what was not seen."
        return Weighed(PlugIn.name, counted, words, tuple(tried))
    code = _asked(AutoregressiveCode(), key_code, sides, tried)
    words = f"Both sides are symbols, {most} of which in {len(sides.x)} rows are too many to count."
    if code is None or code.low <= counted.low:
        return Weighed(PlugIn.name, counted, words + _open(counted), tuple(tried))
    words += " Held-out models of their columns show a lower bound."
    return Weighed(AutoregressiveCode.name, code, words, tuple(tried))


def weigh_symbols_and_numbers(key: jax.Array, sides: Prepared) -> Weighed:
    """The figure for symbols on one side and real numbers on the other.

    Args:
        key: of the methods.
        sides: one of symbols and one of numbers.
    """
    key_neighbours, key_code = parts_of(key, 2)
    x, y = (_near(side) for side in (sides.tied_x, sides.tied_y))
    columns = sides.columns_x.shape[1] + sides.columns_y.shape[1]
    neighbours, words = opened(Ross()(key_neighbours, x, y))
    tried = [Candidate(Ross.name, neighbours)]
    why = "One side is symbols, the other real numbers: neighbours within each symbol."
    if columns == 2 and not words:
        return Weighed(Ross.name, neighbours, why, tuple(tried))
    symbols = sides.x if sides.x.dtype.kind == "i" else sides.y
    method = ClassifierBound() if len(np.unique(symbols)) <= MAX_CLASSES else AutoregressiveCode()
    bound = _asked(method, key_code, sides, tried)
    if bound is None:
        return Weighed(Ross.name, neighbours, why + words, tuple(tried))
    more = excess(bound, neighbours)
    if words and bound.low > neighbours.low:
        why += f" These do not resolve it; {method} shows a lower bound on held-out rows."
        return Weighed(method.name, bound, why, tuple(tried))
    why += said(method.name, more, Ross.name, BEYOND_CHANCE)
    if more > BEYOND_CHANCE:
        return Weighed(method.name, bound, why + " It is a lower bound: the truth may be larger.", tuple(tried))
    return Weighed(Ross.name, neighbours, why + words, tuple(tried))


def _asked(method: HeldOutCode, key: jax.Array, sides: Prepared, tried: list[Candidate]) -> Estimate | None:
    """What a held-out model shows; None where it refuses so few rows or so many classes."""
    try:
        found = method(key, *(side if side.dtype.kind == "f" else side.astype(float) for side in _columns(sides)))
    except ValueError:
        return None
    tried.append(Candidate(method.name, found, float(found.bits), float(found.stderr)))
    return found


def _columns(sides: Prepared) -> tuple[np.ndarray, np.ndarray]:
    return sides.columns_x, sides.columns_y


def _open(counted: Estimate) -> str:
    return " Saturated: the truth may be anything up to the limit." if bool(counted.saturated) else ""


def _near(side: np.ndarray) -> np.ndarray:
    """The leading components of many columns of numbers; all else as it is."""
    if side.dtype.kind == "i" or side.shape[1] <= WIDE:
        return side
    return leading_components(side, NEAR_COMPONENTS)[0](side)
