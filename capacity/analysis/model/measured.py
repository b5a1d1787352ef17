"""How many bits does a trained latent-variable model use?  Its decoder p(x|z) and prior p(z) in the loop.

On points that the model makes itself the code that made each is an exact sample of its posterior, so that annealing
bounds log p(x) from both sides (bidirectional Monte Carlo: Grosse, Ghahramani & Adams 2015; Wu, Burda, Salakhutdinov &
Grosse 2017).  Of given points no such code is known: there the forward chains give the lower bound alone, and how far
the bounds are apart on the model's own points says how far off it is likely to be.

    -log p(x)  <=  -ELBO(x) = E_q[-log p(x|z)] + KL(q(z|x) || p(z))       what bits-back coding spends (Hinton & van
                                                                          Camp 1993; Townsend, Bird & Barber 2019)
    log p(x) - ELBO(x)      = KL(q(z|x) || p(z|x))                        the inference gap
    I(X;Z) of the model     = E log p(x|z) - log p(x)                     bits of the code in the model's own points
    E KL(q(z|x) || p(z))    = I(X;Z) of the encoder + KL(q(z) || p(z))    the rate, of which a share is information
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from capacity.analysis.latent.population import MIN_POINTS as DISTINCT
from capacity.analysis.latent.population import measure_population
from capacity.analysis.latent.unseen import reaching_for_unseen
from capacity.analysis.model.checks import check_functions, check_prior, note_log_variances
from capacity.analysis.model.evidence import PointNats, encoder_nats, point_nats
from capacity.analysis.model.latent_model import CodeRows, LatentModel, PointRows
from capacity.analysis.model.pilots import planned
from capacity.estimators.threads import threads_for_product
from capacity.results.estimate import NATS_PER_BIT, Bracket, Estimate, Kind
from capacity.results.intervals import rule_of_three_bits
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.whole import whole

MIN_POINTS = 8  # that an interval is of
LEAST_SAMPLES = 256
MOST_COMPARED = 4096  # points, to see how many are distinct


@dataclass(frozen=True)
class EncoderBits:
    """What the encoder's posterior costs; bits a point.

    Attributes:
        bits_back: the negative ELBO, what bits-back coding spends on a point; at least -log2 p(x).
        rate: E KL(q(z|x) || p(z)) of the given points.
        distortion: E -log2 p(x|z), z by the encoder.
        importance: the importance-weighted bound on log2 p(x), 256 codes, of the given points.
        inference_gap: E KL(q(z|x) || p(z|x)) on the model's own points.
        data_inference_gap: the same on the given points, a lower bound.
        information: I(X;Z) of the encoder, of the population the points were drawn from (`measure_latent`); None for
            posteriors with a full covariance.
        share: information over rate, a number from 0 to 1; None as before.
    """

    bits_back: Estimate
    rate: Estimate
    distortion: Estimate
    importance: Estimate
    inference_gap: Bracket
    data_inference_gap: Estimate
    information: Bracket | None
    share: Bracket | None


@dataclass(frozen=True)
class ModelBits:
    """What a latent-variable model makes of its code; bits a point.  Of densities of real numbers bits may be negative.

    Attributes:
        evidence: E log2 p(x) on points of the model's own.
        data_evidence: E log2 p(x) on the given points, a lower bound.
        slack: by how much the lower bound falls short on the model's own points, at most; on the given ones it is
            likely to be as good where the model fits them.
        information: I(X;Z) of the model itself: bits of z in a point that it makes.
        encoder: what the encoder costs; None without one.
        own, given: nats point by point, of the model's own points and of the given ones.
        own_points: (simulated, ...), the former.
        start: where chains started.
        temperatures: that they passed.
        accepted: mean probability that a move was accepted.
    """

    evidence: Bracket
    data_evidence: Estimate
    slack: Estimate
    information: Bracket
    encoder: EncoderBits | None
    own: PointNats
    given: PointNats
    own_points: PointRows
    start: str
    temperatures: int
    accepted: float

    def _repr_html_(self) -> str:
        from capacity.results.html import html_table, number

        found: dict[str, Estimate | Bracket | None] = {
            "evidence, log2 p(x), of the model's own points": self.evidence,
            "the same of the given points, from below": self.data_evidence,
            "of which the bound may lack": self.slack,
            "information of the model's own points": self.information,
        }
        if self.encoder is not None:
            found |= {
                "bits-back cost": self.encoder.bits_back,
                "rate": self.encoder.rate,
                "inference gap, of the model's own points": self.encoder.inference_gap,
                "information of the encoder": self.encoder.information,
                "share of the rate that is information": self.encoder.share,
            }
        rows = [[name, f"{number(e.low)} to {number(e.high)}"] for name, e in found.items() if e is not None]
        note = f"chains from the {self.start}, {self.temperatures} temperatures"
        return html_table("Bits a point", ["figure", "95 % interval"], rows, note)


def measure_model(
    key: Seed,
    x: ArrayLike,
    model: LatentModel,
    *,
    points: int = 256,
    simulated: int = 256,
    chains: int = 4,
    gap: float = 0.1,
    max_temperatures: int = 4000,
    samples: int = 4096,
    start: str | None = None,
    progress: Progress | Literal[True] | None = None,
) -> ModelBits:
    """Evidence, bits-back cost, inference gap and information of a model with a latent code.

    Bounds hold whatever the chains do; pilots on draws of their own choose start, temperatures and step sizes, so that
    they are close.  Intervals reach three standard errors, over points and chains.

    Args:
        key: decides everything drawn; a whole number is taken as a seed.
        x: (N, ...), data points, a row each: those that were not trained on, where there are any.
        model: decoder, prior and encoder.
        points: how many of them, drawn at random, have chains, at most; rate and bits-back cost are of all.
        simulated: how many points the model makes.
        chains: forward chains for each point.
        gap: nats that the bounds should be apart at most, for which more temperatures are taken.
        max_temperatures: at most.
        samples: noisy codes for the information of the encoder (`measure_latent`).
        start: "corrected encoder", "encoder" or "prior"; None chooses.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Returns:
        Figures in bits a point.

    Raises:
        TypeError, ValueError: for numbers and shapes that cannot be; where `model.simulate` does not draw from the
            density that `model.log_likelihood` computes; for a prior whose density does not add up to 1; and for
            functions that answer otherwise when they are asked twice, of other rows beside, or with their gradient.
        UserWarning: where the encoder seems to give log-variances.
    """
    rows = _checked(x)
    for name, value, least in (
        ("points", points, MIN_POINTS), ("simulated", simulated, MIN_POINTS), ("chains", chains, 2),
        ("max_temperatures", max_temperatures, 4), ("samples", samples, LEAST_SAMPLES),
    ):  # fmt: skip
        whole(value, name, least)
    if not (np.isfinite(gap) and gap > 0):
        raise ValueError(f"Expected a gap greater than 0, nats; got {gap}.")
    report = reporter(progress) or (lambda share, text: None)
    keys = jax.random.split(as_key(key), 5)
    pilot, main, chosen, coded = (_generator(one) for one in keys[:4])
    _like(rows, model.draw(_generator(keys[0]), 2))
    report(0.0, f"{len(rows):,} points, {model.units} units")
    with threads_for_product(max(points, simulated) * chains, model.units, model.units):
        check_functions(_generator(keys[0]), model)
        note_log_variances(model, rows[:MOST_COMPARED])
        check_prior(_generator(keys[0]), model, max_temperatures)
        found = planned(pilot, model, gap, max_temperatures, chains, start, lambda text: report(0.1, text))
        z, own_points = _like(rows, model.draw(main, simulated))
        own = point_nats(main, model, found.plan, own_points, chains, lambda text: report(0.4, text), z)
        some = rows[np.sort(chosen.permutation(len(rows))[:points])]
        given = point_nats(main, model, found.plan, some, chains, lambda text: report(0.7, text))
        if not np.isfinite(given.lower).all():
            raise ValueError(
                f"Expected points that the decoder holds possible; got {int((~np.isfinite(given.lower)).sum())} of "
                f"{len(some)} whose likelihood is 0 wherever chains came."
            )
        with np.errstate(all="ignore"):
            told = model.likelihood(own_points, z)
        encoder = None
        if model.encode is not None:
            report(0.85, "the encoder's posteriors")
            encoder = _encoder_bits(coded, keys[4], model, rows, own, given, samples)
        bits = ModelBits(
            _bracket(own.lower, own.upper, "annealing both ways"),
            _reaching(_estimate(given.lower, "lower"), [given.lower, own.lower]),
            _estimate(own.upper - own.lower, "upper"),
            _not_below_zero(_bracket(told - own.upper, told - own.lower, "annealing both ways")),
            encoder,
            own,
            given,
            own_points,
            found.plan.start.name,
            found.temperatures,
            float(np.concatenate([own.accepted, given.accepted]).mean()),
        )
        report(1.0, f"{float(bits.evidence.low):.2f} to {float(bits.evidence.high):.2f} bits")
        return bits


def _encoder_bits(
    rng: np.random.Generator,
    key: jax.Array,
    model: LatentModel,
    x: PointRows,
    own: PointNats,
    given: PointNats,
    samples: int,
) -> EncoderBits:
    every = encoder_nats(rng, model, x)
    rate = _estimate(every.rate, "exact")
    posterior = model.posterior(x)
    information = share = None
    if posterior.spread.ndim == 2:
        information = measure_population(key, posterior.mean, posterior.spread, samples, pairs=False).information
        if len(np.unique(x[:MOST_COMPARED].reshape(-1, x[0].size), axis=0)) >= DISTINCT:
            information = _within(information, reaching_for_unseen(rate, len(x), len(x)))
        share = _share(information, rate)
    return EncoderBits(
        _reaching(_estimate(-every.elbo, "exact"), [every.elbo, own.elbo]),
        rate,
        _estimate(-every.elbo - every.rate, "exact"),
        _reaching(_estimate(given.importance, "lower"), [given.importance, own.importance]),
        _not_below_zero(_bracket(own.lower - own.elbo, own.upper - own.elbo, "annealing both ways")),
        _estimate(given.lower - given.elbo, "lower"),
        information,
        share,
    )


def _within(information: Bracket, rate: Estimate) -> Bracket:
    """The bracket, its upper end at most the rate, which no information exceeds, whatever the prior."""
    if float(rate.high) >= float(information.high):
        return information
    return replace(information, upper=replace(rate, kind="upper"))


def _share(information: Bracket, rate: Estimate) -> Bracket:
    """Information over rate, from 0 to 1."""

    def end(bits: float, over: float, kind: Kind) -> Estimate:
        value = float(np.clip(bits / over, 0.0, 1.0)) if over > 0 else (0.0 if kind == "lower" else 1.0)
        return Estimate(value, 0.0, value, value, 1.0, rate.n, kind)

    lower = end(float(information.low), float(rate.high), "lower")
    return Bracket(lower, end(float(information.high), float(rate.low), "upper"), "information over rate")


def _estimate(nats: Float[np.ndarray, " n"], kind: Kind) -> Estimate:
    """The mean over points in bits, with the interval of a bracket's bound; where a point has none, nothing is said."""
    if not np.isfinite(nats).all():
        return Estimate(-np.inf if kind == "lower" else np.inf, np.inf, -np.inf, np.inf, np.inf, len(nats), kind)
    with jax.enable_x64(True):
        found = Estimate.from_samples(nats=jnp.asarray(nats), kind=kind).conservative()
        one: Estimate = jax.tree.map(float, found)
    return one


def _reaching(found: Estimate, nats: list[Float[np.ndarray, " n"]]) -> Estimate:
    """A mean of log densities of points, or of what they cost, its interval reaching for a kind that none showed.

    How improbable such points are to the model no sample bounds.  They are taken as far off as the farthest of the
    given and of the model's own, and at least as log2 n, which is what a kind of probability 1/n costs.

    Args:
        found: the mean over n given points.
        nats: log densities of these, and of the model's own points.
    """
    n = int(found.n)
    farthest = max(float(np.ptp(np.concatenate(nats))) / NATS_PER_BIT, float(np.log2(n)))
    most = float(rule_of_three_bits(farthest, n))
    down, up = (0.0, most) if found.kind == "exact" else (most, 0.0)
    return replace(found, low=found.low - down, high=found.high + up)


def _bracket(lower: Float[np.ndarray, " n"], upper: Float[np.ndarray, " n"], method: str) -> Bracket:
    return Bracket(_estimate(lower, "lower"), _estimate(upper, "upper"), method)


def _not_below_zero(found: Bracket) -> Bracket:
    """The bracket, cut to what information can be."""

    def cut(end: Estimate) -> Estimate:
        return replace(end, bits=max(end.bits, 0.0), low=max(end.low, 0.0), high=max(end.high, 0.0))

    return replace(found, lower=cut(found.lower), upper=cut(found.upper))


def _checked(x: ArrayLike) -> PointRows:
    rows = np.asarray(x)
    if rows.dtype.kind not in "fiub":
        raise ValueError(f"Expected points as an array of real numbers; got {rows.dtype}.")
    if rows.ndim < 2 or len(rows) < MIN_POINTS:
        raise ValueError(f"Expected at least {MIN_POINTS} points, a row each, of shape (N, ...); got {rows.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError(
            f"Expected finite points; got some that are not in row {np.argwhere(~np.isfinite(rows))[0][0]}."
        )
    return rows


def _like(x: PointRows, drawn: tuple[CodeRows, PointRows]) -> tuple[CodeRows, PointRows]:
    """Codes and points that the model made, if they have the shape of the given ones."""
    if drawn[1].shape[1:] != x.shape[1:]:
        raise ValueError(f"Expected simulate to draw points of shape {x.shape[1:]}; got {drawn[1].shape[1:]}.")
    return drawn


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
