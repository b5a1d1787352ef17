"""Of continuous numbers: which figure is believed, and what it is called.

1. Models are compared by what they show on held-out pairs; the simplest that is not behind the best is looked at.
2. Its closed form is believed where the data show as much as pairs of its own law do (`evidence.check`).  Where they
   show a little less, its interval is widened by that; where they show far less, what is left of it is the lower bound
   that it shows.
3. Nearest neighbours, which assume no law, are asked wherever rows lie on a set of few dimensions; they are taken where
   they find more, or where no model is believed and their own interval is narrow.
4. A trained critic is asked where neighbours do not settle it, and taken where its lower bound is above.
5. An interval wider than its figure settles nothing: it is opened up to the most that the method could say, so that the
   estimate is `saturated`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import numpy as np

from capacity.estimators.automatic.evidence import Check, Shown, check, shown_by
from capacity.estimators.automatic.preparation import MIN_PAIRS, Prepared
from capacity.estimators.checks import random_of
from capacity.estimators.estimator import RatioEstimator
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.features.projected import Projected, components
from capacity.estimators.neighbours.ksg import KSG, dimension_of, scaled_margins
from capacity.estimators.neighbours.mixed import Mixed
from capacity.estimators.neural.critic_bounds import InfoNCE
from capacity.estimators.parametric.gaussian_copula import GaussianCopula, heavy_tailed
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.results.estimate import Estimate
from capacity.runtime.deprecated import old_attribute

NEIGHBOUR_DIMENSIONS = 9.0  # on which the rows of x and y together lie: beyond, nearest neighbours lie too wide apart
WIDE = 32  # columns of a side: beyond, its leading components are looked at as well
MAX_WHOLE = 400  # columns of x and y together: beyond, all of them at once take minutes
MAX_STUDENT = 100  # the same for laws that are fitted step by step
NEAR_COMPONENTS = 16  # of each wide side, for neighbours
PROJECTED: tuple[RatioEstimator, ...] = (
    *(Projected(GaussianCopula(), count) for count in (4, 16, 32)),
    *(Projected(model, 8) for model in (Student(), FeatureCCA())),
)
CRITIC_DIMENSIONS = 3  # columns of x and y together: below, neighbours leave nothing for a trained critic to find
BEYOND_CHANCE = 2.0  # standard errors
REFUTED = 3.0  # standard errors by which the data show less than a model's own law would
SMALL_SHORTFALL = 0.1  # of the figure: what a refuted model states may be wrong by this, with an interval that says so
LEAST_SHORTFALL = 0.02  # bits
RATIOS = (1.0, 1 / 64, 1 / 16, 1 / 4, 4.0, 16.0, 64.0)  # of the scale of x to that of y
CLEARLY = 4.0  # standard errors by which neighbours at other scales must find more: there are six of them
MAX_COMPARED = 5000  # rows on which scales are compared
MAX_TIED_SHARE = 0.01  # of rows of a side that equal another, above which neighbours must allow ties
SETTLED = 0.5  # of the figure: neighbours' interval, where nothing else is believed
NARROW = 0.3  # bits: an interval no wider than this is of use, whatever the figure


@dataclass(frozen=True)
class Candidate:
    """A method that was tried.

    Attributes:
        name: the method.
        estimate: from all pairs; None for models that were not chosen.
        held_out_bound: lower bound in bits on held-out pairs; None for methods that fit nothing.
        held_out_stderr: its standard error, bits.
    """

    name: str
    estimate: Estimate | None
    held_out_bound: float | None = None
    held_out_stderr: float | None = None

    evidence = old_attribute("evidence", "held_out_bound")
    evidence_stderr = old_attribute("evidence_stderr", "held_out_stderr")


@dataclass(frozen=True)
class Weighed:
    """The figure that was believed, whose it is, why, and all that was tried."""

    method: str
    estimate: Estimate
    why: str
    candidates: tuple[Candidate, ...]


def weigh(key: jax.Array, models: Sequence[RatioEstimator], sides: Prepared) -> Weighed:
    """The figure for real numbers on both sides.

    Args:
        key: of held-out parts, of pairs drawn from fitted laws, and of the methods.
        models: that compete, the simpler first.
        sides: real numbers.
    """
    x, y = sides.x, sides.y
    wide = max(x.shape[1], y.shape[1]) > WIDE
    if wide:
        models = wide_models(models, x.shape[1] + y.shape[1])
    key_split, key_model, key_check, key_rest = jax.random.split(key, 4)
    key_dimension, key_neighbours, key_critic = jax.random.split(key_rest, 3)
    shown = shown_by(key_split, models, x, y)
    candidates, now = [], None
    if shown:
        best = max(shown, key=lambda m: shown[m].bits)
        chosen = next(m for m in models if m in shown and shown[m].behind(shown[best]) <= 1)
        stated = chosen(key_model, x, y)
        candidates = [Candidate(str(m), stated if m is chosen else None, s.bits, s.stderr) for m, s in shown.items()]
        now = believed(chosen, best, stated, shown[chosen], check(key_check, chosen, shown[chosen], x, y), len(shown))
    settled = False
    near = few_components(sides, NEAR_COMPONENTS) if wide else sides
    scaled = (scaled_margins(side, "standard") for side in (near.x, near.y))
    if dimension_of(key_dimension, *scaled) <= NEIGHBOUR_DIMENSIONS:
        found = _neighbours(key_neighbours, near)
        candidates.append(Candidate(found.name, found.estimate))
        now, settled = _beside_neighbours(now, found, x.shape[1] + y.shape[1])
    if (x.shape[1] + y.shape[1] >= CRITIC_DIMENSIONS and not settled) or now is None:
        heard = few_components(sides, WIDE) if wide else sides
        critic = InfoNCE(folds=2)(key_critic, heard.x, heard.y)
        candidates.append(Candidate(InfoNCE.name, critic, float(critic.bits), float(critic.stderr)))
        now = _beside_critic(now, critic)
    estimate, words = opened(now.estimate)
    if estimate.kind == "lower":
        words += " It is a lower bound: the truth may be larger."
    return Weighed(now.name, estimate, now.why + words, tuple(candidates))


@dataclass(frozen=True)
class Held:
    """A figure that is believed so far, whose it is, and why.

    Attributes:
        settles: whether its interval is of a law that the data do not contradict.
    """

    name: str
    estimate: Estimate
    why: str
    settles: bool = True


def believed(
    chosen: RatioEstimator, best: RatioEstimator, stated: Estimate, shown: Shown, checked: Check | None, count: int
) -> Held:
    """What a model states, as far as it shows it.

    Args:
        chosen: the model.
        best: the one that shows most.
        stated: the chosen model's closed form.
        shown: what it shows on held-out pairs.
        checked: the same beside pairs of its own law.
        count: how many models there were.
    """
    why = f"Of {count} models, {chosen} shows the most on held-out pairs" + (
        "." if chosen is best else f", or no less than {best} beyond chance, and is simpler."
    )
    if checked is None or checked.errors <= REFUTED:
        return Held(str(chosen), stated, why)
    why += f" It shows {checked.shown:.2f} bits there, where pairs of its own law show {checked.expected:.2f}:"
    if checked.short <= max(SMALL_SHORTFALL * abs(float(stated.bits)), LEAST_SHORTFALL):
        return Held(str(chosen), stated.widened_to(down=checked.short, up=checked.short), why + " so much wider.")
    bound = Estimate.from_normal(
        bits=shown.bits, stderr=shown.stderr, kind="lower", n=stated.n, limit=np.log2(shown.block)
    )
    why += f" the {float(stated.bits):.2f} bits of its closed form are not believed."
    return Held(str(chosen), replace(bound, high=max(float(bound.high), 0.0)), why, settles=False)


def opened(estimate: Estimate) -> tuple[Estimate, str]:
    """The estimate; where its interval is wider than it, open up to its limit, and that it is so."""
    width = float(estimate.high - estimate.low)
    if estimate.kind != "point" or width <= max(float(estimate.bits), NARROW) or bool(estimate.saturated):
        return estimate, ""
    limit = estimate.limit if np.isfinite(estimate.limit) else np.log2(max(float(estimate.n), 2.0))
    return (
        replace(estimate, limit=limit, high=max(float(estimate.high), float(limit))),
        " These pairs do not resolve it: the interval is wider than the figure, and its upper end is left open.",
    )


def wide_models(models: Sequence[RatioEstimator], columns: int) -> tuple[RatioEstimator, ...]:
    """The models that so many columns of x and y together leave time for, and those of few components."""
    limits = {Student: MAX_STUDENT, StudentCopula: MAX_STUDENT}
    return (*(m for m in models if columns <= limits.get(type(m), MAX_WHOLE)), *PROJECTED)


def few_components(sides: Prepared, count: int) -> Prepared:
    """The leading principal components of each side, without ties."""
    x, y = (components(side, count)[0](side) for side in (sides.x, sides.y))
    return replace(sides, x=x, y=y, tied_x=x, tied_y=y, atoms=False)


def _neighbours(key: jax.Array, sides: Prepared) -> Held:
    if sides.atoms or (
        max(tied_share(sides.x), tied_share(sides.y)) > MAX_TIED_SHARE and not _tied_pairs(sides.x, sides.y)
    ):
        return Held(Mixed.name, Mixed()(key, sides.tied_x, sides.tied_y), "")
    heavy = heavy_tailed(sides.x) or heavy_tailed(sides.y)
    method = best_ratio(key, KSG(margins="normal" if heavy else "standard"), sides.x, sides.y)
    return Held(KSG.name if method.ratio == 1 else f"ksg at scales {method.ratio:g}", method(key, sides.x, sides.y), "")


def best_ratio(key: jax.Array, plain: KSG, x: np.ndarray, y: np.ndarray) -> KSG:
    """Neighbours with x longer or shorter against y, where that shows significantly more: y turns fast in x, or x in y.

    Args:
        key: of the rows that are looked at.
        plain: at equal scales.
        x, y: shapes (n, dx) and (n, dy).
    """
    if len(x) < MIN_PAIRS or _tied_pairs(x, y):
        return plain
    rows = random_of(key).permutation(len(x))[:MAX_COMPARED]
    x, y = (scaled_margins(side[rows], plain.margins) for side in (x, y))
    terms = {ratio: plain.terms(ratio * x, y)[0] for ratio in RATIOS}

    def more(ratio: float) -> float:
        difference = terms[ratio] - terms[1.0]
        return float(difference.mean() - CLEARLY * difference.std() / len(rows) ** 0.5)

    best = max(RATIOS, key=lambda ratio: float(terms[ratio].mean()))
    return replace(plain, ratio=best) if best != 1 and more(best) > 0.1 * float(terms[1.0].mean()) else plain


def tied_share(side: np.ndarray) -> float:
    """The share of rows that equal another row."""
    return 1 - len(np.unique(side, axis=0)) / len(side)


def _tied_pairs(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a pair occurs twice, which no continuous law gives."""
    return tied_share(np.hstack([x, y])) > 0


def _beside_neighbours(now: Held | None, found: Held, dimensions: int) -> tuple[Held, bool]:
    """What is believed once neighbours were asked, and whether that settles it."""
    if now is None:
        return replace(found, why="No model fits so few pairs: nearest neighbours."), False
    more = _excess(found.estimate, now.estimate)
    # With one column a side neighbours are all but unbiased, so that the lesser doubt is enough to take them.
    beyond = BEYOND_CHANCE if dimensions > 2 else BEYOND_CHANCE / 2
    why = now.why + _said(found.name, more, now.name, beyond)
    if more > beyond:
        return replace(found, why=why), False
    if not now.settles and more >= -beyond and _narrow(found.estimate):
        return replace(found, why=why + f" {found.name} assumes no law: taken."), True
    return replace(now, why=why), now.settles and abs(more) <= beyond


def _beside_critic(now: Held | None, critic: Estimate) -> Held:
    if now is None:
        return Held(InfoNCE.name, critic, "Only a trained critic takes so many columns.")
    more = _excess(critic, now.estimate)
    why = now.why + _said(InfoNCE.name, more, now.name, BEYOND_CHANCE)
    return Held(InfoNCE.name, critic, why) if more > BEYOND_CHANCE else replace(now, why=why)


def _narrow(estimate: Estimate) -> bool:
    return float(estimate.high - estimate.low) <= max(SETTLED * float(estimate.bits), NARROW)


def _excess(one: Estimate, other: Estimate) -> float:
    """How much more one figure says than another, in standard errors."""
    return float(one.bits - other.bits) / max(float(np.hypot(one.stderr, other.stderr)), 1e-12)


def _said(name: str, more: float, than: str, beyond: float) -> str:
    """What a check from outside says, as a sentence."""
    if more > beyond:
        return f" {name} finds {more:.1f} standard errors more than {than}, which misses it: taken."
    return f" {name} agrees." if more >= -beyond else f" {name} finds less."
