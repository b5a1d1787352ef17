"""Learning rate and batch size as a temperature: does a hot run end in a wide minimum, and a cold one in a narrow one?

Every run walks at its own learning rate and minibatch for the same number of steps, then all go down to the bottom of
where they are by the same full-batch descent, so that curvature is compared at minima and not inside the noise.
Sharpness is the largest eigenvalue of the training loss's Hessian (Lanczos); its trace is beside it (Hutchinson).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from scipy.stats import spearmanr

from capacity.analysis.weights import hessian_product, hutchinson, largest_eigenvalues
from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Lane, exact, grid, labelled, run_lanes
from capacity.claims.lab.training_figure import grid_and_legend
from capacity.claims.lab.two_layer import TwoLayer, init_two_layer, two_layer
from capacity.plots.style import BLUE, GREEN, GREY, ORANGE, RED, SKY, log_ticks
from capacity.training.noises import minibatch

RATES = (0.01, 0.02, 0.04, 0.08, 0.16)
BATCHES = (2, 4, 8, 16, 32)
INPUTS, HIDDEN, EXAMPLES, FRESH = 6, 16, 64, 1024
NOISE = 0.3  # of the targets
DESCENT_RATE = 0.05
COLOURS = (BLUE, SKY, GREEN, ORANGE, RED)


class Temperature(Claim):
    """A two-layer network of 16 units on 64 noisy targets of a smaller one; 5 learning rates x 5 batch sizes."""

    name = "temperature"
    sentence = "a high learning rate or small batch finds wide minima, the reverse narrow ones"
    source = (
        "Keskar et al. (2017), On large-batch training for deep learning; Jastrzębski et al. (2017), "
        "Three factors influencing minima in SGD"
    )
    references = ("keskar2017large", "jastrzebski2017three")
    predictions = (
        Prediction(
            "error of the largest eigenvalue",
            "Lanczos agrees with the dense Hessian, in parts of it",
            high=1e-3,
            unit="1",
            instrument=True,
        ),
        Prediction(
            "sharpness with learning rate",
            "the higher the learning rate, the wider: rank correlation within a seed",
            high=0,
            unit="1",
        ),
        Prediction(
            "sharpness with batch",
            "the larger the batch, the narrower: rank correlation within a seed",
            low=0,
            unit="1",
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """All learning rates and batches from the same starts, data by seed."""
        seeds, steps = (8, 3000) if context.fast else (20, 30_000)
        lanes = grid(rate=RATES, batch=BATCHES)
        found = run_lanes(
            context,
            "runs",
            lambda one, keys: jax.vmap(lambda key: _run(key, one, steps))(keys),
            {k: jnp.asarray(v, jnp.float32) for k, v in lanes.items()},
            jax.random.split(key, seeds),
            group=10,
        )
        sharp = np.where(np.isfinite(found["training"]), found["sharpness"], np.nan)
        error = context.part("dense", lambda: {"error": np.asarray(_lanczos_error(key))})["error"]
        answers = {
            "error of the largest eigenvalue": exact(float(error)),
            "sharpness with learning rate": statistics.mean(_ranks(lanes["rate"], sharp), context.miss_rate),
            "sharpness with batch": statistics.mean(_ranks(lanes["batch"], sharp), context.miss_rate),
        }
        shape = (len(RATES), len(BATCHES), seeds)
        dims = ("rate", "batch", "seed")
        words = {
            "sharpness": ("largest eigenvalue of the Hessian", "loss per squared weight"),
            "trace": ("trace of the Hessian", "loss per squared weight"),
            "training": ("training loss at the minimum", "squared error"),
            "held_out": ("held-out loss at the minimum", "squared error"),
            "slope": ("norm of the gradient at the end", "loss per weight"),
        }
        data = xr.Dataset({k: labelled(dims, found[k].reshape(shape), *w) for k, w in words.items()})
        data = data.assign_coords(
            rate=labelled("rate", RATES, "learning rate", "1"),
            batch=labelled("batch", BATCHES, "minibatch", "examples"),
        )
        return Evidence(answers, data)

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Sharpness against the learning rate for every batch; held-out loss against sharpness."""
        left, right = figure.subplots(1, 2)
        for i, batch in enumerate(data.batch.values):
            rows = data.sharpness.isel(batch=i).values
            middle = [np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in rows]
            left.plot(data.rate, middle, "-", color=COLOURS[i], label=f"batch {batch:g}: median and runs")
            rates = np.repeat(data.rate.values[:, None], rows.shape[1], 1)
            left.plot(rates, rows, ".", color=COLOURS[i], alpha=0.5, label=f"_batch {batch:g}, a run")
            held_out = data.held_out.isel(batch=i).values.ravel()
            right.plot(rows.ravel(), held_out, "o", ms=4, mfc="white", color=COLOURS[i], label=f"batch {batch:g}")
        log_ticks(left, data.rate.values)
        left.set_xlabel("learning rate")
        left.set_title("Sharpness of the minimum found")
        right.axhline(NOISE**2, color=GREY, ls=(0, (6, 3)), lw=1.2, label="noise of the targets: no model is below")
        right.set_xscale("log")
        right.set_yscale("log")
        right.set_xlabel("largest eigenvalue of the Hessian")
        right.set_ylabel("held-out squared error")
        right.set_title("Sharpness and generalisation, a point a run")
        left.set_yscale("log")
        left.set_ylabel("largest eigenvalue of the Hessian")
        plain = FuncFormatter(lambda value, _: f"{value:g}")
        for axis in (left.yaxis, right.xaxis, right.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
            axis.set_major_formatter(plain)
            axis.set_minor_locator(NullLocator())
        for axes in (left, right):
            grid_and_legend(axes)


_Data = tuple[jax.Array, jax.Array]  # inputs (n, INPUTS), targets (n,)


def _ranks(setting: np.ndarray, sharp: np.ndarray) -> np.ndarray:
    """Spearman's correlation of a setting (lanes,) with sharpness (lanes, seeds) within each seed, (seeds,).

    Seeds are independent, runs of one seed are not: they share data and start.  A run that diverged has no minimum.
    """
    whole = np.isfinite(sharp)
    return np.array([spearmanr(setting[w], column[w])[0] for column, w in zip(sharp.T, whole.T, strict=True)])


def _task(key: jax.Array) -> tuple[_Data, _Data]:
    """Training and fresh examples: a network of 3 units of twice the usual weights, and Gaussian noise."""
    key_teacher, key_x, key_noise = jax.random.split(key, 3)
    teacher = jax.tree.map(lambda leaf: 2 * leaf, init_two_layer(key_teacher, INPUTS, 3))
    x = jax.random.normal(key_x, (EXAMPLES + FRESH, INPUTS))
    y = two_layer(teacher, x) + NOISE * jax.random.normal(key_noise, x.shape[:1])
    return (x[:EXAMPLES], y[:EXAMPLES]), (x[EXAMPLES:], y[EXAMPLES:])


def _loss(params: TwoLayer, data: _Data) -> jax.Array:
    return jnp.square(two_layer(params, data[0]) - data[1]).mean()


def _run(key: jax.Array, one: Lane, steps: int) -> dict[str, jax.Array]:
    key_task, key_init, key_batch, key_lanczos, key_trace = jax.random.split(key, 5)
    (x, y), fresh = _task(key_task)

    def step(params: TwoLayer, i: jax.Array) -> tuple[TwoLayer, None]:
        drawn = minibatch(jax.random.fold_in(key_batch, i), EXAMPLES, one["batch"], max(BATCHES))

        def loss(params: TwoLayer) -> jax.Array:
            return (drawn.weight * jnp.square(two_layer(params, x[drawn.rows]) - y[drawn.rows])).sum()

        return jax.tree.map(lambda p, g: p - one["rate"] * g, params, jax.grad(loss)(params)), None

    def descend(params: TwoLayer, _: None) -> tuple[TwoLayer, None]:
        return jax.tree.map(lambda p, g: p - DESCENT_RATE * g, params, jax.grad(_loss)(params, (x, y))), None

    params, _ = jax.lax.scan(step, init_two_layer(key_init, INPUTS, HIDDEN), jnp.arange(steps))
    params, _ = jax.lax.scan(descend, params, None, length=steps)
    product, dim = hessian_product(lambda p: _loss(p, (x, y)), params)
    return {
        "sharpness": largest_eigenvalues(key_lanczos, product, dim, 1, 20).values[0],
        "trace": hutchinson(key_trace, product, dim, 16).value,
        "training": _loss(params, (x, y)),
        "held_out": _loss(params, fresh),
        "slope": jnp.linalg.norm(ravel_pytree(jax.grad(_loss)(params, (x, y)))[0]),
    }


def _lanczos_error(key: jax.Array) -> jax.Array:
    """Of the largest eigenvalue, as it is measured in the runs, against all of them from the dense matrix."""
    matrix, found = _hessian(key)
    dense = np.linalg.eigvalsh(np.asarray(matrix, np.float64))
    error: jax.Array = jnp.abs(found - dense[-1]) / dense[-1]
    return error


@jax.jit
def _hessian(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of the run at its start, (dim, dim), and its largest eigenvalue by products."""
    data, _ = _task(key)
    params = init_two_layer(key, INPUTS, HIDDEN)
    product, dim = hessian_product(lambda p: _loss(p, data), params)
    return jax.vmap(product)(jnp.eye(dim)), largest_eigenvalues(key, product, dim, 1, 20).values[0]
