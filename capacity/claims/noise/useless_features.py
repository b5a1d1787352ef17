"""Random features beside the useful ones: they carry 0 bits about the label, and cost bits where data are few.

A classifier sees 8 normal features, the sign of whose sum is the label, flipped in one case of ten: 1 - h(0.1) =
0.5310 bits; beside them up to 256 features of pure noise.  A least-squares fit of least norm sees 20 useful features
and 400 faint useless ones: there the useless act as a ridge penalty of their summed variance (Kobak, Lomond &
Sanchez 2020), and where examples are as few as the useful features that is worth bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.classifier import ClassifierTraining, Examples, Split, held_out_bits
from capacity.claims.lab.experiment import Lane, LaneFigures, grid, intervals, keys_of, labelled, run_lanes
from capacity.estimators import estimate
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, RED, legend_below, quiet_grid
from capacity.results.estimate import Estimate

USEFUL, FLIP, TRUTH = 8, 0.1, 0.531004
SIZES = (64, 256, 1024)
COUNTS = (0, 4, 16, 64, 256)
VALID, TEST = 512, 4096
LINEAR_USEFUL, LINEAR_NOISE, FAINT = 20, 0.5, 0.2
LINEAR_SIZES, LINEAR_COUNTS = (20, 40, 160), (0, 25, 50, 100, 200, 400)
LINEAR_TEST = 512
HUES = (RED, GREEN, BLUE)


class UselessFeatures(Claim):
    """A network stopped by validation, and least squares, with and without useless features."""

    name = "useless_features"
    sentence = "random features, unlike noise on the features, only hurt"
    source = (
        "Guyon & Elisseeff (2003), An introduction to variable and feature selection; against it: Kobak, "
        "Lomond & Sanchez (2020), The optimal ridge penalty"
    )
    references = ("guyon2003introduction", "kobak2020optimal")
    predictions = (
        Prediction("bits that useless features carry", "they say nothing about the label", -0.02, 0.02),
        *(
            Prediction(
                f"cost of 256 useless features, N = {n}", "they cost a network bits", low=0.0, unit="bits per label"
            )
            for n in SIZES
        ),
        *(
            Prediction(f"cost of 400 useless features, least squares, N = {n}", "they cost a linear fit bits", low=0.0)
            for n in LINEAR_SIZES
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train at every size, number of useless features and seed; a seed's examples are the same at every number."""
        keys = jax.random.split(key, 3)
        seeds, recipe = 6, ClassifierTraining(2, width=32)
        if not context.fast:
            seeds, recipe = 15, recipe._replace(steps=1920, checks=48)
        fits = 40 if context.fast else 200
        network = _lanes(context, keys[0], "network", _network(recipe), (SIZES, COUNTS, seeds), 30, (0.0, 0.7))
        linear = _lanes(
            context, keys[1], "linear", _least_squares, (LINEAR_SIZES, LINEAR_COUNTS, fits), 800, (0.7, 0.9)
        )
        carried = context.part("carried", lambda: _carried(keys[2], 20_000 if context.fast else 40_000))
        answers = costs(network, linear, context.miss_rate)
        answers["bits that useless features carry"] = statistics.of_estimate(
            Estimate(**{k: float(v) for k, v in carried.items()}, kind="point"), context.miss_rate
        )
        return Evidence(answers, _dataset(network, linear))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Held-out bits against the number of useless features: the network's, and those of least squares."""
        left, right = figure.subplots(1, 2)
        for axes, kind in ((left, "network"), (right, "linear")):
            place = np.arange(data.sizes[f"{kind}_count"])
            for i, hue in enumerate(HUES):
                one = data.isel({f"{kind}_size": i})
                mean = one[f"{kind}_mean"]
                reach = [mean - one[f"{kind}_low"], one[f"{kind}_high"] - mean]
                size = int(one[f"{kind}_size"])
                axes.errorbar(place, mean, reach, fmt="o-", color=hue, capsize=2, label=f"{size:,} examples")
            axes.set_xticks(place, [f"{c}" for c in data[f"{kind}_count"].values])
            axes.axhline(0.0, color=GREY, lw=0.8, label="_none")
            axes.set_xlabel("useless features beside the useful ones")
            quiet_grid(axes)
        left.axhline(TRUTH, color=BLACK, lw=1.2, label="what the useful features carry")
        left.set_ylabel("held-out bits per label")
        left.set_title("A network, 8 useful features")
        right.axhline(
            0.5 * np.log2(1 + 1 / LINEAR_NOISE**2), color=BLACK, lw=1.2, label="what the useful features carry"
        )
        right.set_ylabel("held-out bits, ½ log2(variance / error²)")
        right.set_title("Least squares, 20 useful features")
        for axes in (left, right):
            legend_below(axes)


def _lanes(
    context: Context,
    key: jax.Array,
    name: str,
    lane: Callable[[Lane, object], LaneFigures],
    axes: tuple[tuple[int, ...], tuple[int, ...], int],
    group: int,
    span: tuple[float, float],
) -> np.ndarray:
    """Held-out bits (sizes, counts, seeds) of a lane at every size of data and number of useless features."""
    sizes, counts, seeds = axes
    lanes = grid(size=sizes, count=counts, seed=range(seeds))
    args = {
        "key": keys_of(key, lanes["seed"]),
        "size": jnp.asarray(lanes["size"], jnp.int32),
        "count": jnp.asarray(lanes["count"], jnp.int32),
    }
    bits = run_lanes(context, name, lane, args, group=group, span=span)["bits"]
    return bits.reshape(len(sizes), len(counts), seeds)


def costs(network: np.ndarray, linear: np.ndarray, miss_rate: float) -> dict[str, Answer]:
    """Bits without useless features less bits with most of them, seed by seed; arrays (sizes, counts, seeds)."""
    answers = {}
    for i, size in enumerate(SIZES):
        lost = network[i, 0] - network[i, -1]
        answers[f"cost of 256 useless features, N = {size}"] = statistics.mean(lost, miss_rate)
    for i, size in enumerate(LINEAR_SIZES):
        lost = linear[i, 0] - linear[i, -1]
        answers[f"cost of 400 useless features, least squares, N = {size}"] = statistics.mean(lost, miss_rate)
    return answers


def _network(recipe: ClassifierTraining) -> Callable[[Lane, object], LaneFigures]:
    def lane(one: Lane, _: object) -> LaneFigures:
        key_data, key_flip, key_fit = jax.random.split(one["key"], 3)
        ends = (max(SIZES), max(SIZES) + VALID)
        inputs = jax.random.normal(key_data, (ends[1] + TEST, USEFUL + max(COUNTS)))
        labels = inputs[:, :USEFUL].sum(1) > 0
        labels = (labels ^ jax.random.bernoulli(key_flip, FLIP, labels.shape)).astype(jnp.int32)
        shown = jnp.where(jnp.arange(inputs.shape[1]) < USEFUL + one["count"], 1.0, 0.0)
        inputs = inputs * shown[None]
        split = Split(*(Examples(*part) for part in zip(jnp.split(inputs, ends), jnp.split(labels, ends), strict=True)))
        return held_out_bits(key_fit, recipe, split, one["size"], lambda key, batch: batch)

    return lane


def _least_squares(one: Lane, _: object) -> LaneFigures:
    """Held-out bits of the fit of least norm; examples and features that are not used are rows and columns of zeros."""
    key_data, key_weight, key_noise = jax.random.split(one["key"], 3)
    rows, most = max(LINEAR_SIZES), max(LINEAR_COUNTS)
    inputs = jax.random.normal(key_data, (rows + LINEAR_TEST, LINEAR_USEFUL + most))
    scale = jnp.where(jnp.arange(LINEAR_USEFUL + most) < LINEAR_USEFUL, 1.0, FAINT)
    shown = jnp.where(jnp.arange(LINEAR_USEFUL + most) < LINEAR_USEFUL + one["count"], scale, 0.0)
    weight = jax.random.normal(key_weight, (LINEAR_USEFUL,))
    weight = weight / jnp.linalg.norm(weight)
    noise = LINEAR_NOISE * jax.random.normal(key_noise, (rows + LINEAR_TEST,))
    target = inputs[:, :LINEAR_USEFUL] @ weight + noise
    inputs = inputs * shown[None]
    used = (jnp.arange(rows) < one["size"]).astype(jnp.float32)
    known, answer = inputs[:rows] * used[:, None], target[:rows] * used
    # Least norm by the smaller Gram matrix of rows; its null space, rows of zeros, is cut off.
    fit = known.T @ (jnp.linalg.pinv(known @ known.T, rtol=1e-5, hermitian=True) @ answer)
    error = jnp.square(target[rows:] - inputs[rows:] @ fit).mean()
    return {"bits": 0.5 * jnp.log2((1 + LINEAR_NOISE**2) / error)}


def _carried(key: jax.Array, n: int) -> dict[str, Any]:
    """What two useless features say of the label, by nearest neighbours (Ross 2014) with the estimator's interval."""
    key_label, key_feature, key_estimate = jax.random.split(key, 3)
    label = np.asarray(jax.random.bernoulli(key_label, 0.5, (n,))).astype(np.int64)
    found = estimate(key_estimate, np.asarray(jax.random.normal(key_feature, (n, 2)), np.float64), label, "mixed")
    return {k: getattr(found, k) for k in ("bits", "stderr", "low", "high", "limit", "n")}


def _dataset(network: np.ndarray, linear: np.ndarray) -> xr.Dataset:
    variables: dict[str, Any] = {}
    for kind, bits in (("network", network), ("linear", linear)):
        dims = (f"{kind}_size", f"{kind}_count", f"{kind}_seed")
        ends = intervals(bits)
        variables[f"{kind}_bits"] = labelled(dims, bits, f"held-out bits, {kind}")
        for name, end in (("mean", "value"), ("low", "low"), ("high", "high")):
            words = f"held-out bits, {kind}: {name} of the 95 % interval over seeds"
            variables[f"{kind}_{name}"] = labelled(dims[:2], ends[end], words)
    return xr.Dataset(
        variables,
        {
            "network_size": labelled("network_size", SIZES, "examples", "examples"),
            "network_count": labelled("network_count", COUNTS, "useless features", "features"),
            "linear_size": labelled("linear_size", LINEAR_SIZES, "examples", "examples"),
            "linear_count": labelled("linear_count", LINEAR_COUNTS, "useless features", "features"),
        },
    )
