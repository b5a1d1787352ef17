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
# # Noise in training
#
# The noise of dropout or of a VAE stands in the *units*. There is another in the *training*: minibatches, noise added
# to gradients, gradients that come late from asynchronous workers. An essay on randomness in deep learning calls it
# exploration energy, and learning rate and batch size a temperature. How large is that noise, when does it blow up, and
# where does it drive the weights? For each there is a closed form in a case simple enough, and a measurement that it
# must meet before anything is believed about networks.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from capacity.claims import answers as statistics
from capacity.claims.learning.stale_gradient import measured_limits
from capacity.analysis.weights import gradient_statistics, student_interval
from capacity.theory.training import delay_limit, sgd_variance
from capacity.training.fitting import apply_update
from capacity.training.noises import annealed_noise, average_minibatch, stale_gradients

BLUE, RED, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#777777"


def finish(axes: plt.Axes, **words) -> None:
    axes.set(**words)
    axes.grid(color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False, fontsize="small")


def intervals(axes: plt.Axes, at, found, colour, label, fmt="o") -> None:
    """Figures with their 95 % intervals."""
    value, low, high = (np.array([float(getattr(v, part)) for v in found]) for part in ("value", "low", "high"))
    axes.errorbar(at, value, [value - low, high - value], fmt=fmt, color=colour, mfc="white", capsize=3, label=label)


def descend(gradient, optimiser, start, steps):
    """The path of an optimiser: (steps, ...)."""

    def step(carry, _):
        moved, state = apply_update(optimiser, gradient(carry[0]), carry[1], carry[0])
        return (moved, state), moved

    return jax.lax.scan(step, (start, optimiser.init(start)), None, length=steps)[1]


# %% [markdown]
# ## How far SGD strays
#
# On a quadratic of curvature $a$, with noise of variance $\sigma^2$ on the gradient, a step is
# $\theta' = (1 - \eta a)\theta - \eta\sigma\,\varepsilon$: a first-order autoregressive process, with the stationary
# variance (Mandt, Hoffman & Blei 2017)
#
# $$\mathrm{Var}\,\theta = \frac{\eta\sigma^2}{a(2 - \eta a)}.$$
#
# For small steps that is $T/a$ with a temperature $T = \eta\sigma^2/2$. Nothing of it is small at $\eta a = 2$. A
# thousand walkers, one vector, by the library's own gradient noise in an optax chain:

# %%
SIGMA, WALKERS = 0.7, 1024
products = np.array([0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.3, 1.6, 1.8, 1.9, 1.95])


@jax.jit
@jax.vmap
def squares(key, rate):  # curvature 1
    noisy = optax.chain(annealed_noise(SIGMA**2, key, gamma=0.0), optax.sgd(rate))
    return descend(lambda theta: theta, noisy, jnp.zeros(WALKERS), 300)[-1] ** 2


values = squares(jax.random.split(jax.random.key(0), len(products)), jnp.asarray(products, jnp.float32))
variance = [student_interval(row) for row in values]
for product, found in zip(products, variance, strict=True):
    theory = float(sgd_variance(product, 1.0, SIGMA))
    print(
        f"ηa = {product:4.2f}: variance {found.value:.4f} [{found.low:.4f}, {found.high:.4f}], closed form {theory:.4f}"
    )

# %% [markdown]
# ## When late gradients blow up
#
# A worker of asynchronous SGD hands in a gradient that is $\tau$ steps old. On the quadratic, $\theta_{t+1} = \theta_t
# - \eta a\,\theta_{t-\tau}$ shrinks if and only if (Levin & May 1976)
#
# $$\eta a < 2\sin\frac{\pi}{2(2\tau+1)}.$$
#
# `stale_gradients(tau)` is a ring buffer in the optimiser's state. Two runs at 5 % to either side of the limit, then
# the limit itself, found by halving from runs alone.

# %%
limits = measured_limits()
delays = (0, 1, 2, 4, 8)
for delay, limit in zip(delays, limits, strict=True):
    print(f"delay {delay}: stable up to ηa = {limit:.4f}; formula {float(delay_limit(delay)):.4f}")

# %%
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
fine = np.linspace(0.03, 1.97, 300)
left.plot(fine, sgd_variance(fine, 1.0, SIGMA), color=BLACK, lw=1.2, label="ησ²/(a(2 − ηa))")
left.plot(fine, fine * SIGMA**2 / 2, color=GREY, lw=1.2, ls=(0, (6, 3)), label="small steps: T/a, T = ησ²/2")
intervals(left, products, variance, BLUE, "measured, 1,024 walkers")
left.set_yscale("log")
finish(left, xlabel="learning rate × curvature, ηa", ylabel="stationary variance", title="How far SGD strays")

for factor, colour in ((1.05, RED), (0.95, BLUE)):
    rate = factor * float(delay_limit(4))
    path = descend(lambda theta: theta, optax.chain(stale_gradients(4), optax.sgd(rate)), jnp.ones(()), 200)
    middle.plot(path, color=colour, lw=1.2, label=f"ηa = {rate:.3f}, {factor:g} of the limit")
finish(middle, xlabel="step", ylabel="θ", title="Gradients four steps late")

fine = np.linspace(0, 8, 200)
right.plot(fine, delay_limit(fine), color=BLACK, lw=1.2, label="2 sin(π / (2(2τ + 1)))")
right.plot(delays, limits, "o", color=GREEN, mfc="white", label="measured, by halving")
finish(right, xlabel="delay τ (steps)", ylabel="largest stable ηa", title="The price of a delay", ylim=(0, 2.15))
plt.show()

# %% [markdown]
# Every closed form lies within the interval of its measured variance, over three decades, and the five limits agree
# with the formula to four digits. What to take along: the small-step picture, variance in proportion to temperature,
# is good to 10 % up to $\eta a = 0.2$ and half of the truth at 1; and a delay of eight steps costs nine tenths of the
# learning rate. A delay is no noise that adds itself to a stable descent: it is a reason to be unstable.
#
# ## Learning rate and batch size as a temperature
#
# The mean gradient of $B$ of $n$ examples, drawn without replacement, has the noise $\frac{\Sigma}{B}\frac{n-B}{n-1}$,
# $\Sigma$ being the covariance of one example's gradient (Cochran 1977). Put into the variance above, direction by
# direction, the loss that SGD keeps above its minimum is, for small steps,
#
# $$E\,L - L_{\min} \approx \frac{\eta}{4B}\,\frac{n-B}{n-1}\,\mathrm{tr}\,\Sigma,$$
#
# whatever the curvatures: learning rate and batch size count by their ratio alone. Linear regression on 256 examples,
# started at its minimum; $\mathrm{tr}\,\Sigma$ is read there by an instrument, not fitted.

# %%
EXAMPLES, DIM = 256, 8
key_x, key_y = jax.random.split(jax.random.key(1))
x = jax.random.normal(key_x, (EXAMPLES, DIM))
y = x.sum(1) + jax.random.normal(key_y, (EXAMPLES,))
best = jnp.linalg.lstsq(x, y)[0]


def loss(w, example):
    return 0.5 * jnp.square(example[0] @ w - example[1])


def mean_loss(w):
    return jax.vmap(loss, (None, 0))(w, (x, y)).mean()


@jax.jit
def heat(key, rate, size):
    optimiser = optax.chain(average_minibatch(size, key), optax.sgd(rate))
    path = descend(lambda w: jax.vmap(jax.grad(loss), (None, 0))(w, (x, y)), optimiser, best, 2000)
    return jax.vmap(mean_loss)(path[1000:]).mean() - mean_loss(best)


spread = float(gradient_statistics(loss, best, (x, y), EXAMPLES).variance)  # tr Σ
rates, sizes, runs = (0.01, 0.03, 0.1), (2, 8, 32, 128), jax.random.split(jax.random.key(2), 8)
kept = {
    rate: [student_interval(jax.vmap(heat, (0, None, None))(runs, rate, jnp.int32(size))) for size in sizes]
    for rate in rates
}
for rate in rates:
    for size, found in zip(sizes, kept[rate], strict=True):
        theory = rate / (4 * size) * (EXAMPLES - size) / (EXAMPLES - 1) * spread
        print(
            f"η = {rate:4.2f}, B = {size:3d}: {found.value:.5f} [{found.low:.5f}, {found.high:.5f}], "
            f"formula {theory:.5f}"
        )

# %% [markdown]
# ## Does heat find wide minima?
#
# The essay says that a high temperature finds wide minima and a low one narrow ones. In one dimension it can be seen
# what of it is true. Two minima of the same depth, curvatures 10 and 100; half of a thousand walkers start in each. If
# they move freely, they end as samples of Gibbs' $e^{-L/T}$, whose share of the wide minimum is a quadrature. The
# learning rate is small at first, so that only the temperature $T = \eta\sigma^2/2$ matters; then $T$ is held, and the
# learning rate raised until the narrow minimum is no longer stable, $\eta a > 2$.

# %%
WIDE, NARROW = 10.0, 100.0
ridge = -1 + 2 * NARROW**0.5 / (WIDE**0.5 + NARROW**0.5)


def wells(theta):
    """Minima at -1, wide, and at 1, narrow."""
    return -jnp.logaddexp(-0.5 * WIDE * jnp.square(theta + 1), -0.5 * NARROW * jnp.square(theta - 1))


def gibbs(temperature):
    """Share of exp(-L/T) on the wide side."""
    line = np.linspace(-12, 10, 40_001)
    density = np.exp(-np.asarray(wells(jnp.asarray(line, jnp.float32)), np.float64) / temperature)
    return density[line < ridge].sum() / density.sum()


@jax.jit
@jax.vmap
def in_wide(key, temperature, rate):
    noisy = optax.chain(annealed_noise(2 * temperature / rate, key, gamma=0.0), optax.sgd(rate))
    slope = jax.grad(lambda theta: wells(theta).sum())

    def step(carry, _):
        return apply_update(noisy, slope(carry[0]), carry[1], carry[0]), None

    start = jnp.where(jnp.arange(WALKERS) < WALKERS // 2, -1.0, 1.0)
    (theta, _), _ = jax.lax.scan(step, (start, noisy.init(start)), None, length=16_000)
    return (theta < ridge).sum()


def shares(key, temperatures, rates):
    temperatures, rates = np.broadcast_arrays(np.asarray(temperatures, np.float32), np.asarray(rates, np.float32))
    counts = in_wide(jax.random.split(key, temperatures.size), jnp.asarray(temperatures), jnp.asarray(rates))
    return [statistics.proportion(int(count), WALKERS, 0.05) for count in counts]


temperatures, steps = (
    np.array([0.5, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 8.0]),
    np.array([0.1, 0.3, 0.6, 1.0, 1.4, 1.8, 2.2, 2.6]),
)
by_heat = shares(jax.random.key(3), temperatures, 0.001)
by_rate = shares(jax.random.key(4), 2.0, steps / NARROW)
for t, found in zip(temperatures, by_heat, strict=True):
    print(f"T = {t:4.2f}: {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] in the wide one, Gibbs {gibbs(t):.3f}")
for s, found in zip(steps, by_rate, strict=True):
    print(
        f"T = 2, ηa = {s:3.1f} in the narrow one: {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] in the wide one"
    )

# %%
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
ends = np.array([3e-5, 0.06])
left.plot(ends, ends * spread / 4, color=BLACK, lw=1.2, label="tr Σ / 4 × temperature")
for rate, colour in zip(rates, (BLUE, GREEN, RED), strict=True):
    at = [rate / size * (EXAMPLES - size) / (EXAMPLES - 1) for size in sizes]
    intervals(left, at, kept[rate], colour, f"η = {rate:g}, B = 2, 8, 32, 128")
left.set(xscale="log", yscale="log")
finish(
    left,
    xlabel="temperature, η/B · (n − B)/(n − 1)",
    ylabel="loss above the minimum",
    title="Learning rate over batch size",
)
for axes, at, found in ((middle, temperatures, by_heat), (right, steps, by_rate)):
    intervals(axes, at, found, BLUE, "measured, 1,024 walkers")
    axes.set_ylim(0.4, 1.03)
fine = np.linspace(0.3, 8, 60)
middle.plot(fine, [gibbs(t) for t in fine], color=BLACK, lw=1.2, label="Gibbs, free to move")
middle.axhline(0.5, color=GREY, lw=1.2, ls=(0, (6, 3)), label="where they started")
right.axhline(gibbs(2.0), color=BLACK, lw=1.2, label="Gibbs at T = 2")
right.axvline(2, color=GREY, lw=1.2, ls=":", label="the narrow one is unstable")
finish(
    middle,
    xlabel="temperature T = ησ²/2",
    ylabel="share in the wide minimum",
    title="Heat at a small learning rate, ηa ≤ 0.1",
)
finish(
    right,
    xlabel="ηa in the narrow minimum",
    ylabel="share in the wide minimum",
    title="Learning rate at one temperature, T = 2",
)
plt.show()

# %% [markdown]
# **Left**: twelve pairs of learning rate and batch size on one line, over three decades and without a fitted number.
# The one that leaves it, $\eta = 0.1$ with $B = 2$, is so hot that its noise grows where it has strayed to: the
# formula takes $\Sigma$ at the minimum.
#
# **Middle**: heat alone chooses nothing. Below $T \approx 1.5$ everyone stays where they started; above, the share of
# the wide minimum is Gibbs' 0.76, and does not rise with the temperature any more: a wide minimum has more *room*,
# $1/\sqrt{a}$ for each direction. (A little more at $T = 8$, where the step is not small enough to be called none.)
#
# **Right**: what does choose is the learning rate itself. At one temperature the wide minimum's share goes from 0.72
# (not yet all settled after 16,000 of such small steps) to 0.95 at $\eta a = 1$, and 1 where the narrow minimum is no
# longer stable (Wu, Ma & E 2018 for networks). "A high learning rate finds wide minima" is so; "by its temperature" is
# half of the story.
#
# What this does not mean: that wide minima generalise better. Both have the same loss here, and nothing was held out.
# `capacity claims temperature` asks networks about learning rate and batch size, and `capacity claims generalization`
# about what is kept and what is gained.
#
# **Exercises.** (1) Replace `stale_gradients(4)` by `randomly_stale_gradients` with delays uniform on 0 to 8, of the
# same mean: is the limit lower or higher than 0.347? (2) Give the two minima different depths, and find the temperature
# at which the narrow, deeper one wins.
