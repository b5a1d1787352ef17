# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does it matter? Bits, held against what a code is good for
#
# A code of many bits should rebuild its images better and tell more of their labels. Does it? Four kinds of bottleneck
# in one small network, on scikit-learn's 1,797 handwritten digits:
#
# | bottleneck | what limits it | settings |
# |---|---|---|
# | β-VAE | normal noise that the network chooses, and pays for | eight weights β, 8 units |
# | dropout | Gaussian dropout: each unit times N(1, p/(1 − p)) | four rates p, 8 units |
# | VQ | the nearest of 8 learnt vectors, at each position | 2, 4, 6 positions: 6, 12, 18 bits of codebook |
# | FSQ | a number rounded to 8 levels, at each position | the same three sizes |
#
# Each is trained from three seeds on 897 of the images. The other 900, a random half, are what everything is measured
# on: the bits of the *population* between two bounds, which units or symbols are used, the error of the rebuilt
# image, and how many labels a linear probe gets right. About two minutes.

# %%
# %matplotlib inline
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from capacity import measure_codes
from capacity.analysis.latent.posteriors import gaussian, measure_posteriors
from capacity.channels import FSQ
from capacity.claims.answers import proportion, rank_correlation
from capacity.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, quiet_grid

digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.data))
images, labels = (digits.data[order] / 16).astype(np.float32), digits.target[order]
TRAINED = 897  # the other 900 are held out
held = slice(TRAINED, None)
UNITS, SYMBOLS, SEEDS = 8, 8, 3

# %% [markdown]
# ## One network, four bottlenecks
#
# Two layers each way. The loss is that of a normal likelihood of variance 0.02, plus what the bottleneck asks: β times
# the rate for the VAE, the distance to the codebook for VQ, nothing for dropout and FSQ. A bottleneck is a function
# from what the encoder says to what the decoder gets; beside that it hands out what will be measured.


# %%
class Coder(nnx.Module):
    """Encoder and decoder, and a codebook of 8 points in the plane for each position of a VQ code."""

    def __init__(self, says: int, gets: int, positions: int, rngs: nnx.Rngs) -> None:
        def network(inputs: int, outputs: int) -> nnx.Sequential:
            return nnx.Sequential(nnx.Linear(inputs, 96, rngs=rngs), nnx.silu, nnx.Linear(96, outputs, rngs=rngs))

        self.encoder, self.decoder = network(64, says), network(gets, 64)
        self.book = nnx.Param(jax.random.normal(rngs.params(), (positions, SYMBOLS, 2)))


class Sent(NamedTuple):
    """What the decoder gets, what it costs in the loss, and what is measured: means and deviations, or symbols."""

    code: jax.Array
    cost: jax.Array | float
    posterior: tuple[jax.Array, ...]


def vae(key: jax.Array, said: jax.Array, beta: jax.Array, book: jax.Array) -> Sent:
    mean, logvar = jnp.split(said, 2, axis=-1)
    std = jnp.exp(0.5 * jnp.clip(logvar, -12, 4))
    rate = 0.5 * (mean**2 + std**2 - 1 - 2 * jnp.log(std)).sum(-1)
    return Sent(mean + std * jax.random.normal(key, mean.shape), beta * rate, (mean, std))


def dropout(key: jax.Array, said: jax.Array, p: jax.Array, book: jax.Array) -> Sent:
    ratio = jnp.sqrt(p / (1 - p))
    return Sent(said * (1 + ratio * jax.random.normal(key, said.shape)), 0.0, (said, ratio * jnp.abs(said)))


def fsq(key: jax.Array, said: jax.Array, _: jax.Array, book: jax.Array) -> Sent:
    code = jax.vmap(FSQ(SYMBOLS), (None, 0))(key, said)  # rounded; the gradient passes straight through
    return Sent(code, 0.0, (jnp.round(code * SYMBOLS / 2).astype(int) + SYMBOLS // 2,))


def vq(key: jax.Array, said: jax.Array, _: jax.Array, book: jax.Array) -> Sent:
    symbols = jnp.square(said.reshape(len(said), -1, 1, 2) - book).sum(-1).argmin(-1)  # (images, positions)
    nearest = jnp.take_along_axis(book[None], symbols[..., None, None], axis=2).reshape(said.shape)
    fixed = jax.lax.stop_gradient
    cost = jnp.square(fixed(said) - nearest).sum(-1) + 0.25 * jnp.square(said - fixed(nearest)).sum(-1)
    return Sent(said + fixed(nearest - said), cost, (symbols,))


# %% [markdown]
# Training is one compiled program for all settings and seeds of a size, lane after lane. What comes back is not the
# network but what it says of every image, and how far the rebuilt image is off.


# %%
def train(
    build: Callable[..., Coder], bottleneck: Callable[..., Sent], lane: tuple[jax.Array, jax.Array]
) -> tuple[Sent, jax.Array]:
    key, level = lane
    init_key, data_key, last_key = jax.random.split(key, 3)
    graph, weights = nnx.split(build(rngs=nnx.Rngs(init_key)))
    steps, data = 1200, jnp.asarray(images)
    optimiser = optax.adam(optax.cosine_decay_schedule(3e-3, steps))

    def send(weights: nnx.State, key: jax.Array, x: jax.Array) -> tuple[Sent, jax.Array]:
        coder = nnx.merge(graph, weights)
        sent = bottleneck(key, coder.encoder(x), level, coder.book[...])
        return sent, jnp.square(coder.decoder(sent.code) - x).sum(-1)

    def loss(weights: nnx.State, key: jax.Array, x: jax.Array) -> jax.Array:
        sent, error = send(weights, key, x)
        return (error / (2 * 0.02) + sent.cost).mean()

    def step(carry: tuple, i: jax.Array) -> tuple:
        weights, memory = carry
        batch_key, noise_key = jax.random.split(jax.random.fold_in(data_key, i))
        batch = data[jax.random.randint(batch_key, (64,), 0, TRAINED)]
        update, memory = optimiser.update(jax.grad(loss)(weights, noise_key, batch), memory)
        return (optax.apply_updates(weights, update), memory), None

    weights = jax.lax.scan(step, (weights, optimiser.init(weights)), jnp.arange(steps))[0][0]
    return send(weights, last_key, data)


def family(name: str, settings: dict[str, float], bottleneck: Callable[..., Sent], **sizes: int) -> dict:
    """All settings of one size, each from every seed: {(name, setting): [(sent, error), ...]}, a pair for each seed."""
    keys = jax.random.split(jax.random.key(len(name) + sizes["positions"]), len(settings) * SEEDS)
    levels = jnp.repeat(jnp.asarray(list(settings.values())), SEEDS)
    lanes = jax.jit(partial(jax.lax.map, partial(train, partial(Coder, **sizes), bottleneck)))((keys, levels))
    print(f"{name}: {len(keys)} networks trained", flush=True)
    each = [jax.tree.map(lambda leaf, i=i: np.asarray(leaf[i]), lanes) for i in range(len(keys))]
    return {(name, setting): each[i * SEEDS : (i + 1) * SEEDS] for i, setting in enumerate(settings)}


BETAS, RATES, POSITIONS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0), (0.05, 0.2, 0.5, 0.9), (2, 4, 6)
trained = family("β-VAE", {f"β = {b:g}": b for b in BETAS}, vae, says=2 * UNITS, gets=UNITS, positions=0)
trained |= family("dropout", {f"p = {p:g}": p for p in RATES}, dropout, says=UNITS, gets=UNITS, positions=0)
for n in POSITIONS:
    trained |= family("VQ", {f"{3 * n} bits": 0.0}, vq, says=2 * n, gets=2 * n, positions=n)
    trained |= family("FSQ", {f"{3 * n} bits": 0.0}, fsq, says=n, gets=n, positions=0)

# %% [markdown]
# ## What each says, and what it is good for
#
# All of the 900 held-out images, which no encoder saw.
#
# - **Bits** of the population, I(X;Z), as a bracket: `measure_posteriors` for normal posteriors, `measure_codes` for
#   symbols. 900 images cannot show more than log2 900 = 9.8 bits; a bracket that is wide because the images are all told
#   apart is marked `wide`: then the figure above 9.8 is *not known*, only bounded.
# - **Used**: units that are active (0.05 bits or more alone), of 8; or the perplexity of a position, of 8 symbols.
# - **Error left**: the square error of the rebuilt image, in percent of what answering with the mean image leaves.
# - **Probe**: logistic regression from one *noisy* code of each training image to its label, tried on one noisy code of
#   each held-out image. Those noisy codes are what the bits count. People often probe the posterior *means* instead, which
#   have no noise: that is the last column.


# %%
class Run(NamedTuple):
    """One network: bits, whether they are known, use, and (value, low, high) of error and of the probes, percent."""

    low: float
    high: float
    known: bool
    used: float
    error: tuple[float, float, float]
    probe: tuple[float, float, float]
    probe_of_means: float


def right(code: np.ndarray) -> int:
    """How many of the held-out labels a linear probe gets right."""
    with threadpool_limits(1):  # matrices are small
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(code[:TRAINED], labels[:TRAINED])
        return int((probe.predict(code[held]) == labels[held]).sum())


def measured(key: int, sent: Sent, error: np.ndarray) -> Run:
    if len(sent.posterior) == 2:
        means, stds = sent.posterior
        found = measure_posteriors(key, gaussian(means[held], stds[held]), samples=1024)
        bits, known, used = found.population, found.population_known, float(found.usage.active.sum())
    else:
        means, codes = sent.code, measure_codes(key, sent.posterior[0][held], codebook=SYMBOLS)
        bits, known = codes.population.information, codes.population.information_known
        used = float(codes.use.perplexity_by_position.mean())
    left = 100 * error[held] / np.square(images[held] - images[:TRAINED].mean(0)).sum(1).mean()
    reach = 1.96 * left.std() / len(left) ** 0.5
    hits = proportion(right(sent.code), len(left), 0.05)
    return Run(
        float(bits.low), float(bits.high), known, used,
        (left.mean(), left.mean() - reach, left.mean() + reach),
        (100 * hits.value, 100 * hits.low, 100 * hits.high), 100 * right(means) / len(left),
    )  # fmt: skip


runs: dict[tuple[str, str], list[Run]] = {}
for place, (name, seeds) in enumerate(trained.items()):
    runs[name] = [measured(SEEDS * place + seed, *one) for seed, one in enumerate(seeds)]
    print(f"{place + 1:2d} of {len(trained)} settings measured: {' '.join(name)}", flush=True)

# %% [markdown]
# The bracket is from the lowest lower end of the three seeds to the highest upper end. Error and probe are means of the
# three; in brackets, the ends of all their 95 % intervals, over the 900 images (binomial for the probe).


# %%
def hull(seeds: list[Run], figure: str) -> tuple[float, float, float]:
    """Mean over seeds, and the outer ends of their intervals."""
    value, low, high = zip(*(getattr(one, figure) for one in seeds), strict=True)
    return float(np.mean(value)), min(low), max(high)


def ends(seeds: list[Run]) -> tuple[float, float]:
    return min(one.low for one in seeds), max(one.high for one in seeds)


print(f"{'':16}  {'bits':>12}       {'used':>4}   {'error left, %':>15}   {'probe, %':>12}   means")
for (kind, setting), seeds in runs.items():
    low, high = ends(seeds)
    told = "" if all(one.known for one in seeds) else "wide"
    used, means = (np.mean([getattr(one, name) for one in seeds]) for name in ("used", "probe_of_means"))
    left, hits = hull(seeds, "error"), hull(seeds, "probe")
    print(
        f"{kind:7} {setting:8}  {low:5.2f}–{high:5.2f}  {told:4} {used:4.1f}"
        f"   {left[0]:5.1f} [{left[1]:.0f}, {left[2]:.0f}]".ljust(50)
        + f"   {hits[0]:4.1f} [{hits[1]:.0f}, {hits[2]:.0f}]".ljust(19) + f"   {means:4.1f}"
    )  # fmt: skip

# %% [markdown]
# ## On one page
#
# Each setting is a box: as wide as its bracket, as high as the intervals of its three seeds. Boxes without a filling are
# `wide`: somewhere in there, not known where. Two lines from theory. Left of the first, a normal law with the digits'
# covariance could not be rebuilt (reverse water-filling, Shannon 1959); digits are no normal law, so that a code may lie
# below it, but one far above spends bits that do not rebuild. And no code whatever lies above the second: so many labels
# cannot be right with so few bits (Fano 1961).

# %%
COLOURS = {"β-VAE": BLUE, "dropout": ORANGE, "VQ": GREEN, "FSQ": PURPLE}
variances = np.linalg.eigvalsh(np.cov(images[:TRAINED].T))[:, None]
water = np.geomspace(1e-4, variances.max(), 200)
normal_bits = 0.5 * np.log2(np.maximum(variances / water, 1)).sum(0)
normal_left = 100 * np.minimum(variances, water).sum(0) / variances.sum()
chance = np.linspace(0.1, 1 - 1e-9, 200)
fano_bits = np.log2(10) + chance * np.log2(chance) + (1 - chance) * np.log2((1 - chance) / 9)


def draw(axes: plt.Axes, figure: str) -> None:
    for name, seeds in runs.items():
        (low, high), (_, bottom, top) = ends(seeds), hull(seeds, figure)
        known = all(one.known for one in seeds)
        box = Rectangle((low, bottom), high - low, top - bottom, ec=COLOURS[name[0]], lw=1.4, ls="-" if known else ":")
        box.set_facecolor((COLOURS[name[0]], 0.45) if known else "none")
        axes.add_patch(box)
    axes.axvline(np.log2(900), color=BLACK, lw=0.8, ls=":")
    axes.set(xlim=(-0.3, 36), xlabel="bits of the population, bracket")
    quiet_grid(axes)


figure, (upper, lower) = plt.subplots(2, 1, figsize=(6, 9), layout="constrained")
draw(upper, "error")
upper.plot(normal_bits, normal_left, color=BLACK, lw=1.2)
upper.set(ylim=(0, 105), ylabel="error left, % of the mean image's")
upper.set_title("Rebuilding held-out images (lower is better)")
draw(lower, "probe")
lower.plot(fano_bits, 100 * chance, color=BLACK, lw=1.2)
lower.set(ylim=(0, 105), ylabel="labels right, %")
lower.set_title("A linear probe on held-out labels (higher is better)")
plt.show()
