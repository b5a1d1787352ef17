"""What the claims on noise in training share: one task, one lane with every noise, and the comparison of strengths.

The task is hard for plain descent and has an exact held-out side: the parity of 4 of 8 inputs +-1 by a network of four
hidden units, few enough that descent gets stuck.  96 of the 256 patterns are trained on, the others are all that can be
held out.  The truth is 1 bit per label on both sides.  (Sizes were chosen for plain descent alone to fall short of it.)

Every strength, no noise included, has the learning rate that is best for it among the same few, for training bits and
for held-out bits each its own: chosen with the strength itself on some seeds, and reported on others, so that no choice
flatters a figure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from jax.flatten_util import ravel_pytree

from capacity.claims import answers as statistics
from capacity.claims.claim import Context
from capacity.claims.lab.experiment import Lane, LaneFigures, intervals, labelled, run_lanes
from capacity.claims.lab.two_layer import TwoLayer, init_two_layer, two_layer
from capacity.claims.prediction import Answer, Prediction
from capacity.results.estimate import NATS_PER_BIT
from capacity.training.fitting import apply_update
from capacity.training.noises import annealed_noise, minibatch, randomly_stale_gradients

INPUTS, HIDDEN, RELEVANT = 8, 4, 4
TRAINING = 96
RATES = (0.1, 0.3, 1.0, 3.0)
PROBES = 8
SELECTION = 16  # seeds that choose
FLOOR = -8.0  # bits per label that a run is counted as, which diverged or is surer than this of the wrong


Labelled = tuple[jax.Array, jax.Array]  # inputs (n, INPUTS), labels +-1 (n,)
NoiseKind = Literal["batch", "eta", "delay"]
_Carry = tuple[TwoLayer, optax.OptState, TwoLayer]  # parameters, optimiser, parameters before the last step


class StrengthFigures(NamedTuple):
    """Bits per label (strengths, seeds) at each strength's own learning rate, on seeds that did not choose it."""

    training: np.ndarray
    held_out: np.ndarray
    rate: np.ndarray  # (2, strengths), chosen by training and by held-out bits
    cosine: np.ndarray  # (strengths, probes), of the step with the full-batch gradient, mean over seeds
    snr: np.ndarray  # (strengths, probes), mean square of full-batch descent over that of what the step adds to it
    best: int  # the strength above none that is best on the choosing seeds, by training bits
    best_held_out: int  # the same by held-out bits


def run_strengths(context: Context, key: jax.Array, kind: NoiseKind, strengths: tuple[float, ...]) -> StrengthFigures:
    """Train at every strength, the first of which is no noise, and every learning rate.

    Args:
        context: of the claim's run.
        key: decides data, starts and noises; every strength sees the same data and starts.
        kind: "batch" (examples, `TRAINING` for all), "eta" (of annealed gradient noise) or "delay" (mean, steps).
        strengths: from none upwards.
    """
    seeds, steps = (SELECTION + 112, 1600) if context.fast else (SELECTION + 240, 8000)
    strength, rate = (a.ravel() for a in np.meshgrid(strengths, RATES, indexing="ij"))
    lanes = {"batch": np.full(rate.size, TRAINING), "eta": np.zeros(rate.size), "delay": np.zeros(rate.size)}
    lanes[kind] = strength
    lanes |= {"rate": rate}
    longest = int(2 * max(strengths)) if kind == "delay" else 0

    def lane(one: Lane, keys: jax.Array) -> dict[str, jax.Array]:
        return jax.vmap(lambda key: _train(key, one, steps, longest))(keys)

    found = run_lanes(
        context,
        kind,
        lane,
        {k: jnp.asarray(v, jnp.float32) for k, v in lanes.items()},
        jax.random.split(key, seeds),
        group=8,
        span=(0.1, 1.0),
    )
    return _choose({k: v.reshape(len(strengths), len(RATES), *v.shape[1:]) for k, v in found.items()})


def _choose(found: dict[str, np.ndarray]) -> StrengthFigures:
    """Either side's figure at the learning rates best for it: held-out bits must not pay for training bits' choice."""
    scores = {side: found[side][..., :SELECTION].mean(-1) for side in ("training", "held_out")}
    at = {side: score.argmax(1) for side, score in scores.items()}
    rows = np.arange(len(at["training"]))
    return StrengthFigures(
        found["training"][rows, at["training"]][:, SELECTION:],
        found["held_out"][rows, at["held_out"]][:, SELECTION:],
        np.asarray(RATES)[np.stack([at["training"], at["held_out"]])],
        found["cosine"][rows, at["training"]][:, SELECTION:].mean(1),
        _ratio(*(found[part][rows, at["training"]][:, SELECTION:].mean(1) for part in ("signal", "noise"))),
        1 + int(scores["training"].max(1)[1:].argmax()),
        1 + int(scores["held_out"].max(1)[1:].argmax()),
    )


def _ratio(signal: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """inf where there is no noise."""
    ratio: np.ndarray = np.divide(signal, noise, out=np.full_like(signal, np.inf), where=noise > 0)
    return ratio


def gain_predictions(training: str) -> tuple[Prediction, Prediction]:
    """The two predictions that all of these claims make; `training` says what a gain in training bits means."""
    return (
        Prediction("gain in training bits", training, low=0, unit="bits per label"),
        Prediction("gain in held-out bits", "and generalises better", low=0, unit="bits per label"),
    )


def gains(figures: StrengthFigures, miss_rate: float) -> dict[str, Answer]:
    """The answers to `gain_predictions`: bits per label of the best strength less those of none.

    The same seeds stand on both sides, so they are paired.
    """
    training, held_out = figures.training, figures.held_out
    return {
        "gain in training bits": statistics.mean(training[figures.best] - training[0], miss_rate),
        "gain in held-out bits": statistics.mean(held_out[figures.best_held_out] - held_out[0], miss_rate),
    }


def strengths_data(figures: StrengthFigures, strengths: tuple[float, ...], long_name: str, units: str) -> xr.Dataset:
    """Means over seeds with 95 % intervals against the strength, for the figure.

    Args:
        figures: of `run_strengths`.
        strengths: from none upwards.
        long_name, units: of the strength.
    """
    variables: dict[str, Any] = {
        "rate": labelled(("chosen_by", "strength"), figures.rate, "learning rate by training, by held-out bits", "1"),
        "cosine": labelled(
            ("strength", "probe"), figures.cosine, "cosine of the step with the full-batch descent", "1"
        ),
        "snr": labelled(("strength", "probe"), figures.snr, "signal-to-noise ratio of a step", "1"),
    }
    for name, bits in (("training", figures.training), ("held_out", figures.held_out)):
        for end, values in intervals(bits).items():
            variables[f"{name}_{end}"] = labelled("strength", values, f"{name} bits per label, {end}", "bits per label")
    coordinates = {"strength": labelled("strength", strengths, long_name, units)}
    return xr.Dataset(variables, coordinates, {"best": figures.best, "best_held_out": figures.best_held_out})


def descend(
    optimiser: optax.GradientTransformation,
    gradient: Callable[[jax.Array], jax.Array],
    start: jax.Array,
    steps: int,
) -> jax.Array:
    """Where so many steps from `start` lead; traceable.

    Args:
        optimiser: takes the steps.
        gradient: of the loss, a function of the parameters.
        start: parameters, of any shape.
        steps: number of them.
    """

    def step(carry: tuple[jax.Array, optax.OptState], _: None) -> tuple[tuple[jax.Array, optax.OptState], None]:
        theta, state = carry
        theta, state = apply_update(optimiser, gradient(theta), state, theta)
        return (theta, state), None

    end: jax.Array = jax.lax.scan(step, (start, optimiser.init(start)), None, length=steps)[0][0]
    return end


def _train(key: jax.Array, one: Lane, steps: int, longest: int) -> dict[str, jax.Array]:
    key_data, key_init, key_noise, key_delay, key_batch = jax.random.split(key, 5)
    patterns = 2.0 * (jnp.arange(2**INPUTS)[:, None] >> jnp.arange(INPUTS)[None] & 1).astype(jnp.float32) - 1
    order = jax.random.permutation(key_data, 2**INPUTS)
    x, y = patterns[order], patterns[order][:, :RELEVANT].prod(1)
    seen, unseen = (x[:TRAINING], y[:TRAINING]), (x[TRAINING:], y[TRAINING:])
    links = [annealed_noise(one["eta"], key_noise)]
    if longest:
        delays = jnp.arange(longest + 1, dtype=jnp.float32)
        spread = (delays <= 2 * one["delay"]).astype(jnp.float32)
        links.append(randomly_stale_gradients(spread / spread.sum(), key_delay))
    optimiser = optax.chain(*links, optax.sgd(one["rate"]))

    def step(carry: _Carry, i: jax.Array) -> tuple[_Carry, None]:
        params, state, _ = carry
        drawn = minibatch(jax.random.fold_in(key_batch, i), TRAINING, one["batch"], TRAINING)
        weight = jnp.zeros(TRAINING).at[drawn.rows].set(drawn.weight)
        gradient = jax.grad(lambda p: -(weight * _log_probs(p, *seen)).sum())(params)
        after, state = apply_update(optimiser, gradient, state, params)
        return (after, state, params), None

    def part(carry: _Carry, numbers: jax.Array) -> tuple[_Carry, LaneFigures]:
        carry, _ = jax.lax.scan(step, carry, numbers)
        after, _, before = carry
        return carry, _compare(before, after, seen, one["rate"])

    params = init_two_layer(key_init, INPUTS, HIDDEN)
    numbers = jnp.arange(steps).reshape(PROBES, -1)
    (params, _, _), compared = jax.lax.scan(part, (params, optimiser.init(params), params), numbers)
    bits = [1 + _log_probs(params, *side).mean() / NATS_PER_BIT for side in (seen, unseen)]
    training, held_out = (jnp.where(jnp.isfinite(b), jnp.maximum(b, FLOOR), FLOOR) for b in bits)
    figures: dict[str, jax.Array] = {"training": training, "held_out": held_out} | compared
    return figures


def _compare(before: TwoLayer, after: TwoLayer, seen: Labelled, rate: jax.Array) -> dict[str, jax.Array]:
    """The step that was taken beside full-batch descent: their cosine (0 where there was none), and both as squares."""
    gradient = ravel_pytree(jax.grad(lambda p: -_log_probs(p, *seen).mean())(before))[0]
    move = ravel_pytree(before)[0] - ravel_pytree(after)[0]
    size = jnp.linalg.norm(move) * jnp.linalg.norm(gradient)
    rest = move - rate * gradient
    # Where nothing was added the difference is rounding: of the parameters to 6e-8 of each, of the gradient to 1e-5.
    noise, signal = rest @ rest, jnp.square(rate) * (gradient @ gradient)
    rounding = 1e-13 * optax.tree.norm(before, squared=True) + 1e-10 * signal
    return {
        "cosine": jnp.where(size > 0, move @ gradient / jnp.where(size > 0, size, 1.0), 0.0),
        "signal": signal,
        "noise": jnp.where(noise > rounding, noise, 0.0),
    }


def _log_probs(params: TwoLayer, x: jax.Array, y: jax.Array) -> jax.Array:
    """(n,) nats of the true labels +-1."""
    return jax.nn.log_sigmoid(y * two_layer(params, x))
