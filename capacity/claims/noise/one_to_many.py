"""One question, many answers: what a deterministic, a Gaussian and a mixture output lose, in closed form.

Target t = +-1 with sd s = 0.1, whatever the question.  Losses in bits: truth h(t) = 1 + 1/2 log2(2 pi e s^2) = -0.2748;
the best single Gaussian 1/2 log2(2 pi e (1 + s^2)) = 2.0543; an answer f with the spread s alone
1/2 log2(2 pi s^2) + (1 + s^2 + f^2) / (2 s^2 ln 2) = 70.86 at f = 0, the average, which never occurs.
Go's first move: 361 points in 55 orbits of the square's symmetries.  The empty board is symmetric, so an answer that
treats symmetric boards alike can name the orbit, 5.7036 bits, and not the other 2.7922 of log2 361 = 8.4958.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from flax import nnx
from jaxtyping import PyTree
from matplotlib.figure import Figure

from capacity.channels.additive import LOG_2PI
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Figures, LaneFigures, keys_of, labelled, run_lanes
from capacity.claims.lab.many_answers import SIDE, SPREAD, bimodal_losses, go_losses, orbits
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, RED
from capacity.results.estimate import NATS_PER_BIT
from capacity.systems.networks import MLP
from capacity.systems.networks.running import merge
from capacity.training import cosine_adam, fit

QUESTION = 4  # numbers that the network is asked with, of which the answer does not depend
OUTPUTS = {"deterministic": 1, "gaussian": 2, "mixture": 6}
_Build = Callable[[nnx.Rngs], MLP]
_Loss = Callable[[PyTree, jax.Array], jax.Array]  # of one move


class OneToMany(Claim):
    """Networks that learn each output by its own likelihood, evaluated by quadrature over the answers."""

    name = "one_to_many"
    sentence = (
        "a deterministic network answers a question with many right answers with their useless average; "
        "a stochastic output does not"
    )
    source = (
        "Jang (2016), Why randomness is important for deep learning; mixture outputs: Bishop (1994), "
        "Mixture density networks"
    )
    references = ("jang2016why", "bishop1994mixture")
    predictions = (
        Prediction("deterministic answer, from the average", "it answers with the average", high=0.1, unit="1"),
        Prediction("deterministic output, bits lost", "the average is useless: it loses bits", low=1.0),
        Prediction("mixture output, bits lost", "a stochastic output does not lose them", high=0.05),
        Prediction("single Gaussian output, bits lost", "nor does a stochastic output of one Gaussian", high=0.05),
        Prediction("Go, distribution over the board, bits lost", "a stochastic move does not lose any", high=0.05),
        Prediction("Go, bits a symmetric answer cannot give", "a deterministic symmetric one must lose bits", low=1.0),
        Prediction(
            "largest departure from a closed form",
            "every loss is what the closed form says",
            high=0.02,
            instrument=True,
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train on both targets with six seeds or twelve, evaluate by quadrature."""
        keys = keys_of(key, np.arange(6 if context.fast else 12))
        steps = 1500 if context.fast else 8000
        bimodal = run_lanes(context, "bimodal", _bimodal(steps), keys, span=(0.0, 0.4))
        go = run_lanes(context, "go", _go(steps), keys, span=(0.4, 1.0))
        truth, board = bimodal_losses(), go_losses()
        departures = [bimodal[name] - truth[name] for name in OUTPUTS] + [go[name] - board[name] for name in board]
        rate = context.miss_rate / len(departures)
        answers = {
            "deterministic answer, from the average": statistics.mean(bimodal["average"], context.miss_rate),
            "deterministic output, bits lost": _lost(bimodal["deterministic"], truth["truth"], context),
            "mixture output, bits lost": _lost(bimodal["mixture"], truth["truth"], context),
            "single Gaussian output, bits lost": _lost(bimodal["gaussian"], truth["truth"], context),
            "Go, distribution over the board, bits lost": _lost(go["move"], board["move"], context),
            "Go, bits a symmetric answer cannot give": statistics.mean(go["move given orbit"], context.miss_rate),
            "largest departure from a closed form": statistics.largest(
                [statistics.mean(np.abs(d), rate) for d in departures]
            ),
        }
        return Evidence(answers, _dataset(bimodal, go))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """What each output says of the bimodal target, and the losses beside their closed forms."""
        left, right = figure.subplots(1, 2)
        truth = np.exp(-0.5 * ((np.abs(data.answer) - 1) / SPREAD) ** 2) / (2 * SPREAD * math.sqrt(2 * math.pi))
        left.fill_between(data.answer, truth, color=GREY, alpha=0.3, lw=0, label="target")
        for name, hue in zip(OUTPUTS, (RED, BLUE, GREEN), strict=True):
            left.plot(data.answer, data.density.sel(output=name), color=hue, lw=1.5, label=f"{name} output")
        left.set_xlabel("answer")
        left.set_ylabel("density")
        left.set_ylim(0, 4.6)
        left.set_title("Many right answers: what is learnt")
        place = np.arange(data.sizes["case"])
        right.plot(place, data.closed_form, "_", color=BLACK, ms=22, mew=1.5, label="closed form")
        for i in range(data.sizes["seed"]):
            label = f"_seed {i}" if i else "trained, a point a seed"
            right.plot(place + 0.04 * (i - data.sizes["seed"] / 2), data.loss[i], "o", color=RED, ms=3, label=label)
        right.set_xticks(place, list(data.case.values), rotation=35, ha="right", fontsize="small")
        right.set_yscale("symlog", linthresh=10)
        right.set_yticks([-2, 0, 2, 4, 6, 8, 10, 100], ["−2", "0", "2", "4", "6", "8", "10", "100"])
        right.set_ylabel("loss (bits)")
        right.set_title("Losses and their closed forms")
        right.grid(axis="y", color="#dddddd", lw=0.6)
        left.legend(loc="upper center", fontsize="small", frameon=False, bbox_to_anchor=(0.5, -0.13), ncols=2)
        right.legend(fontsize="small", frameon=False, loc="upper right")


def _lost(losses: np.ndarray, truth: float, context: Context) -> Answer:
    return statistics.mean(losses - truth, context.miss_rate)


def _density(out: jax.Array, t: jax.Array) -> jax.Array:
    """log p(t), nats, of one target under an output: 1 number (mean), 2 (and log sd), or 6 (two Gaussians)."""
    if out.shape == (1,):
        return -0.5 * jnp.square((t - out[0]) / SPREAD) - math.log(SPREAD) - 0.5 * LOG_2PI
    mean, log_std, weight = (out[:1], out[1:], jnp.zeros(1)) if out.shape == (2,) else jnp.split(out, 3)
    each = -0.5 * jnp.square((t - mean) * jnp.exp(-log_std)) - log_std - 0.5 * LOG_2PI
    return jax.nn.logsumexp(each + jax.nn.log_softmax(weight))


def _network(outputs: int, inputs: int, width: int) -> _Build:
    return lambda rngs: MLP((inputs, width, outputs), "silu", rngs)


def _bimodal(steps: int) -> Callable[[jax.Array, object], LaneFigures]:
    """A lane: the three outputs on the bimodal target."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    targets = jnp.asarray(np.concatenate([-1 + SPREAD * nodes, 1 + SPREAD * nodes]), jnp.float32)
    probs = jnp.asarray(np.tile(weights / weights.sum() / 2, 2), jnp.float32)
    grid = jnp.linspace(-2, 2, 401)

    def lane(key: jax.Array, _: object) -> LaneFigures:
        found: dict[str, jax.Array] = {}
        densities = []
        questions = jax.random.normal(jax.random.fold_in(key, 9), (256, QUESTION))
        for i, (name, outputs) in enumerate(OUTPUTS.items()):
            build = _network(outputs, QUESTION, 32)
            key_init, key_fit = jax.random.split(jax.random.fold_in(key, i))

            def loss(params: PyTree, key: jax.Array, progress: jax.Array, build: _Build = build) -> jax.Array:
                asked, side, noise = jax.random.split(key, 3)
                t = jnp.where(jax.random.bernoulli(side, 0.5, (1024,)), 1.0, -1.0)
                t = t + SPREAD * jax.random.normal(noise, (1024,))
                out = jax.vmap(merge(build, params))(jax.random.normal(asked, (1024, QUESTION)))
                return -jax.vmap(_density)(out, t).mean()

            params, _ = fit(key_fit, loss, nnx.split(build(nnx.Rngs(key_init)))[1], cosine_adam(1e-2, steps), steps)
            out = jax.vmap(merge(build, params))(questions)
            nats = jax.vmap(jax.vmap(_density, (None, 0)), (0, None))(out, targets)
            found[name] = -(nats @ probs).mean() / NATS_PER_BIT
            densities.append(jnp.exp(jax.vmap(jax.vmap(_density, (None, 0)), (0, None))(out, grid)).mean(0))
            if name == "deterministic":
                found["average"] = jnp.abs(out[:, 0]).mean()
        return found | {"density": jnp.stack(densities)}

    return lane


def _go(steps: int) -> Callable[[jax.Array, object], LaneFigures]:
    """A lane: distributions over moves from the empty board, over orbits, and over moves once the orbit is shown.

    What is shown is symmetric, as everything that can be said of the empty board is: all points of the move's orbit.
    """
    number = jnp.asarray(orbits().ravel(), jnp.int32)
    count = int(orbits().max()) + 1
    place = jnp.asarray(np.stack(np.meshgrid(*[np.arange(SIDE) - SIDE // 2] * 2, indexing="ij"), -1).reshape(-1, 2))
    sizes = {"move": SIDE**2, "gaussian": 4, "orbit": count, "move given orbit": SIDE**2}

    def nats(name: str, out: jax.Array, move: jax.Array) -> jax.Array:
        if name == "gaussian":
            mean, log_std = 10 * out[:2], out[2:] + math.log(5.0)
            away = (place[move].astype(jnp.float32) - mean) * jnp.exp(-log_std)
            return (0.5 * jnp.square(away) + log_std + 0.5 * LOG_2PI).sum()
        return -jax.nn.log_softmax(out)[number[move] if name == "orbit" else move]

    def shown(name: str, move: jax.Array) -> jax.Array:
        board = (number == number[move]).astype(jnp.float32)
        return board if name == "move given orbit" else jnp.zeros(SIDE**2)

    def lane(key: jax.Array, _: object) -> LaneFigures:
        found = {}
        for i, (name, outputs) in enumerate(sizes.items()):
            build = _network(outputs, SIDE**2, 64)
            key_init, key_fit = jax.random.split(jax.random.fold_in(key, i))

            def one(params: PyTree, move: jax.Array, build: _Build = build, name: str = name) -> jax.Array:
                return nats(name, merge(build, params)(shown(name, move)), move)

            def loss(params: PyTree, key: jax.Array, progress: jax.Array, one: _Loss = one) -> jax.Array:
                moves = jax.random.randint(key, (256,), 0, SIDE**2)
                mean: jax.Array = jax.vmap(one, (None, 0))(params, moves).mean()
                return mean

            params, _ = fit(key_fit, loss, nnx.split(build(nnx.Rngs(key_init)))[1], cosine_adam(1e-2, steps), steps)
            found[name] = jax.vmap(one, (None, 0))(params, jnp.arange(SIDE**2)).mean() / NATS_PER_BIT
        return found

    return lane


def _dataset(bimodal: Figures, go: Figures) -> xr.Dataset:
    truth, board = bimodal_losses(), go_losses()
    cases = [*OUTPUTS, *(f"Go, {name}" for name in board)]
    losses = np.stack([*(bimodal[name] for name in OUTPUTS), *(go[name] for name in board)], axis=1)
    return xr.Dataset(
        {
            "loss": labelled(("seed", "case"), losses, "expected loss of the trained output"),
            "closed_form": labelled(
                "case", [*(truth[n] for n in OUTPUTS), *board.values()], "least expected loss of such an output"
            ),
            "density": labelled(("output", "answer"), bimodal["density"].mean(0), "learnt density of the answer", "1"),
        },
        {
            "seed": labelled("seed", np.arange(len(losses)), "seed", "1"),
            "case": ("case", cases, {"long_name": "target and output", "units": "1"}),
            "output": ("output", list(OUTPUTS), {"long_name": "output", "units": "1"}),
            "answer": labelled("answer", np.linspace(-2, 2, 401), "answer", "1"),
        },
    )
