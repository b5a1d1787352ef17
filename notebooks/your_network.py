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
# # A network of your own: module, noise, loss, optimiser and source
#
# Your structure stands where the toolkit's perceptrons stand: trained at every level of noise, its state carried along,
# and its bits measured with it frozen. Here a convolutional encoder with batch statistics and dropout sends pictures of
# digits through Laplace noise. The run is broken off half-way and goes on to the same bits; another network in its
# directory is refused; the curve is drawn beside that of a perceptron.

# %%
# %matplotlib inline
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import optax
import xarray as xr
from flax import nnx
from sklearn.datasets import load_digits

from capacity import Architecture, Joint, Modules, Training, frozen_module, measure, plan_curve, register_dataclass
from capacity import run_plan
from capacity.channels import AdditiveNoise
from capacity.runtime.files.store import Store, StoreError
from capacity.systems import ChannelSystem
from synthetic import Codebook

# %% [markdown]
# ## Source and module
#
# 256 pictures of 8 × 8 are a source of 8 bits. The encoder is any class that is made from `(inputs, outputs, rngs)` and
# called with a batch: nothing in it knows of this toolkit.

# %%
pictures = Codebook.from_data(load_digits().data[:256] / 8 - 1)
print(f"{pictures.bits:g} bits in vectors of {pictures.dim}")


class Convolutional(nnx.Module):
    """Two convolutions of stride 2, batch statistics and dropout."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 8, (3, 3), strides=2, rngs=rngs)
        self.second = nnx.Conv(8, 16, (3, 3), strides=2, rngs=rngs)
        self.norm, self.dropout = nnx.BatchNorm(16, rngs=rngs), nnx.Dropout(0.05, rngs=rngs)
        self.out = nnx.Linear(64, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        h = nnx.gelu(self.first(x.reshape(-1, 8, 8, 1)))
        h = nnx.gelu(self.norm(self.second(h)))
        return self.out(self.dropout(h.reshape(len(x), -1)))


# %% [markdown]
# ## Noise, loss, optimiser
#
# Additive noise is its log density. The loss is that of the decoder, with a fine on the fourth power of the units.


# %%
@register_dataclass
@dataclass(frozen=True)
class Laplace(AdditiveNoise):
    """Additive Laplace noise: density exp(-|e|/b)/(2b)."""

    scale: float | jax.Array
    name: ClassVar[str] = "laplace"
    summary: ClassVar[str] = "additive Laplace noise"

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -jnp.abs(e) / self.scale - jnp.log(2 * self.scale)


@dataclass(frozen=True)
class Peaked(ChannelSystem):
    """Units of power 1 through Laplace noise."""

    name = "peaked"
    summary = "units of power 1 through Laplace noise"
    level_name = "scale of the noise"
    level_symbol = "b"
    default_levels = (0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.1)

    def channel(self, level: float | jax.Array) -> Laplace:
        return Laplace(level)

    def penalty(self, level: float | jax.Array, codes: jax.Array) -> jax.Array:
        return 0.01 * (codes**4).mean()


optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(1e-2, 400)))
training = Training(steps=400, batch=128, receiver_steps=100, receiver_batch=128, optimiser=optimiser)
levels = (0.1, 0.3, 0.9)


def plan_of(network: Modules):
    system = Peaked(Architecture(units=4, widths=(48,), network=network))
    return plan_curve(0, pictures, system, levels, 1, training=training, samples=256)


# %% [markdown]
# ## Broken off, and resumed
#
# What a directory holds is kept lane by lane. Here Ctrl-C comes after the first lanes; the second call goes on from
# them, and both end in the bits of a run that nobody disturbed.

# %%
own = plan_of(Modules(make_encoder=Convolutional))
directory = Path(tempfile.mkdtemp()) / "run"


def break_off(share: float, what: str) -> None:
    raise KeyboardInterrupt


try:
    with Store.open(directory, own.configuration) as store:
        run_plan(own, store, progress=break_off)
except KeyboardInterrupt:
    print("broken off:", *sorted(path.name for path in (directory / "parts").iterdir()))
with Store.open(directory, own.configuration) as store:
    convolutional = run_plan(own, store, progress=lambda share, what: print(f"{share:.0%} {what}"))
assert convolutional.equals(run_plan(own))

# %% [markdown]
# Another network in the same directory is refused, be its name and sizes the same: a digest of what runs is kept.


# %%
class Twice(Convolutional):
    """The same sizes, and another function."""

    def __call__(self, x: jax.Array) -> jax.Array:
        return super().__call__(2 * x)


Twice.__module__, Twice.__qualname__ = Convolutional.__module__, Convolutional.__qualname__
try:
    Store.open(directory, plan_of(Modules(make_encoder=Twice)).configuration)
except StoreError as error:
    print(str(error).replace(str(directory), "run"))

# %% [markdown]
# ## Drawn your way
#
# A curve is an `xarray.Dataset`: curves of several networks are one more dimension.

# %%
both = xr.concat(
    [convolutional.bits, run_plan(plan_of(Modules())).bits], xr.Variable("network", ["convolutional", "perceptron"])
)
figure, axes = plt.subplots(figsize=(6, 4))
both.mean("seed").plot.line("o-", x="level", xscale="log", ax=axes)
axes.axhline(float(pictures.bits), color="black", linestyle=":", label="source")
if "ceiling" in convolutional:
    convolutional.ceiling.plot.line("--", color="grey", x="level", ax=axes, label="ceiling")
axes.set(title="256 pictures of digits through Laplace noise", ylabel="bits", ylim=(0, 9))
plt.show()

# %% [markdown]
# ## Trained elsewhere
#
# Whoever has a loop of their own gives the module that it left: `frozen_module` makes an encoder of it, in evaluation
# mode.

# %%
module = Convolutional(64, 4, nnx.Rngs(0))
for step in range(50):  # stands for your loop
    module(pictures.sample(jax.random.key(step), 128).vector)
found = measure(0, Joint(pictures, frozen_module(module), Laplace(0.3)))
print(found.lower)
assert 0 < found.lower.bits < pictures.bits
