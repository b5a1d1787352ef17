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
# # A channel, a source, an estimator, a system and a claim of your own
#
# Each is one small class that inherits its contract: what is not said has a default. Copy the part that you need. The
# counts are lines of code, without blanks and docstrings; a test counts them. None of them needs a fork: the last
# section says how a package of yours puts them into the command line.

# %%
# %matplotlib inline
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from jax.scipy.stats import norm
from scipy.integrate import quad
from scipy.stats import rankdata

from capacity import Architecture, Estimate, Joint, Training, capacity_curve, estimate, measure, register_dataclass
from capacity.channels import CHANNELS, AdditiveNoise, Channel, Constraint, Gaussian
from capacity.claims import CLAIMS, Claim, Context, Evidence, Prediction, examine
from capacity.claims.answers import difference
from capacity.estimators import ESTIMATORS, Estimator
from capacity.systems import SYSTEMS, ChannelSystem
from synthetic import Codebook, FairBits, Source

# %% [markdown]
# ## A channel of additive noise: 8 lines
#
# Additive noise is its log density. Sampler, moments and entropy follow by quadrature, the ceiling by Blahut–Arimoto:
# Laplace noise has no closed capacity under a power. Give `sample_noise`, `noise_moments`, `noise_entropy` or `ceiling`
# where you have a formula. The level is an array leaf, so that levels stack under `vmap`.
#
# The laws (`tests/capacity/channels/test_channels.py`) hold a channel to: samples have the density's moments, the
# density integrates to one, `E[log_prob] = -entropy`, float32 agrees with float64, and no ceiling is passed.


# %%
@register_dataclass
@dataclass(frozen=True)
class Laplace(AdditiveNoise):
    """Additive Laplace noise: density exp(-|z - u| / scale) / (2 scale), Lebesgue; standard deviation sqrt(2) scale."""

    scale: float | jax.Array
    name: ClassVar[str] = "laplace"
    summary: ClassVar[str] = "additive Laplace noise; ceiling by Blahut-Arimoto"

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -jnp.abs(e) / self.scale - jnp.log(2 * self.scale)


CHANNELS.register(Laplace)  # for this session; for good: the last section

# %% [markdown]
# Four fair bits, one a unit, sent as ±1. The units are independent, so that a quadrature over one of them is the truth.

# %%
bits = FairBits(jnp.eye(4))
laplace = Laplace(0.5)
found = measure(0, Joint(bits, lambda x: x, laplace)).lower


def of_one_unit(z: float, b: float = 0.5) -> float:
    sent, other = (np.exp(-abs(z - u) / b) / (2 * b) for u in (1, -1))
    return sent * np.log2(sent / (0.5 * sent + 0.5 * other))


truth = 4 * quad(of_one_unit, -20, 20, points=[-1, 1])[0]
ceiling = 4 * float(laplace.ceiling(jnp.float32(1)))
print(f"{found.bits:.4f} [{found.low:.4f}, {found.high:.4f}], quadrature {truth:.4f}, ceiling at power 1 {ceiling:.4f}")
assert found.low - 0.01 < truth < found.high + 0.01 and truth < ceiling

# %% [markdown]
# ## Any other channel: 17 lines
#
# A sampler, a density and two moments, all of a single item; batching is the caller's. Here the noise grows with the
# signal, as that of counted photons does. Given the code it is normal, and says so: bounds then have less to sample.


# %%
@register_dataclass
@dataclass(frozen=True)
class ShotNoise(Channel):
    """Normal noise of variance sigma^2 (1 + |u|) on a unit u; Lebesgue density."""

    sigma: float | jax.Array
    name: ClassVar[str] = "shot_noise"
    summary: ClassVar[str] = "normal noise whose variance grows with the signal"
    normal: ClassVar[bool] = True

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        return u, jnp.square(self.sigma) * (1 + jnp.abs(u))

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        mean, variance = self.moments(u)
        return mean + jnp.sqrt(variance) * jax.random.normal(key, u.shape, u.dtype)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        mean, variance = self.moments(u)
        return norm.logpdf(z, mean, jnp.sqrt(variance))

    def entropy(self, u: jax.Array) -> jax.Array:
        return 0.5 * jnp.log(2 * jnp.pi * jnp.e * self.moments(u)[1])


CHANNELS.register(ShotNoise)
found = measure(1, Joint(bits, lambda x: x + 1, ShotNoise(0.6))).lower  # on and off: units of 0 and 2


def of_on_and_off(z: float) -> float:
    densities = [np.exp(-((z - u) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v) for u, v in ((0, 0.36), (2, 1.08))]
    mean = sum(densities) / 2
    return sum(p * np.log2(p / mean) for p in densities if p > 0) / 2


truth = 4 * quad(of_on_and_off, -8, 12)[0]
print(f"{found.bits:.4f} [{found.low:.4f}, {found.high:.4f}], quadrature {truth:.4f}")
assert found.low - 0.01 < truth < found.high + 0.01

# %% [markdown]
# ## A source: 7 lines
#
# Messages with exact bits and the vectors that carry them. A finite set of vectors, with any probabilities, is a
# `Codebook`; a class with `build(key, bits, dim)` makes one by name. (A source whose messages cannot be listed inherits
# `synthetic.NamedSource`.) The laws (`tests/synthetic/test_laws.py`) ask that `bits` is the entropy of `log_prob`, that
# `embed` is injective and that samples have the stated probabilities.


# %%
class Zipf:
    """Words of unequal use: word r has a probability in proportion to 1/r (Zipf 1949), and a random vector."""

    name: ClassVar[str] = "zipf"
    summary: ClassVar[str] = "2^bits words of probability 1/rank, random vectors"

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Source:
        weights = 1 / np.arange(1, 2**bits + 1)
        return Codebook(jax.random.normal(key, (2**bits, dim)), weights / weights.sum())


words = Zipf.build(jax.random.key(1), bits=8, dim=3)
print(f"256 words, {words.bits:.3f} bits instead of 8")
print(measure(2, Joint(words, lambda x: x, Gaussian(0.5))).lower.bits)

# %% [markdown]
# ## An estimator: 11 lines
#
# `information(key, x, y)` on two arrays that are checked already, in nats with a standard error. It says what it takes
# and what leaves it unchanged. The laws (`tests/capacity/estimators/test_estimator_laws.py`): independent sides share
# nothing, the same key gives the same figure, symmetry and invariances as stated, refusals.


# %%
@dataclass(frozen=True)
class Spearman(Estimator):
    """Bits of a normal copula from Spearman's rank correlation r: rho = 2 sin(pi r/6), I = -1/2 log(1 - rho^2)."""

    name = "spearman"
    summary = "normal copula of one column a side, from ranks"
    takes = "continuous"
    symmetric = True
    unchanged_by = frozenset({"shift", "scale", "monotone"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        rho = 2 * np.sin(np.pi / 6 * np.corrcoef(rankdata(x[:, 0]), rankdata(y[:, 0]))[0, 1])
        # Delta method: dI/drho = rho/(1-rho^2), and the correlation's own error (1-rho^2)/sqrt(n), 5 % more by ranks.
        nats, stderr = -0.5 * np.log1p(-(rho**2)), 1.05 * abs(rho) / len(x) ** 0.5
        return Estimate.from_nats(nats=nats, stderr=stderr, kind="point", n=len(x))


ESTIMATORS.register(Spearman)
r = np.random.default_rng(3)
x = r.normal(size=3000)
y = 0.8 * x + 0.6 * r.normal(size=3000)
e = estimate(4, np.exp(x), y**3, method="spearman")
print(f"{e.bits:.3f} [{e.low:.3f}, {e.high:.3f}], truth {-0.5 * np.log2(1 - 0.64):.3f}")

# %% [markdown]
# ## A system: 12 lines
#
# Encoder, channel, decoder, loss, and which knob is the level. A `ChannelSystem` has the networks and trains them
# through the channel; what is left is the channel and what holds the units. Here each unit is kept inside ±1: a limit
# on the amplitude, under which Smith's (1971) capacity holds, 0.4859 bits a unit at noise of one. An amplitude of one
# is a power of at most one, so that the channel's own ceiling follows.


# %%
@dataclass(frozen=True)
class Bounded(ChannelSystem):
    """Autoencoder whose units lie in (-1, 1), through Gaussian noise of standard deviation `level`."""

    name = "bounded"
    summary = "units inside ±1 through Gaussian noise"
    level_name = "noise standard deviation"
    level_symbol = "σ"
    default_levels = (0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9, 1.0)

    @property
    def constraint(self) -> Constraint:
        return Constraint("amplitude", 1.0)

    def channel(self, level: float | jax.Array) -> Gaussian:
        return Gaussian(level)


SYSTEMS.register(Bounded)
source = FairBits.build(jax.random.key(5), bits=4, dim=6)
system = Bounded(Architecture(units=3, widths=(24,)))
training = Training(steps=400, receiver_steps=200)
curve = capacity_curve(6, source, system, (0.3, 0.6, 1.0), seeds=2, training=training)
figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
axes.plot(curve.level, curve.ceiling, color="black", label="ceiling under a power of 1 (leaves the axis)")
axes.axhline(source.bits, color="#777777", ls="--", label="source: 4 bits")
axes.plot(curve.level, curve.bits, "o", color="#0072B2", label=["measured, a point a seed", "_the other seed"])
axes.set(xlabel="noise standard deviation σ", ylabel="bits", ylim=(0, 4.4))
axes.legend(frameon=False)
plt.show()
# At σ = 1, where Smith's capacity is known, three units pass at most 3 · 0.4859 bits.
assert float(curve.bits.sel(level=1.0).max()) < 3 * 0.48594 + 0.03

# %% [markdown]
# ## A claim: 12 lines
#
# A sentence, its source, and predictions with regions that are written down before the run. The experiment answers each
# with a value and an interval; the verdict follows from the rule alone (`capacity.claims.claim`). The figure is drawn
# from the answers unless `plot` draws another. The tests run every claim's fast version and hold it to answering all of
# its predictions.


# %%
class OneBitPerHalving(Claim):
    """Half the noise, one bit more in every unit: so says ½ log2(P/σ²), where the noise is weak."""

    name = "one_bit_per_halving"
    sentence = "half the noise lets one more bit through every unit"
    source = "Shannon (1948), A mathematical theory of communication, theorem 17"
    predictions = (Prediction("gain of a halving", "a unit passes one bit more", low=0.9, high=1.1),)

    def run(self, key: jax.Array, context: Context) -> Evidence:
        points = Codebook(jax.random.normal(jax.random.fold_in(key, 0), (4096, 1)))
        runs = [
            [measure(k, Joint(points, jnp.asarray, Gaussian(level))).lower.bits for k in jax.random.split(of_level, 8)]
            for level, of_level in zip((0.1, 0.2), jax.random.split(jax.random.fold_in(key, 1)), strict=True)
        ]
        return Evidence({"gain of a halving": difference(*runs, context.miss_rate)})


CLAIMS.register(OneBitPerHalving)
outcome = examine(7, OneBitPerHalving(), fast=True)
print(outcome)
assert outcome.verdict == "supported"

# %% [markdown]
# ## Into the command line
#
# In this session, a line such as `CHANNELS.register(Laplace)` will do (`ESTIMATORS`, `SYSTEMS`, `CLAIMS`, `BOUNDS`
# alike). What breaks the contract is refused with what it lacks: try it with a class that has only a name.

# %%
try:

    class Half(Channel):
        name = "half"

    CHANNELS.register(Half)
except TypeError as error:
    print(error)

# %% [markdown]
# For good, without a fork, a package of yours says in its `pyproject.toml`
#
# ```toml
# [project.entry-points."infocapacity.channels"]
# laplace = "my_package.laplace:Laplace"
#
# [project.entry-points."infocapacity.sources"]
# zipf = "my_package.zipf:Zipf"
#
# [project.entry-points."infocapacity.estimators"]
# spearman = "my_package.spearman:Spearman"
#
# [project.entry-points."infocapacity.systems"]
# bounded = "my_package.bounded:Bounded"
#
# [project.entry-points."infocapacity.claims"]
# one_bit_per_halving = "my_package.halving:OneBitPerHalving"
# ```
#
# Once it is installed, `capacity list` has them, and so have `capacity curve --system bounded --source zipf`,
# `capacity estimate --method spearman` and `capacity claims one_bit_per_halving`. A name that is taken, a module that
# fails to load, or a class that breaks its contract is left out with a warning that says whose it is. Inside this
# repository, one line in the tuple of the kind's registry does the same, and the laws of the tests then hold the new
# class too.
