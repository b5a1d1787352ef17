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
# Each is one small class. Copy the part that you need. None of them needs a fork: the last section says how a package
# of yours puts them into the command line.

# %%
# %matplotlib inline
from capacity.results.estimate import Estimate
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from scipy.integrate import quad
from scipy.stats import rankdata

import capacity
from capacity import Architecture, Joint, Training, capacity_curve, measure
from capacity.channels import CHANNELS, Gaussian
from capacity.claims import Answer, Context, Evidence, Prediction
from capacity.claims.claim import decide, miss_rate
from capacity.claims.answers import difference
from capacity.estimators.estimator import Change, Takes, checked
from capacity.systems import System, merge
from synthetic import Codebook, FairBits

# %% [markdown]
# ## 1. A channel
#
# What happens to one unit: a sampler, a density, its entropy, and the first two moments, all for a single item;
# batching is the caller's. The level is an array leaf. Laplace noise has no closed capacity under a power, and says so.
#
# The laws (`tests/capacity/channels/test_channels.py`) hold it to: samples
# have the density's moments, the density integrates to
# one, `E[log_prob] = -entropy`, float32 agrees with float64, and no ceiling is passed.


# %%
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Laplace:
    """Additive Laplace noise of a standard deviation: density exp(-|z-u|/b)/(2b), b = sigma/sqrt(2), Lebesgue."""

    sigma: float | jax.Array
    normal: ClassVar[bool] = False
    memoryless: ClassVar[bool] = True  # what happens to one unit tells nothing about another
    atomic: ClassVar[bool] = False  # no single value has a probability of its own
    full_support: ClassVar[bool] = True  # every z is possible under every code
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = False
    constraint: ClassVar[str] = ""
    statement: ClassVar[str] = "no ceiling in closed form under a power"
    name: ClassVar[str] = "laplace"
    summary: ClassVar[str] = "additive Laplace noise of standard deviation sigma"

    @property
    def scale(self) -> jax.Array:
        return jnp.asarray(self.sigma) / 2**0.5

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        return u + self.scale * jax.random.laplace(key, u.shape, u.dtype)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        scale = self.scale.astype(z.dtype)
        return -jnp.abs(z - u) / scale - jnp.log(2 * scale)

    def entropy(self, u: jax.Array) -> jax.Array:
        return jnp.broadcast_to(1 + jnp.log(2 * self.scale.astype(u.dtype)), u.shape)

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        return u, jnp.broadcast_to(2 * jnp.square(self.scale.astype(u.dtype)), u.shape)

    def signal(self, u: jax.Array) -> jax.Array:
        return u

    def ceiling(self, power: jax.Array) -> jax.Array:
        raise ValueError("Expected a channel with a ceiling; got laplace.")


CHANNELS[Laplace.name] = Laplace  # for this session; for good: the last section

# %% [markdown]
# Four fair bits, one a unit, sent as ±1. The units are independent, so that a quadrature over one of them is the truth.

# %%
bits = FairBits(jnp.eye(4))
found = measure(jax.random.key(0), Joint(bits, lambda x: x, Laplace(0.7))).lower


def of_one_unit(z: float, b: float = 0.7 / 2**0.5) -> float:
    sent, other = (np.exp(-abs(z - u) / b) / (2 * b) for u in (1, -1))
    return sent * np.log2(sent / (0.5 * sent + 0.5 * other))


truth = 4 * quad(of_one_unit, -20, 20, points=[-1, 1])[0]
print(f"{found.bits:.4f} [{found.low:.4f}, {found.high:.4f}], quadrature {truth:.4f}")
assert found.low - 0.01 < truth < found.high + 0.01

# %% [markdown]
# ## 2. A source
#
# Messages with exact bits and the vectors that carry them. A finite set of vectors, with any probabilities, is a
# `Codebook`; a class with `build(key, bits, dim)` makes one by name. (A source whose messages cannot be listed has the
# methods of `synthetic.Source` itself.) The laws (`tests/synthetic/test_laws.py`) ask that `bits` is the entropy of
# `log_prob`, that `embed` is injective and that samples have the stated probabilities.


# %%
class Zipf:
    """Words of unequal use: word r has a probability in proportion to 1/r (Zipf 1949), and a random vector."""

    name: ClassVar[str] = "zipf"
    summary: ClassVar[str] = "2^bits words of probability 1/rank, random vectors"

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Codebook:
        weights = 1 / np.arange(1, 2**bits + 1)
        return Codebook(jax.random.normal(key, (2**bits, dim)), weights / weights.sum())


words = Zipf.build(jax.random.key(1), bits=8, dim=3)
print(f"256 words, {words.bits:.3f} bits instead of 8")
print(measure(jax.random.key(2), Joint(words, lambda x: x, Gaussian(0.5))).lower.bits)

# %% [markdown]
# ## 3. An estimator
#
# `estimator(key, x, y)` on two arrays. It says what it takes and what leaves it unchanged, checks at its door, and
# returns nats with a standard error. The laws (`tests/capacity/estimators/test_estimator_laws.py`): independent sides
# share nothing, the same key gives the same figure, symmetry and invariances as stated, refusals.


# %%
@dataclass(frozen=True)
class Spearman:
    """Bits of a normal copula from Spearman's rank correlation: rho = 2 sin(pi r/6), I = -1/2 log(1 - rho^2)."""

    name: ClassVar[str] = "spearman"
    summary: ClassVar[str] = "normal copula of one column a side, from ranks"
    takes: ClassVar[Takes] = "continuous"
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale", "monotone"})

    def __call__(self, key: jax.Array, x: Any, y: Any) -> capacity.Estimate:
        x, y = checked(x, y, self.takes, least=20)
        rho = 2 * np.sin(np.pi / 6 * np.corrcoef(rankdata(x[:, 0]), rankdata(y[:, 0]))[0, 1])
        # Delta method: dI/drho = rho/(1-rho^2), and the correlation's own error (1-rho^2)/sqrt(n), 5 % more by ranks.
        return Estimate.from_nats(
            nats=-0.5 * np.log1p(-(rho**2)), stderr=1.05 * abs(rho) / len(x) ** 0.5, kind="point", n=len(x)
        )


r = np.random.default_rng(3)
x = r.normal(size=3000)
y = 0.8 * x + 0.6 * r.normal(size=3000)
e = capacity.estimate(jax.random.key(4), np.exp(x), y**3, method=Spearman())
print(f"{e.bits:.3f} [{e.low:.3f}, {e.high:.3f}], truth {-0.5 * np.log2(1 - 0.64):.3f}")

# %% [markdown]
# ## 4. A system
#
# Encoder, channel, decoder, loss, and which knob is the level. `Architecture` brings the networks; what is left is how
# the units are held. Here each unit is kept inside ±1 by a tanh: a limit on the amplitude, under which
# Smith's (1971) capacity holds: 0.4859 bits a unit at noise of one.


# %%
@dataclass(frozen=True)
class Bounded(System):
    """Autoencoder whose units lie in (-1, 1), through Gaussian noise of standard deviation `level`."""

    architecture: Architecture = field(default_factory=Architecture)
    name: ClassVar[str] = "bounded"
    summary: ClassVar[str] = "units inside ±1 through Gaussian noise"
    level_name: ClassVar[str] = "noise standard deviation"
    level_symbol: ClassVar[str] = "σ"
    default_levels: ClassVar[tuple[float, ...]] = (0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9, 1.0)
    statement: ClassVar[str] = "|u| <= 1: power at most 1, so Shannon's capacity is a ceiling"

    def ceiling(self, source: Any, level: float) -> float | None:
        return self.architecture.units * float(Gaussian(level).ceiling(jnp.float32(1)))

    def init(self, key: jax.Array, source: Any) -> Any:
        return self.architecture.init(key, source, self.architecture.units)

    def channel(self, level: jax.Array) -> Gaussian:
        return Gaussian(level)

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        return jnp.sqrt(power + jnp.square(level))

    def encode(self, source: Any, state: Any, vector: jax.Array) -> jax.Array:
        return jnp.tanh(merge(self.architecture.encoder(source, self.architecture.units), state)(vector))

    def loss(
        self, params: Any, key: jax.Array, source: Any, level: jax.Array, n: int, progress: jax.Array
    ) -> jax.Array:
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        u = jax.vmap(lambda vector: self.encode(source, params["encoder"], vector))(batch.vector)
        z = u + level * jax.random.normal(key_noise, u.shape)
        return self.architecture.reconstruction(params, source, batch, z)

    def joint(self, params: Any, key: jax.Array, source: Any, level: jax.Array) -> Joint:
        return Joint(source, jax.tree_util.Partial(self.encode, source, params["encoder"]), self.channel(level))


source = FairBits.build(jax.random.key(5), bits=4, dim=6)
system = Bounded(Architecture(units=3, widths=(24,)))
curve = capacity_curve(
    jax.random.key(6), source, system, (0.3, 0.6, 1.0), seeds=2, training=Training(steps=400, receiver_steps=200)
)
figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
axes.plot(curve.level, curve.ceiling, color="black", label="ceiling under a power of 1")
axes.axhline(source.bits, color="#777777", ls="--", label="source: 4 bits")
axes.plot(curve.level, curve.bits, "o", color="#0072B2", label="measured, a point a seed")
axes.set(xlabel="noise standard deviation σ", ylabel="bits", ylim=(0, 4.4))
axes.legend(frameon=False)
plt.show()
# At σ = 1, where Smith's capacity is known, three units pass at most 3 · 0.4859 bits.
assert float(curve.bits.sel(level=1.0).max()) < 3 * 0.48594 + 0.03

# %% [markdown]
# ## 5. A claim
#
# A sentence, its source, and predictions with regions that are written down before the run. The experiment answers each
# with a value and an interval; the verdict follows from the rule alone (`capacity.claims.claim`). The tests run every
# claim's fast version and hold it to answering all of its predictions.


# %%
@dataclass(frozen=True)
class OneBitPerHalving:
    """Half the noise, one bit more in every unit: so says ½ log2(P/σ²), where the noise is weak."""

    name: ClassVar[str] = "one_bit_per_halving"
    sentence: ClassVar[str] = "half the noise lets one more bit through every unit"
    source: ClassVar[str] = "Shannon (1948), theorem 17"
    predictions: ClassVar[tuple[Prediction, ...]] = (
        Prediction("gain of a halving", "a unit passes one bit more", low=0.9, high=1.1, unit="bits"),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        levels, runs = (0.2, 0.1), 8
        points = jax.random.normal(jax.random.fold_in(key, 0), (4096, 1))
        bits = [
            [self.bits(jax.random.fold_in(key, 1 + runs * i + j), points, level) for j in range(runs)]
            for i, level in enumerate(levels)
        ]
        answer: Answer = difference(bits[1], bits[0], context.miss_rate)
        return Evidence(
            {"gain of a halving": answer}, xr.Dataset({"bits": (("level", "run"), bits)}, {"level": [*levels]})
        )

    def bits(self, key: jax.Array, points: jax.Array, level: float) -> float:
        return float(measure(key, Joint(Codebook(points), _same, Gaussian(level))).lower.bits)

    def plot(self, data: xr.Dataset, figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(data.level, data.bits, "o", color="#0072B2")
        axes.set(xlabel="noise standard deviation", ylabel="bits")


def _same(x: jax.Array) -> jax.Array:
    return x


claim = OneBitPerHalving()
evidence = claim.run(jax.random.key(7), Context(miss_rate(claim), fast=True))
print(evidence.answers["gain of a halving"], decide(claim, evidence.answers))

# %% [markdown]
# ## Into the command line
#
# In this session, a line such as `CHANNELS[Laplace.name] = Laplace` (`ESTIMATORS`, `SYSTEMS`, `CLAIMS` alike) will do.
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
# `capacity estimate --method spearman` and `capacity claims one_bit_per_halving`. A name that is taken, or a module
# that fails to load, is left out with a warning that says whose it is. Inside this repository, one import line in the
# package's `__init__` does the same, and the laws of the tests then hold the new class too.
