"""Lower bounds on the entropy of symbols that are drawn independently, from how often each came.

    plug-in      E H(p^) <= H, by concavity (Cover & Thomas 2006, theorem 2.7.3): near where symbols came often
    collisions   H >= -log sum_s p_s^2 (Renyi 1961), and pairs of rows that are equal show the sum (Ma 1981): n rows
                 have n^2/2 pairs, so that bits up to 2 log2 n - 6 are vouched for where no two rows are equal
    both         H = H(W) + P(rest) H(rest), W the symbols that came often among other rows, or that it is none of these

No bound that trusts nothing but the rows goes beyond about 2 log2 n (McAllester & Stratos 2020).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import gamma

from capacity.analysis.codes.bounding import lower_bounds, one_of
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import CONSERVATIVE_ERRORS

ERROR = 0.008  # of a bound by collisions: the better of three bounds then errs with less than 2.5 %
OFTEN = 2  # rows of the other half from which a symbol counts as one that comes often
FEW = 30.0  # ordered pairs of equal rows, below which one symbol may have made them all


def entropy_below(rng: np.random.Generator, symbols: Int[np.ndarray, " n"]) -> Estimate:
    """The best of the three bounds; bits.

    Args:
        rng: cuts the rows into halves.
        symbols: a number for each row, the same for equal symbols, from 0.
    """
    found = [
        one_of(lower_bounds(surprisals(symbols)[None], np.log2(len(symbols)))),
        by_collisions(symbols),
        one_of(lower_bounds(_by_both(rng, symbols)[None])),
    ]
    return max(found, key=lambda one: float(one.low))


def surprisals(symbols: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """(n,) -log p^ of each row, nats: their mean is the entropy of the rows."""
    return np.asarray(np.log(len(symbols)) - np.log(np.bincount(symbols)[symbols]))


def by_collisions(symbols: Int[np.ndarray, " n"]) -> Estimate:
    """H >= -log2 sum_s p_s^2."""
    n, times = len(symbols), np.bincount(symbols).astype(float)
    equal, pairs = float((times * (times - 1)).sum()), n * (n - 1.0)
    bits = np.log2(pairs) - np.log2(equal + 2)
    low = max(np.log2(pairs) - np.log2(most_collisions(times)), 0.0)
    bits = max(float(bits), float(low))
    return Estimate(bits, (bits - low) / CONSERVATIVE_ERRORS, low, bits, np.log2(pairs / 2), n, "lower")


def most_collisions(times: Float[np.ndarray, " symbols"]) -> float:
    """Upper end for the expected number of ordered pairs of equal rows, of `times` how often each symbol came.

    Of all laws with the same sum of squares, that with one heavy symbol beside countless light ones shows fewest pairs
    most easily, since x - log(1 + x), over x^2, falls in x: n of it came, and the Poisson law says how many it may be.
    Where many symbols came twice and more, the sum's own variance says less.
    """
    equal = float((times * (times - 1)).sum())
    most_of_one = (1 + (1 + 4 * equal) ** 0.5) / 2
    heavy = float(gamma.ppf(1 - ERROR, most_of_one + 1)) ** 2
    if equal < FEW:
        return heavy
    triples = float((times * (times - 1) * (times - 2)).sum())
    variance = 4 * max(triples - equal**2 / times.sum(), 0.0) + 2 * equal
    none_seen = float(gamma.ppf(1 - ERROR, 2.0)) ** 2
    return min(heavy, float(equal + CONSERVATIVE_ERRORS * variance**0.5) + none_seen)


def _by_both(rng: np.random.Generator, symbols: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """(n,) nats: surprisal of a symbol that comes often, or that it does not, and then what collisions show."""
    n, values = len(symbols), np.empty(len(symbols))
    half = rng.permutation(n) < n // 2
    for here in (half, ~half):
        often = np.bincount(symbols[~here], minlength=int(symbols.max()) + 1) >= OFTEN
        rest = ~often[symbols[here]]
        values[here] = surprisals(np.where(rest, 0, symbols[here] + 1))
        if rest.sum() > 1:
            values[here] += rest * float(by_collisions(symbols[here][rest]).low) * NATS_PER_BIT
    return values
