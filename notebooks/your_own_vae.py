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
# # How many bits does my VAE use?
#
# A variational autoencoder trained on scikit-learn's 1,797 handwritten digits. Its loss speaks of a *rate*; what the
# code really holds about the data is less, and the rate says neither how much less nor which units do the work. From
# the posteriors of the data points, two arrays, `measure_latent` says it exactly.
#
# Any framework will do: all that is asked for is the mean and the log-variance of each data point's posterior. This
# model is plain JAX; with PyTorch the two arrays come from `mu, logvar = model.encode(x)` and `.detach().numpy()`.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from sklearn.datasets import load_digits

from capacity import Joint, measure, measure_latent
from capacity.channels import LearntGaussian
from capacity.plots.latent import plot_growth, plot_rate, plot_shared, plot_latent_units
from synthetic import Codebook

images = (load_digits().data / 16).astype(np.float32)  # (1797, 64)
UNITS = 12

# %% [markdown]
# ## The model
#
# Two layers each way; a normal likelihood of fixed variance; loss = reconstruction + β · rate, in nats. Three weights β
# are trained at once: one program, mapped over β.


# %%
def layers(key: jax.Array, sizes: tuple[int, ...]) -> list[tuple[jax.Array, jax.Array]]:
    pairs = zip(jax.random.split(key, len(sizes) - 1), sizes[:-1], sizes[1:], strict=True)
    return [(jax.random.normal(k, (a, b)) / a**0.5, jnp.zeros(b)) for k, a, b in pairs]


def network(weights: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    for w, b in weights[:-1]:
        x = jax.nn.silu(x @ w + b)
    w, b = weights[-1]
    return x @ w + b


def posterior(params: dict, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    mean, logvar = jnp.split(network(params["encoder"], x), 2, axis=-1)
    return mean, jnp.clip(logvar, -12, 4)


def loss(params: dict, key: jax.Array, x: jax.Array, beta: jax.Array) -> jax.Array:
    mean, logvar = posterior(params, x)
    z = mean + jnp.exp(0.5 * logvar) * jax.random.normal(key, mean.shape)
    error = 0.5 * jnp.square(network(params["decoder"], z) - x).sum(-1) / 0.02
    rate = 0.5 * (jnp.square(mean) + jnp.exp(logvar) - 1 - logvar).sum(-1)
    return (error + beta * rate).mean()


def train(key: jax.Array, beta: jax.Array, steps: int = 1500) -> dict:
    encoder_key, decoder_key, data_key = jax.random.split(key, 3)
    params = {"encoder": layers(encoder_key, (64, 128, 2 * UNITS)), "decoder": layers(decoder_key, (UNITS, 128, 64))}
    optimiser, data = optax.adam(2e-3), jnp.asarray(images)

    def step(carry: tuple, i: jax.Array) -> tuple:
        params, state = carry
        batch_key, noise_key = jax.random.split(jax.random.fold_in(data_key, i))
        batch = data[jax.random.randint(batch_key, (128,), 0, len(data))]
        update, state = optimiser.update(jax.grad(loss)(params, noise_key, batch, beta), state)
        return (optax.apply_updates(params, update), state), None

    return jax.lax.scan(step, (params, optimiser.init(params)), jnp.arange(steps))[0][0]


betas = (0.3, 1.0, 10.0)
trained = jax.jit(lambda key, betas: jax.lax.map(lambda beta: train(key, beta), betas))(
    jax.random.key(0), jnp.asarray(betas)
)

# %% [markdown]
# ## Two arrays, and what they say

# %%
found = {}
for i, beta in enumerate(betas):
    params = jax.tree.map(lambda leaf, i=i: leaf[i], trained)
    means, logvars = (np.asarray(part) for part in posterior(params, images))
    found[beta] = measure_latent(jax.random.key(1), means, logvars)
    one = found[beta]
    print(
        f"β = {beta:4.1f}: rate {one.rate:6.2f}, information {one.information.bits:6.2f} "
        f"[{one.information.low:.2f}, {one.information.high:.2f}] of at most {one.limit:.2f} bits, "
        f"{int(one.active.sum())} of {UNITS} units active{', saturated' if one.saturated else ''}"
    )

# %% [markdown]
# The same from the command line, on saved arrays:
#
# ```sh
# capacity latent --means means.npy --logvars logvars.npy --plot latent.png
# ```
#
# With a weak β the code tells nearly every one of the 1,797 images apart: the information stands near log2 1797, the
# most that so many points can show, and is marked *saturated*. That is a statement about the number of images, not
# about the model: more images would show more bits. With the strongest β it is the model that limits.

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
plot_growth(found[0.3], axes[0])
plot_growth(found[10.0], axes[1])
axes[0].set_title("β = 0.3: along log2 N, more images would show more")
axes[1].set_title("β = 10: it levels off")
plt.show()

# %% [markdown]
# ## Where the rate goes, and which units work
#
# The rate counts beyond the information what units say more than once (their total correlation) and how far each unit
# alone is from the prior. Bits *per unit* are three different figures: alone, added to those before, and the joint
# figure divided by the number of units.

# %%
figure, axes = plt.subplots(1, 3, figsize=(16, 4.8), layout="constrained")
plot_rate(found[10.0], axes[0])
plot_latent_units(found[10.0], axes[1])
plot_shared(found[10.0], axes[2])
plt.show()
one = found[10.0]
print("not active:", np.flatnonzero(~one.active).tolist())
print(f"sum over units alone {np.sum(one.marginal.bits):.2f}, all together {one.information.bits:.2f} bits")

# %% [markdown]
# ## The model itself, not its arrays
#
# `measure` takes the encoder as it is, as a function from one image to the pair of mean and log standard deviation. (A
# function from a NumPy batch to a NumPy batch will do too: so a PyTorch model is measured.)

# %%
params = jax.tree.map(lambda leaf: leaf[2], trained)


def encoder(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, logvar = posterior(params, np.asarray(x))
    return np.asarray(mean), 0.5 * np.asarray(logvar)


bracket = measure(jax.random.key(2), Joint(Codebook.from_data(images), encoder, LearntGaussian()))
print(f"{bracket.lower.bits:.3f} [{bracket.low:.3f}, {bracket.high:.3f}] by {bracket.method}")
assert abs(bracket.lower.bits - one.information.bits) < 4 * np.hypot(bracket.lower.stderr, one.information.stderr)
