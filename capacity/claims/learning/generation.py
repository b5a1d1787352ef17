"""A network learns to generate vectors of exactly known entropy, from few examples or many, under noise.

Vectors are stationary Markov chains of 12 symbols +-1, of exactly 7.10 bits.  The generator is autoregressive (MADE,
Germain et al. 2015), so that its probability of every vector can be listed, and what it is short of the truth is exact
too: excess = KL(truth || generator) in bits, 0 for a perfect one, without any sampling.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Lane, intervals, labelled, run_lanes
from capacity.claims.lab.training_figure import grid_and_legend
from capacity.plots.style import BLUE, CEILING_COLOUR, GREEN, RED, SOURCE_COLOUR
from capacity.results.estimate import NATS_PER_BIT
from capacity.training import cosine_adam
from capacity.training.fitting import apply_update
from capacity.training.noises import annealed_noise
from synthetic import MarkovBits

SYMBOLS, HIDDEN, BATCH = 12, 96, 64
COUNTS = (8, 32, 128, 512, 2048, 16384)  # examples; 2^7.10 = 138
FEW_EXAMPLES = COUNTS.index(32)
STRENGTHS = {"dropout": (0.1, 0.3, 0.5), "gaussian": (0.3, 1.0, 3.0), "gradient": (1e-5, 1e-3, 1e-1)}
WORDS = {"dropout": "dropout", "gaussian": "Gaussian noise in the units", "gradient": "gradient noise"}
COLOURS = {"dropout": RED, "gaussian": BLUE, "gradient": GREEN}
SELECTION = 4  # runs that choose the strength
_Carry = tuple[dict[str, jax.Array], optax.OptState]


class Generation(Claim):
    """Three noises of three strengths against none, at 8 to 16,384 examples; the same number of steps for all."""

    name = "generation"
    sentence = "noise helps a network that has few examples to generate what they are examples of"
    source = (
        "Srivastava et al. (2014), Dropout, on the size of the data set; on the gradient: Neelakantan et "
        "al. (2015), Adding gradient noise improves learning"
    )
    references = ("srivastava2014dropout", "neelakantan2015adding")
    predictions = (
        Prediction("excess at 16,384 examples", "without noise the truth is learnt", high=0.1, unit="bits per vector"),
        Prediction("dropout at 32 examples", "some dropout comes nearer to the truth", high=0, unit="bits per vector"),
        Prediction("gaussian at 32 examples", "and some noise in the units", high=0, unit="bits per vector"),
        Prediction("gradient at 32 examples", "and some noise on the gradient", high=0, unit="bits per vector"),
        Prediction(
            "dropout at 16,384 examples", "the strongest dropout only harms then", low=0, unit="bits per vector"
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Every noise at every number of examples, several runs each."""
        source = MarkovBits(jnp.eye(SYMBOLS))
        runs, steps = (SELECTION + 8, 600) if context.fast else (SELECTION + 40, 6000)
        kinds = [("none", 0.0), *((kind, s) for kind, strengths in STRENGTHS.items() for s in strengths)]
        rows = [(kind, s, count) for kind, s in kinds for count in COUNTS]
        lanes: dict[str, Any] = {k: jnp.asarray([s if kind == k else 0.0 for kind, s, _ in rows]) for k in STRENGTHS}
        lanes["count"] = jnp.asarray([count for _, _, count in rows])

        def lane(one: Lane, shared: tuple[MarkovBits, jax.Array]) -> dict[str, jax.Array]:
            source, keys = shared
            return {"excess": jax.vmap(lambda key: excess_bits(key, source, one, steps))(keys)}

        found = run_lanes(context, "runs", lane, lanes, (source, jax.random.split(key, runs)), group=10)
        excess = found["excess"].reshape(len(kinds), len(COUNTS), runs)
        names = [kind for kind, _ in kinds]
        by = {kind: excess[[i for i, n in enumerate(names) if n == kind]] for kind in ("none", *STRENGTHS)}
        rate = context.miss_rate
        answers = {"excess at 16,384 examples": statistics.mean(by["none"][0, -1], rate)}
        for kind in STRENGTHS:
            few = by[kind][:, FEW_EXAMPLES]
            best = few[:, :SELECTION].mean(1).argmin()
            gap = (few[best] - by["none"][0, FEW_EXAMPLES])[SELECTION:]  # the same examples and starts on both sides
            answers[f"{kind} at 32 examples"] = statistics.mean(gap, rate)
        answers["dropout at 16,384 examples"] = statistics.mean(by["dropout"][-1, -1] - by["none"][0, -1], rate)
        return Evidence(answers, _dataset(by, source))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Excess against the number of examples, a panel a noise."""
        panels = figure.subplots(1, 3, sharey=True)
        for axes, (kind, hue) in zip(panels, COLOURS.items(), strict=True):
            axes.plot(
                data["count"], data.none.mean("run")[0], "o-", color=CEILING_COLOUR, mfc="white", label="no noise"
            )
            for i, shade in enumerate((0.4, 0.7, 1.0)):
                ends = intervals(data[kind][i])
                value, high = ends["value"], ends["high"]
                label = f"{float(data[f'strength_{kind}'][i]):g}"
                axes.errorbar(
                    data["count"], value, high - value, fmt="o-", ms=4, capsize=2, color=hue, alpha=shade, label=label
                )
            axes.axvline(2 ** data.attrs["bits"], color=SOURCE_COLOUR, lw=0.8, ls=":", label="2^H examples")
            axes.axhline(data.attrs["uniform"], color=SOURCE_COLOUR, lw=1.2, ls=(0, (6, 3)), label="knowing nothing")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("examples trained on")
            axes.set_title(WORDS[kind])
            grid_and_legend(axes, 1)
        panels[0].set_ylabel("excess over the entropy, KL (bits per vector)")


def excess_bits(key: jax.Array, source: MarkovBits, one: Lane, steps: int) -> jax.Array:
    """KL(source || generator) in bits after training on `count` drawn vectors; exact, all vectors listed; traceable.

    Args:
        key: decides the vectors, the start and the noise.
        source: of `SYMBOLS` symbols +-1, listable.
        one: `count` of examples, at most 16,384, and strengths of `dropout` (a chance), `gaussian` (deviation of the
            noise on hidden units) and `gradient` (variance at the first step) noise, 0 for none; all may be traced.
        steps: of Adam, each on a batch of 64 of the examples.
    """
    key_data, key_init, key_fit, key_gradient = jax.random.split(key, 4)
    pool = source.sample(key_data, max(COUNTS)).vector
    optimiser = optax.chain(annealed_noise(one["gradient"], key_gradient), cosine_adam(1e-2, steps))

    def step(carry: _Carry, i: jax.Array) -> tuple[_Carry, None]:
        params, state = carry
        key_rows, key_noise = jax.random.split(jax.random.fold_in(key_fit, i))
        x = pool[jax.random.randint(key_rows, (BATCH,), 0, one["count"])]
        gradient = jax.grad(lambda p: -_log_probs(p, x, key_noise, one).mean())(params)
        return apply_update(optimiser, gradient, state, params), None

    params = _init(key_init)
    (params, _), _ = jax.lax.scan(step, (params, optimiser.init(params)), jnp.arange(steps))
    vectors, log_probs = source.codebook()
    silent = {"dropout": jnp.zeros(()), "gaussian": jnp.zeros(())}
    excess: jax.Array = (jnp.exp(log_probs) * (log_probs - _log_probs(params, vectors, key, silent))).sum()
    return excess / NATS_PER_BIT


def _masks() -> tuple[jax.Array, jax.Array]:
    """Hidden node of degree d sees the first d symbols; symbol i is read from nodes of degree at most i."""
    degrees = jnp.arange(HIDDEN) % SYMBOLS
    return (
        (jnp.arange(SYMBOLS)[:, None] < degrees[None]).astype(jnp.float32),
        (degrees[:, None] <= jnp.arange(SYMBOLS)[None]).astype(jnp.float32),
    )


def _init(key: jax.Array) -> dict[str, jax.Array]:
    key_in, key_out = jax.random.split(key)
    return {
        "in": jax.random.normal(key_in, (SYMBOLS, HIDDEN)) / SYMBOLS**0.5,
        "bias": 0.1 * jax.random.normal(key_out, (HIDDEN,)),
        "out": jnp.zeros((HIDDEN, SYMBOLS)),
        "shift": jnp.zeros(SYMBOLS),
    }


def _log_probs(params: dict[str, jax.Array], x: jax.Array, key: jax.Array, noise: Lane) -> jax.Array:
    """log q(x), (n,) nats, of vectors +-1 (n, symbols), by one pass of a masked network under noise in its units."""
    key_drop, key_normal = jax.random.split(key)
    into, out = _masks()
    hidden = jnp.tanh(x @ (params["in"] * into) + params["bias"][None])
    kept = jax.random.bernoulli(key_drop, 1 - noise["dropout"], hidden.shape)
    hidden = jnp.where(kept, hidden / (1 - noise["dropout"]), 0.0)
    hidden = hidden + noise["gaussian"] * jax.random.normal(key_normal, hidden.shape)
    logits = hidden @ (params["out"] * out) + params["shift"][None]
    return jax.nn.log_sigmoid(x * logits).sum(1)


def _dataset(by: dict[str, np.ndarray], source: MarkovBits) -> xr.Dataset:
    words = "KL(truth || generator)"
    variables = {
        kind: labelled(("none" if kind == "none" else "strength", "count", "run"), rows, f"{words}, {kind}", "bits")
        for kind, rows in by.items()
    }
    for kind, strengths in STRENGTHS.items():
        variables[f"strength_{kind}"] = labelled("strength", strengths, f"strength of {kind} noise", "1")
    # What is lost by calling every vector equally likely.
    facts = {"bits": source.bits, "uniform": SYMBOLS - source.bits}
    return xr.Dataset(variables, {"count": labelled("count", COUNTS, "examples", "vectors")}, facts)
