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
# # Binarised units: one bit at most
#
# *Each unit of a binarised network holds one bit at most.* A unit that is +1 or −1 has an entropy of at most one bit,
# so nothing about a message can exceed that: I(M;Z_j) ≤ H(Z_j) ≤ 1. The sentence is a theorem. What is worth measuring
# is how much *less* a unit holds where a coin decides on its sign or where signs are turned on their way, what
# networks reach when they are trained through a step that has no gradient, and how units of more than two values
# compare. About 40 seconds.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from capacity import Architecture, Joint, Training, measure
from capacity.results.estimate import Z95
from capacity.channels import Binarised, StochasticBinarised
from capacity.claims import Context
from capacity.claims.lab.enumerated import train_and_enumerate
from capacity.systems import BinaryAutoencoder, QuantizedAutoencoder
from capacity.theory import binary_symmetric_capacity, coin_information, uniform_coin_information
from synthetic import Codebook, FairBits

BLUE, RED, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#777777"

# %% [markdown]
# ## A sign or a coin
#
# A deterministic unit sends the sign of u; a stochastic one tosses a coin, P(+1) = sigmoid(u/T), at temperature T
# (Bengio, Léonard & Courville 2013). The coin costs what it adds of its own:
#
# $$I = h(E\,P) - E\,h(P), \qquad h(p) = -p\log_2 p - (1-p)\log_2(1-p) .$$
#
# One unit, two sources: two messages at u = ±1, and 256 messages whose chances P are spread evenly over (0, 1) at T =
# 1, for which I = 1 − 1/(2 ln 2).


# %%
def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def same(x):
    return x


def passed(key, u, channel):
    source = Codebook(jnp.asarray(u, jnp.float32)[:, None])
    return measure(key, Joint(source, same, channel), samples=16384).lower


chances = (np.arange(256) + 0.5) / 256
sources = {"2 messages": np.array([-1.0, 1.0]), "256 messages": np.log(chances / (1 - chances))}
temperatures = np.array([0.1, 0.2, 0.35, 0.6, 1.0, 2.0, 4.0])
fine = np.geomspace(0.08, 5, 100)

figure, axes = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
axes.axhline(1, color=GREY, lw=1.2, ls=(0, (6, 3)), label="one bit")
for i, ((words, u), hue, marker) in enumerate(zip(sources.items(), (RED, BLUE), "so", strict=True)):
    even = np.full(len(u), 1 / len(u))
    axes.plot(fine, [coin_information(sigmoid(u / t), even) for t in fine], color=hue, lw=1.2, label=f"{words}, theory")
    keys = jax.random.split(jax.random.key(i), len(temperatures))
    found = [passed(key, u, StochasticBinarised(jnp.float32(t))) for key, t in zip(keys, temperatures, strict=True)]
    bits, low, high = (np.array([float(getattr(one, part)) for one in found]) for part in ("bits", "low", "high"))
    error = [bits - low, high - bits]
    axes.errorbar(temperatures, bits, error, fmt=marker, color=hue, mfc="white", capsize=3, label=f"{words}, 95 %")
    sign = passed(jax.random.key(9), u, Binarised())
    print(f"{words}: {float(sign.bits):.4f} bits by sign, {bits[4]:.4f} [{low[4]:.4f}, {high[4]:.4f}] by coin at T = 1")
print(f"chances spread evenly: 1 − 1/(2 ln 2) = {uniform_coin_information():.4f} bits")
axes.set(xscale="log", ylim=(0, 1.08), xlabel="temperature T of the coin", ylabel="bits that the unit holds")
axes.set_xticks(temperatures, [f"{t:g}" for t in temperatures])
axes.minorticks_off()
axes.grid(color="#dddddd", lw=0.6)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
plt.show()

# %% [markdown]
# A coin at T = 1 whose odds hold eight bits lets 0.28 of them through; the sign lets through one. A cold coin is a
# sign. (The two lines are not at the same power: the 256 messages have larger u, which is why theirs falls later.)
#
# ## Training through a step
#
# A sign has no gradient, and a coin's toss has none either. The *straight-through* estimator lets the gradient pass as
# if the unit had been its own mean: for a coin d E[Z|u]/du, for a sign that of clip(u, −1, 1). `jax.grad` through a
# channel gives just that. Held against the truth, the derivative of the mean loss E f(Z) = P(+1) f(1) + P(−1) f(−1),
# for a linear f and a squared one:

# %%
coin, u = StochasticBinarised(jnp.float32(1.0)), np.linspace(-4, 4, 17)
mean, slope = np.tanh(u / 2), 0.5 / np.cosh(u / 2) ** 2  # of Z given u, and its derivative
losses = {
    "linear loss −z": (lambda z: -z.sum(), -slope, -slope),
    "squared loss (z − ½)²": (lambda z: jnp.square(z - 0.5).sum(), -slope, (2 * mean - 1) * slope),
}
keys = jax.random.split(jax.random.key(3), 2000)
figure, panels = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained", sharey=True)
for axes, (words, (loss, truth, on_average)) in zip(panels, losses.items(), strict=True):

    def gradient(u, key, loss=loss):
        return jax.grad(lambda u: loss(coin(key, u[None])))(u)

    drawn = jax.jit(jax.vmap(jax.vmap(gradient, (None, 0)), (0, None)))(jnp.asarray(u, jnp.float32), keys)
    error = Z95 * drawn.std(1) / len(keys) ** 0.5
    axes.plot(u, truth, color=BLACK, label="derivative of the mean loss")
    axes.plot(u, on_average, color=RED, lw=1, ls="--", label="straight-through, in theory")
    axes.errorbar(u, drawn.mean(1), error, fmt="o", color=RED, mfc="white", capsize=3, label="mean of 2,000, 95 %")
    axes.set(xlabel="u", title=words)
    axes.grid(color="#dddddd", lw=0.6)
panels[0].set_ylabel("derivative by u")
panels[0].legend(frameon=False)
plt.show()

# %% [markdown]
# Where what follows is linear the estimator is right. Where it is not, it may point the wrong way: on ±1 the squared
# loss *is* linear, 5/4 − z, and falls for ever with u, yet descent along the circles stops where they cross zero, at
# P(+1) = ¾. The estimator asks how the loss would change if z itself moved a little, to where it never is. It is
# biased, it is the standard (Courbariaux et al. 2016), and whether it trains is a matter of trying.
#
# ## Networks through flips
#
# Six bits on six units, trained straight-through, each sign turned with probability p on its way: at most 1 − h(p)
# bits a unit (Cover & Thomas 2006, section 7.1.4). A coin at T = 0.2, at units of mean square 1, adds flips of its
# own, sigmoid(−1/T) = 0.7 %.

# %%
source = FairBits.build(jax.random.key(4), bits=6, dim=6)
training, context, seeds = Training(1500, 128, receiver_steps=0, learning_rate=1e-2), Context(0.05), 3
flips, p = (1e-4, 0.03, 0.1, 0.25), np.linspace(1e-4, 0.4, 100)


def seeds_of(axes, found, places, share, **style):
    """Every seed's bits with its 95 % interval."""
    for j in range(seeds):
        bits, low, high = (found[part][:, j] / share for part in ("bits", "low", "high"))
        error = np.maximum([bits - low, high - bits], 0)
        axes.errorbar(places, bits, error, mfc="none", capsize=3, label=None if j else style["name"], **style["marks"])


figure, axes = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
axes.plot(p, binary_symmetric_capacity(p), color=BLACK, lw=1.2, label="ceiling 1 − h(p)")
both = p + (1 - 2 * p) * sigmoid(-1 / 0.2)
axes.plot(p, binary_symmetric_capacity(both), color=RED, lw=1, ls="--", label="the same, a coin at u = ±1")
for stochastic, hue, mark, size in ((False, BLUE, "o", 6), (True, RED, "s", 9)):
    system = BinaryAutoencoder(Architecture(6, (48, 48)), stochastic=stochastic)
    run = (jax.random.key(5), source, system, flips, seeds, training)
    found = train_and_enumerate(context, "flips", *run, per_unit=True)
    name = "by coin" if stochastic else "by sign"
    marks = {"fmt": mark, "ms": size, "color": hue}
    seeds_of(axes, found, flips, 6, name=f"trained, {name}: a seed, 95 %", marks=marks)
    ceiling = 6 * binary_symmetric_capacity(flips)
    over = int((found["low"] > ceiling[:, None] + 1e-5).sum())
    best = ", ".join(f"{100 * b / c:.1f} %" for b, c in zip(found["bits"].max(1), ceiling, strict=True))
    print(f"{name}: best seed at {best} of the ceiling; {over} of {found['bits'].size} lanes above it")
    alone, together = found["marginal"].sum(-1), found["bits"]
    worst = np.unravel_index(np.argmax(alone - together), alone.shape)
    print(f"  most that a unit holds alone: {found['marginal'].max():.3f} bits")
    print(
        f"  most said twice: at p = {flips[worst[0]]:g}, {alone[worst]:.2f} bits alone, {together[worst]:.2f} together"
    )
axes.set(xlabel="probability p that a sign is turned", ylabel="bits per unit", ylim=(0, 1.05))
axes.set_title("Six bits on six units whose signs may turn")
axes.grid(color="#dddddd", lw=0.6)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
plt.show()

# %% [markdown]
# No lane lies above the ceiling, and by sign the best of three seeds is on it, but for the strongest flips. That takes
# no error-correcting code: a digit of the message on each unit passes 6 (1 − h(p)) bits, and a network learns it. (It
# is *information* that passes. To read the message without error one would have to send it over many uses of the
# units, coded.) Other seeds stay below: each unit alone still holds its 1 − h(p), but units say in part the same, and
# straight-through steps do not lead out of it. The coin costs some 6 % without flips, as its own 0.7 % of them say.
#
# ## More than two values
#
# A unit rounded to b values holds log2 b bits at most. Six bits on *two* units, rounded evenly over |u| ≤ 1, or by
# finite scalar quantisation, tanh before the rounding (FSQ; Mentzer et al. 2024); straight-through again.

# %%
levels = {"even": (2.0, 3.0, 4.0, 8.0, 16.0), "fsq": (3.0, 4.0, 8.0, 16.0)}
b = np.geomspace(2, 16, 50)
figure, axes = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
axes.axhline(6, color=GREY, lw=1.2, ls=(0, (6, 3)), label="source: 6 bits")
axes.plot(b, 2 * np.log2(b), color=BLACK, lw=1.2, label="ceiling 2 log2 b")
for rule, hue, mark, size in (("even", BLUE, "o", 5), ("fsq", GREEN, "D", 9)):
    system, some = QuantizedAutoencoder(Architecture(2, (48, 48)), rule=rule), levels[rule]
    found = train_and_enumerate(context, "levels", jax.random.key(6), source, system, some, seeds, training)
    words = "rounded evenly" if rule == "even" else "FSQ"
    marks = {"fmt": mark, "ms": size, "color": hue}
    seeds_of(axes, found, some, 1, name=f"{words}: a seed, 95 %", marks=marks)
    best = ", ".join(f"{value:.2f} at b = {at:g}" for at, value in zip(some, found["bits"].max(1), strict=True))
    over = int((found["low"] > 2 * np.log2(some)[:, None] + 1e-5).sum())
    print(f"{words}: best seed {best}; {over} of {found['bits'].size} lanes above the ceiling")
axes.set(xscale="log", xlabel="values b that a unit can take", ylabel="bits through two units", ylim=(0, 8.2))
axes.set_title("Six bits on two rounded units")
axes.set_xticks(levels["even"], [f"{at:g}" for at in levels["even"]])
axes.minorticks_off()
axes.grid(color="#dddddd", lw=0.6)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
plt.show()

# %% [markdown]
# Again the ceiling holds for every lane, and it is the number of values that limits, not the rule of rounding: at b =
# 8 the 64 messages have just 64 places, and the best seeds find nearly all of them. Seeds of one rule differ by more
# than the rules do, so that these three of each say nothing about which of them is better. (FSQ starts at 3: its bound
# all but rules out a unit of 2 values.)
#
# **What this does not mean.** That a unit holds one bit *at most* does not make binary networks poor: n units hold n
# bits, and to tell N data points apart takes log2 N, far fewer than most layers have units. A real-valued unit that is
# rounded, dropped or disturbed is limited for the same reason, each by another figure; without any of these it holds
# what float32 holds. And an information that is reached says nothing of the gradient that led there, or of the seeds
# that it led elsewhere.
#
# **To try.** Give `BinaryAutoencoder` a `temperature` of 0.05, then of 1. Where do the squares go? (To the sign's
# 1 − h(p), as a cold coin is a sign; and to 0.15 bits without flips, near 1 − h(sigmoid(−1)) = 0.16.) The claims
# behind this: `capacity claims binary quantized --fast`.
