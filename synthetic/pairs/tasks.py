"""The pairs by name: the 40 of "Beyond Normal" (Czyz et al., NeurIPS 2023), and others that no method was tuned on.

Names and definitions of the 40 are those of the public benchmark, up to shift and scale of the columns.
"""

from __future__ import annotations

import numpy as np

from synthetic.pairs import normal, student
from synthetic.pairs.additive import AdditiveUniformPair
from synthetic.pairs.bends import Spiral, SwissRoll, rotation
from synthetic.pairs.circle import CirclePair
from synthetic.pairs.composed import MappedPair, ProductPair
from synthetic.pairs.heteroscedastic import HeteroscedasticPair
from synthetic.pairs.maps import ASINH, EXPONENTIAL, HALF_CUBE, NORMAL_CDF, Injection, MixtureMargins, Wiggly
from synthetic.pairs.mixture import exclusive_or, permutation
from synthetic.pairs.pair import Pair

_WIGGLY_X = Wiggly(((0.4, 1.0, 0.0), (0.2, 1.7, 1.0), (0.03, 3.3, -2.5)))
_WIGGLY_Y = Wiggly(((-0.4, 0.4, 0.0), (0.17, 1.3, 3.5), (0.02, 4.3, -2.5)))


def _both(prefix: str, change: Injection, pair: Pair) -> MappedPair:
    return MappedPair(f"{prefix}-{pair.name}", pair, change, change)


def _spiral(pair: Pair) -> MappedPair:
    """X turned in its first plane and Y in its second, more slowly where there are more dimensions."""
    turn_x, turn_y = Spiral((0, 1), 1.0 / pair.dim_x), Spiral((1, 2), 1.0 / pair.dim_y)
    return MappedPair(f"spiral-{pair.name}", pair, turn_x, turn_y)


def _one_dimensional() -> list[Pair]:
    base, heavy = normal.bivariate(0.75), student.identity(1, 1, 1)
    uniform = _both("normal_cdf", NORMAL_CDF, base)
    bimodal_x, bimodal_y = MixtureMargins((0.3, 0.7), (0.0, 5.0)), MixtureMargins((0.5, 0.5), (-1.0, 3.0))
    return [
        base,
        uniform,
        AdditiveUniformPair(0.1),
        AdditiveUniformPair(0.75),
        MappedPair("1v1-bimodal-0.75", base, bimodal_x, bimodal_y),
        MappedPair(f"wiggly-{base.name}", base, _WIGGLY_X, _WIGGLY_Y),
        _both("half_cube", HALF_CUBE, base),
        heavy,
        _both("asinh", ASINH, heavy),
        MappedPair(f"swissroll_x-{uniform.name}", uniform, SwissRoll()),
    ]


def _public() -> list[Pair]:
    base: list[Pair] = [normal.sparse(dim, dim, 2, 2.0) for dim in (3, 5, 25)]
    uniform: list[Pair] = [_both("normal_cdf", NORMAL_CDF, pair) for pair in base]
    return [
        *_one_dimensional(),
        *(normal.dense(dim, dim, 0.5) for dim in (2, 3, 5, 25, 50)),
        *(normal.sparse(dim, dim, 2, 2.0) for dim in (2, 3, 5, 25)),
        *(student.identity(dim, dim, dof) for dim, dof in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))),
        *uniform,
        *(_both("half_cube", HALF_CUBE, pair) for pair in base),
        *(_spiral(pair) for pair in (*base, *uniform)),
        *(_both("asinh", ASINH, student.identity(dim, dim, dof)) for dim, dof in ((2, 1), (3, 2), (5, 2))),
    ]


def _mixed(name: str, *pairs: Pair, seed: int) -> MappedPair:
    """Independent pairs side by side, either side turned so that no column belongs to one of them."""
    product = ProductPair(name, pairs)
    return MappedPair(name, product, rotation(product.dim_x, seed), rotation(product.dim_y, seed + 1))


def _extra() -> list[Pair]:
    xor, shuffled, growing = exclusive_or(0.5), permutation(0.6), HeteroscedasticPair(0.2, 0.5)
    skewed = np.array([[1.0, 0.3, 0.6, 0.0], [0.3, 1.0, 0.2, -0.5], [0.6, 0.2, 1.0, 0.1], [0.0, -0.5, 0.1, 1.0]])
    sharp = normal.bivariate(0.9999)
    lognormal, chain = normal.chained(4, 4, 0.7), normal.chained(3, 1, 0.8)
    pairs: list[Pair] = [
        normal.NormalPair("independent-3-3", 3, np.eye(6)),
        xor,
        shuffled,
        growing,
        CirclePair(0.3),
        CirclePair(0.3, 2),
        _mixed("mixed-permutation-heteroscedastic", shuffled, growing, seed=1),
        _mixed("mixed-additive-0.3-5-5", *[AdditiveUniformPair(0.3)] * 5, seed=3),
        _mixed("mixed-exclusive-or-circle", xor, CirclePair(0.4, 2), seed=5),
        MappedPair(f"lognormal-{lognormal.name}", lognormal, EXPONENTIAL, EXPONENTIAL),
        student.StudentPair("student-correlated-2-2-4", 2, skewed, 4),
        MappedPair(f"spiral-wiggly-{chain.name}", chain, Spiral((0, 2), 0.5), _WIGGLY_Y),
        sharp,
        _mixed("mixed-normal-0.9999-6-6", *[sharp] * 6, seed=7),
        normal.sparse(20, 20, 10, 1.0),
    ]  # fmt: skip
    return pairs


PUBLIC_TASKS: dict[str, Pair] = {pair.name: pair for pair in _public()}
"""The 40 public tasks by name, in the benchmark's order."""

EXTRA_TASKS: dict[str, Pair] = {pair.name: pair for pair in _extra()}
"""Tasks that are not among the 40: for checking a choice of method on what it was not made for."""


def task(name: str) -> Pair:
    """The pair of that name.

    Raises:
        ValueError: if there is none.
    """
    pair = PUBLIC_TASKS.get(name) or EXTRA_TASKS.get(name)
    if pair is None:
        raise ValueError(
            f"Expected one of {len(PUBLIC_TASKS) + len(EXTRA_TASKS)} tasks, such as 1v1-normal-0.75; got {name!r}."
        )
    return pair
