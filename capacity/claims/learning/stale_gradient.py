"""Asynchronous SGD: its gradients come late, by a random number of steps.  Is that a noise that helps?

On a quadratic the truth is known: with a fixed delay tau descent is stable iff eta a < 2 sin(pi / (2 (2 tau + 1))).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import exact, labelled
from capacity.claims.lab.noisy_training import gain_predictions, gains, run_strengths, strengths_data
from capacity.claims.lab.training_figure import draw_bits, draw_cosine, grid_and_legend
from capacity.plots.style import CEILING_COLOUR, GREEN
from capacity.theory.training import delay_limit
from capacity.training.fitting import apply_update
from capacity.training.noises import stale_gradients

DELAYS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
FIXED = (0, 1, 2, 4, 8)
_Carry = tuple[jax.Array, optax.OptState]
_Ends = tuple[jax.Array, jax.Array]


class StaleGradient(Claim):
    """Fresh gradients against those of 1 to 16 steps ago on average, uniform between none and twice that."""

    name = "stale_gradient"
    sentence = "noise in training is exploration energy; asynchronous SGD is such a noise"
    source = (
        "Jang (2016), Why randomness is important for deep learning; Mitliagkas et al. (2016), Asynchrony "
        "begets momentum"
    )
    references = ("jang2016why", "mitliagkas2016asynchrony")
    predictions = (
        Prediction(
            "limit of stability",
            "the largest error of five measured limits, in parts",
            high=0.01,
            unit="1",
            instrument=True,
        ),
        *gain_predictions("some delay finds what prompt descent misses"),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """The limits of fixed delays by bisection, then networks on parity under random ones."""
        limits = context.part("limits", lambda: {"limit": measured_limits()})["limit"]
        figures = run_strengths(context, key, "delay", DELAYS)
        error = float(np.abs(limits / delay_limit(FIXED) - 1).max())
        answers = {
            "limit of stability": exact(error, len(FIXED)),
        } | gains(figures, context.miss_rate)
        data = strengths_data(figures, DELAYS, "mean delay of the gradient", "steps")
        data["limit"] = labelled("delay", limits, "largest stable product of learning rate and curvature", "1")
        return Evidence(answers, data.assign_coords(delay=labelled("delay", FIXED, "fixed delay", "steps")))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Bits against the delay; cosines; limits of stability."""
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 0.8))
        ticks = ["none", *(f"{delay:g}" for delay in data.strength.values[1:])]
        draw_bits(data, left, ticks)
        draw_cosine(data, middle, ticks)
        fine = np.linspace(0, max(FIXED), 200)
        right.plot(fine, delay_limit(fine), color=CEILING_COLOUR, lw=1.2, label="2 sin(π / (2(2τ + 1)))")
        right.plot(data.delay, data.limit, "o", color=GREEN, mfc="white", label="measured")
        right.set_ylim(0)
        right.set_xlabel("fixed delay τ (steps)")
        right.set_ylabel("largest stable ηa")
        right.set_title("Limit on a quadratic")
        grid_and_legend(right, 1)


def measured_limits(halvings: int = 16) -> np.ndarray:
    """The learning rate between shrinking and growing oscillations at curvature 1, for each fixed delay."""
    steps = 4000

    def grows(rate: jax.Array, delay: jax.Array) -> jax.Array:
        optimiser = optax.chain(stale_gradients(delay, max(FIXED)), optax.sgd(rate))

        def step(carry: _Carry, _: None) -> tuple[_Carry, jax.Array]:
            theta, state = carry
            theta, state = apply_update(optimiser, theta, state, theta)
            return (jnp.clip(theta, -1e30, 1e30), state), jnp.abs(theta)

        _, path = jax.lax.scan(step, (jnp.ones(()), optimiser.init(jnp.ones(()))), None, length=steps)
        # Amplitudes over windows much longer than a period, 4 tau + 2 steps.
        late, middle = path[-200:].max(), path[steps // 2 : steps // 2 + 200].max()
        growing: jax.Array = (late > middle) | (late > 1e10)
        return growing

    def limit(delay: jax.Array) -> jax.Array:
        def halve(ends: _Ends, _: None) -> tuple[_Ends, None]:
            low, high = ends
            middle = 0.5 * (low + high)
            up = grows(middle, delay)
            return (jnp.where(up, low, middle), jnp.where(up, middle, high)), None

        (low, high), _ = jax.lax.scan(halve, (jnp.float32(0.0), jnp.float32(3.0)), None, length=halvings)
        middle: jax.Array = 0.5 * (low + high)
        return middle

    return np.asarray(jax.jit(jax.vmap(limit))(jnp.asarray(FIXED)))
