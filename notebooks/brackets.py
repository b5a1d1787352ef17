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
# # Bits by the hundred: a lower and an upper bound
#
# From samples alone nobody can tell more than the logarithm of their number: 2,048 pairs show 11 bits at most. Here
# the source and the channel are known, and that is enough to bound the information from both sides at any size.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

from capacity import Joint, Layer, Stack, measure, measure_layers
from capacity.bounds import MaximumEntropy, Receiver
from capacity.channels import Gaussian
from capacity.plots.bracket import plot_trace
from capacity.theory import gaussian_noise_information
from synthetic import FairBits


def show(name, bracket, truth=None):
    known = "" if truth is None else f"; truth {truth:.2f}"
    print(f"{name}: between {bracket.low:.2f} and {bracket.high:.2f} bits{known}  ({bracket.method})")


# %% [markdown]
# Five hundred bits whose truth is known: 693 fair bits as ±1 amplitudes under one rotation, through noise of half their
# power. Noise does not see the rotation, so the truth is the sum over single bits; the program is not told that. It
# looks which digits act on the code together, finds that none do, and the posterior that it builds from this is exact.

# %%
orthogonal = Joint(FairBits.build(jax.random.key(1), 693, 693), lambda x: x, Gaussian(0.5**0.5))
truth = 693 * gaussian_noise_information([-1, 1], [0.5, 0.5], 0.5**0.5)
show("orthogonal", measure(jax.random.key(0), orthogonal, budget_gflop=50), truth)

# %% [markdown]
# Next, blocks of eight bits through a random network each, rotated together: 64 bits, 32 units. An encoder that was
# never trained is a hard code to read, yet its blocks too show in its gradients.

# %%
inner, outer = jax.random.split(jax.random.key(2))
weights = (
    1.5 / 8**0.5 * jax.random.normal(inner, (8, 8, 32)),
    2 / 32**0.5 * jax.random.normal(outer, (8, 32, 4)),
    jnp.linalg.qr(jax.random.normal(jax.random.key(3), (32, 32)))[0],
)


def blocks(weights, x):
    into, out, rotation = weights
    hidden = jnp.tanh(jnp.einsum("bd,bdh->bh", x.reshape(8, 8), into))
    return jnp.einsum("bh,bhu->bu", hidden, out).reshape(-1) @ rotation


hidden_blocks = Joint(FairBits(jnp.eye(64)), jax.tree_util.Partial(blocks, weights), Gaussian(0.3))
show("hidden blocks", measure(jax.random.key(0), hidden_blocks, budget_gflop=20))

# %% [markdown]
# Where all bits disturb each other there is something to anneal. A random square matrix couples 64 bits. Walks go from
# the approximate posterior up to the true one, which bounds the information from above, and from the message
# that was really sent back down, which bounds it from below. A longer walk loses less on the way.

# %%
matrix = jax.random.normal(jax.random.key(4), (64, 64)) / 8
coupled = Joint(FairBits(jnp.eye(64)), jax.tree_util.Partial(lambda a, x: x @ a, matrix), Gaussian(0.5))
bracket = measure(jax.random.key(0), coupled, budget_gflop=100)
show("coupled", bracket)
for bound in (Receiver(), MaximumEntropy()):
    estimate = bound(jax.random.key(1), coupled)
    print(f"{bound.name}: {estimate.kind} bound {estimate.bits:.2f} bits")
fig, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
plot_trace(bracket, axes)
axes.set_title("64 coupled bits: the bracket against the work")
plt.show()

# %% [markdown]
# Noise *inside* a network: what reaches each of two layers, both of them noisy. Layers can only lose.

# %%
mixing = [jnp.linalg.qr(jax.random.normal(jax.random.key(5 + i), (24, 24)))[0] for i in range(2)]


def layer(matrix, x):
    return 1.3 * jnp.tanh(x @ matrix)


stack = Stack(
    FairBits(jnp.eye(24)),
    tuple(Layer(jax.tree_util.Partial(layer, m), Gaussian(jnp.float32(0.3))) for m in mixing),
)
for number, bracket in enumerate(measure_layers(jax.random.key(0), stack, budget_gflop=20), 1):
    show(f"layer {number}", bracket)

# %% [markdown]
# What a bracket promises: `low` and `high` hold the truth at 95 % or more, whatever the network. What it does not
# promise is to be narrow: a second layer is harder to walk through than the first one, and a dense, untrained,
# strongly nonlinear code in weak noise stays open.
