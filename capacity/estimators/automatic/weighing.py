"""Of continuous numbers: which figure is believed, and what it is called.

1. Models are compared by what they show on held-out pairs; the simplest that is not behind the best is looked at.
2. Its closed form is believed where the data show as much as pairs of its own law do (`evidence.check`).  Where they
   show a little less, its interval is widened by that; where they show far less, what is left of it is the lower bound
   that it shows.
3. Nearest neighbours, which assume no law, are asked wherever rows lie on a set of few dimensions; they are taken where
   they find more, or where no model is believed and their own interval is narrow.
4. A mixture of normal laws is asked where neighbours do not settle it, and taken where it finds more, or where nothing
   else is believed.
5. A trained critic is asked where that does not settle it either, and taken where its lower bound is above.
6. Where a row's nearest neighbour in x foretells y so well that there must be more (`foretold`), structure is finer
   than any of these resolve, and that lower bound is taken.
7. An interval wider than its figure settles nothing: it is opened up to the most that the method could say, so that the
   estimate is `saturated`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import jax
import numpy as np

from capacity.estimators.automatic.candidates import (
    BEYOND_CHANCE,
    NARROW,
    Candidate,
    Held,
    Weighed,
    excess,
    opened,
    said,
)
from capacity.estimators.automatic.evidence import (
    DRAWN,
    NEAR_ROWS,
    Check,
    Shown,
    beside_neighbours,
    check,
    shown_by,
)
from capacity.estimators.automatic.foretold import MAX_COLUMNS as MAX_FORETOLD
from capacity.estimators.automatic.foretold import foretold, surely_more
from capacity.estimators.automatic.nearness import of_neighbours
from capacity.estimators.automatic.preparation import Prepared
from capacity.estimators.checks import random_of
from capacity.estimators.estimator import RatioEstimator
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.features.projected import Projected, leading_components
from capacity.estimators.neighbours.ksg import dimension_of, scaled_margins
from capacity.estimators.neural.critic_bounds import InfoNCE
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.estimators.parametric.gaussian_mixture import MAX_COLUMNS, GaussianMixture
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.results.estimate import Estimate
from capacity.runtime.threefry import parts_of

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
DOUBTED = 1.5  # standard errors by which the data differ from a model's own law: its interval is to hold that
REFUTED = 3.0  # standard errors by which the data differ from a model's own law
SMALL = 0.1  # of the figure: what a refuted model states may be wrong by this, with an interval that says so
LEAST = 0.02  # bits
SEEN = 0.7  # of a mixture's figure: where neighbours see less of pairs of its own law, they cannot bear it out
LEVEL = 1.0  # standard errors behind the best, within which a model is as good
SATURATED = 0.7  # of the log of a block: beyond, a bound hardly tells models apart
SETTLED = 0.5  # of the figure: neighbours' interval, where nothing else is believed


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
    key_split, key_model, key_check, key_rest = parts_of(key, 4)
    key_dimension, key_neighbours, key_mixture, key_critic = parts_of(key_rest, 4)
    shown = shown_by(key_split, models, x, y)
    candidates: list[Candidate] = []
    now: Held | None = None
    if shown:
        now, candidates = _of_models(key_model, key_check, models, shown, sides)
    settled = False
    near = few_components(sides, NEAR_COMPONENTS) if wide else sides
    scaled = (scaled_margins(side, "standard") for side in (near.x, near.y))
    few = dimension_of(key_dimension, *scaled) <= NEIGHBOUR_DIMENSIONS
    if few:
        found = of_neighbours(key_neighbours, near)
        candidates.append(Candidate(found.name, found.estimate))
        now, settled = _beside_neighbours(now, found, x.shape[1] + y.shape[1])
    if not settled and now is not None and x.shape[1] + y.shape[1] <= MAX_COLUMNS:
        mixture = _mixture(key_mixture, x, y, few)
        if mixture is not None:
            if sides.atoms:
                mixture = mixture.less_sure(" No mixture has atoms.")
            candidates.append(Candidate(GaussianMixture.name, mixture.estimate))
            now, settled = _beside_mixture(now, mixture)
    if (x.shape[1] + y.shape[1] >= CRITIC_DIMENSIONS and not settled) or now is None:
        heard = few_components(sides, WIDE) if wide else sides
        critic = InfoNCE(folds=2)(key_critic, heard.x, heard.y)
        candidates.append(Candidate(InfoNCE.name, critic, float(critic.bits), float(critic.stderr)))
        now = _beside_critic(now, critic)
    if x.shape[1] + y.shape[1] <= MAX_FORETOLD:
        now, candidates = _beside_foretold(now, candidates, sides)
    estimate, words = opened(now.estimate)
    if estimate.kind == "lower":
        words += " It is a lower bound: the truth may be larger."
    return Weighed(now.name, estimate, now.why + words, tuple(candidates))


def _of_models(
    key_model: jax.Array,
    key_check: jax.Array,
    models: Sequence[RatioEstimator],
    shown: dict[RatioEstimator, Shown],
    sides: Prepared,
) -> tuple[Held, list[Candidate]]:
    """What the simplest model that is not behind the best states, as far as the data bear it out."""
    x, y = sides.x, sides.y
    best = max(shown, key=lambda m: shown[m].bits)
    level = [m for m in models if m in shown and shown[m].behind(shown[best]) <= LEVEL]
    stated = {m: m(key_model, x, y) for m in level if m is level[0] or not isinstance(m, FeatureCCA)}
    chosen = level[0]
    saturated = shown[best].bits > SATURATED * np.log2(shown[best].block)
    if saturated:  # blocks tell these models apart no more: the least that one of them states
        chosen = min(stated, key=lambda m: float(stated[m].bits))
    why = f"Of {len(shown)} models, {chosen} shows the most on held-out pairs" + (
        "." if chosen is best else f", or no less than {best} beyond chance, and is simpler."
    )
    found = believed(stated[chosen], shown[chosen], check(key_check, chosen, shown[chosen], x, y), sides.atoms)
    if isinstance(chosen, FeatureCCA):
        found = found.less_sure(" Features express no more than there is.")
    elif found.settles:
        found = replace(found, estimate=_hull(found.estimate, list(stated.values())))
    found = replace(found, name=str(chosen), why=why + found.why)
    return found, [Candidate(str(m), stated.get(m), s.bits, s.stderr) for m, s in shown.items()]


def _hull(estimate: Estimate, others: Sequence[Estimate]) -> Estimate:
    """The estimate, its interval wide enough to hold what other models state that show as much."""
    figures = [float(other.bits) for other in others]
    return replace(estimate, low=min(float(estimate.low), *figures), high=max(float(estimate.high), *figures))


def believed(stated: Estimate, shown: Shown, checked: Check | None, atoms: bool) -> Held:
    """What a model states, as far as the data bear it out; its name and what was said before are left empty.

    Args:
        stated: the model's closed form.
        shown: what it shows on held-out pairs.
        checked: the data beside pairs of its own law; None where that cannot be drawn from.
        atoms: whether the data have atoms, which no such law has.
    """
    if checked is None:
        return Held("", stated, "")
    held_out, near = checked.held_out, checked.near
    small = max(SMALL * abs(float(stated.bits)), LEAST)
    words = f" It shows {held_out.seen:.2f} bits there, where pairs of its own law show {held_out.expected:.2f}:"
    if atoms or (held_out.errors < -REFUTED and held_out.more < -small):
        words = " No such law has atoms:" if atoms else words
        words += f" the {float(stated.bits):.2f} bits of its closed form are not believed."
        return Held("", _bound(shown, stated), words, settles=False)
    why = ""
    if abs(held_out.errors) > DOUBTED:  # what is stated beyond what is shown widens the interval down to it
        stated = _reaching(stated, held_out.more)
        why = words + " so much wider." if abs(held_out.errors) > REFUTED else ""
    if near is None:
        return Held("", stated, why)
    words = f" Neighbours say {near.seen:.2f} bits of these pairs and {near.expected:.2f} of pairs of its law:"
    if abs(near.errors) <= DOUBTED:
        return Held("", stated, why + words + " they agree.", confirmed=True)
    # Neighbours tell less of a difference than there is, the more so the more columns: up to twice what they say.
    wider = _reaching(stated, 2 * near.more)
    if abs(near.errors) <= REFUTED:
        return Held("", wider, why + words + " so much wider.")
    moved = replace(wider, bits=stated.bits + near.more, stderr=float(np.hypot(stated.stderr, near.more / 2)))
    found = Held("", moved, why + words + " it is moved by what they differ.", settles=abs(near.more) <= small)
    return found.less_sure(" It misses some.") if near.more > small else found


def _reaching(stated: Estimate, more: float) -> Estimate:
    """An interval that reaches beyond its end by so many bits, up or down."""
    return replace(stated, low=float(stated.low) + min(more, 0.0), high=float(stated.high) + max(more, 0.0))


def _bound(shown: Shown, stated: Estimate) -> Estimate:
    """What is shown on held-out pairs, as a lower bound, in bits."""
    limit = np.log2(shown.block)
    bound = Estimate.from_normal(bits=shown.bits, stderr=shown.stderr, kind="lower", n=stated.n, limit=limit)
    return replace(bound, high=max(float(bound.high), 0.0))


def wide_models(models: Sequence[RatioEstimator], columns: int) -> tuple[RatioEstimator, ...]:
    """The models that so many columns of x and y together leave time for, and those of few components."""
    limits = {Student: MAX_STUDENT, StudentCopula: MAX_STUDENT}
    return (*(m for m in models if columns <= limits.get(type(m), MAX_WHOLE)), *PROJECTED)


def few_components(sides: Prepared, count: int) -> Prepared:
    """The leading principal components of each side, without ties."""
    x, y = (leading_components(side, count)[0](side) for side in (sides.x, sides.y))
    return replace(sides, x=x, y=y, tied_x=x, tied_y=y, atoms=False)


def _beside_neighbours(now: Held | None, found: Held, dimensions: int) -> tuple[Held, bool]:
    """What is believed once neighbours were asked, and whether that settles it."""
    if now is None:
        return replace(found, why="No model fits so few pairs: nearest neighbours."), False
    more = excess(found.estimate, now.estimate)
    # With one column a side neighbours are all but unbiased, so that the lesser doubt is enough to take them.
    beyond = BEYOND_CHANCE if dimensions > 2 else BEYOND_CHANCE / 2
    why = now.why + said(found.name, more, now.name, beyond)
    if more > beyond:
        return replace(found, why=why), False
    held_up = more >= -beyond or now.estimate.kind == "point"  # a lower bound that is above them stands
    if not now.settles and held_up and _narrow(found.estimate):
        return replace(found, why=why + f" {found.name} assumes no law: taken."), True
    # In more columns neighbours lose bits: only beside pairs of the same law do they bear it out.
    return replace(now, why=why), now.settles and (now.confirmed if dimensions > 2 else abs(more) <= beyond)


def _mixture(key: jax.Array, x: np.ndarray, y: np.ndarray, near: bool) -> Held | None:
    """A mixture of normal laws, as far as neighbours bear it out; None where so few pairs allow none.

    Args:
        key: of the fit, and of pairs drawn from it.
        x, y: the pairs.
        near: whether rows lie on so few dimensions that neighbours are asked.
    """
    key_fit, key_draw, key_rows = parts_of(key, 3)
    try:
        estimate, fitted = GaussianMixture().with_law(key_fit, x, y)
    except ValueError:
        return None
    found = Held(GaussianMixture.name, estimate, "", settles=estimate.kind == "point")
    if not near:
        return found.less_sure(" Nothing else bears it out in so many dimensions.")
    seen = fitted.of_x(x), fitted.of_y(y)
    dx = seen[0].shape[1]
    rows = np.split(fitted.law.drawn(random_of(key_draw), DRAWN * min(len(x), NEAR_ROWS)), DRAWN)
    beside = beside_neighbours(key_rows, seen, [(some[:, :dx], some[:, dx:]) for some in rows])
    words = f" Neighbours say {beside.seen:.2f} bits of these pairs and {beside.expected:.2f} of pairs of the mixture:"
    if beside.errors > REFUTED:
        return found.less_sure(words + " it misses some.")
    if beside.expected < SEEN * float(estimate.bits):
        return found.less_sure(words + " they see too little of either to bear it out.")
    wider = _reaching(estimate, 2 * beside.more) if abs(beside.errors) > DOUBTED else estimate
    return replace(found, estimate=wider)


def _beside_mixture(now: Held, mixture: Held) -> tuple[Held, bool]:
    """What is believed once a mixture was asked, and whether that settles it."""
    more = excess(mixture.estimate, now.estimate)
    why = now.why + said(GaussianMixture.name, more, now.name, BEYOND_CHANCE)
    if more > BEYOND_CHANCE or (not now.settles and mixture.settles and more >= -BEYOND_CHANCE):
        return replace(mixture, why=why + mixture.why), False
    return replace(now, why=why), now.settles and mixture.settles and abs(more) <= BEYOND_CHANCE


def _beside_critic(now: Held | None, critic: Estimate) -> Held:
    if now is None:
        return Held(InfoNCE.name, critic, "Only a trained critic takes so many columns.")
    more = excess(critic, now.estimate)
    why = now.why + said(InfoNCE.name, more, now.name, BEYOND_CHANCE)
    return Held(InfoNCE.name, critic, why) if more > BEYOND_CHANCE else replace(now, why=why)


def _beside_foretold(now: Held, candidates: list[Candidate], sides: Prepared) -> tuple[Held, list[Candidate]]:
    bound = foretold(sides.x, sides.y)
    if not surely_more(bound, now.estimate):
        return now, candidates
    words = " Nearest rows foretell more than that: what turns so fast is not resolved."
    return Held("foretold", bound, now.why + words), [*candidates, Candidate("foretold", bound)]


def _narrow(estimate: Estimate) -> bool:
    return float(estimate.high - estimate.low) <= max(SETTLED * float(estimate.bits), NARROW)
