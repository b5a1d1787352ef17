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
# # How many bits do two arrays share?
#
# Mutual information from samples, with an interval, by the method that suits the data; what each method can say at
# most; and how to write one of your own.

# %%
# %matplotlib inline
from dataclasses import dataclass

import jax
import matplotlib.pyplot as plt
import numpy as np

import capacity
from capacity import Estimate
from capacity.estimators import ESTIMATORS, KSG, Estimator, GaussianMI, InfoNCE
from capacity.estimators.neighbours.ksg import scaled_margins
from capacity.estimators.neighbours.profile import profile
from capacity.plots.samples import plot_heat_map, plot_profile
from synthetic.pairs import task

key = jax.random.key(0)

# %% [markdown]
# Two numbers, one the other with a little uniform noise. The truth is known: 2.466 bits.

# %%
pair = task("1v1-additive-0.1")
x, y = pair.sample(jax.random.key(1), 3000)
choice = capacity.choose(key, x, y)
print(
    f"truth {pair.bits:.3f}; {choice.method}: {choice.estimate.bits:.3f} "
    f"[{choice.estimate.low:.3f}, {choice.estimate.high:.3f}]\n{choice.why}"
)

# %% [markdown]
# `choose` fits models to three quarters of the pairs and asks each how much it shows on the rest: a lower bound in
# expectation, whatever the model. Then methods that assume no model look for what the best model misses.

# %%
for candidate in choice.candidates:
    held_out = "" if candidate.held_out_bound is None else f"shows {candidate.held_out_bound:.3f} bits held out"
    own = "" if candidate.estimate is None else f"estimates {candidate.estimate.bits:.3f}"
    print(f"{candidate.name:16s} {held_out:30s} {own}")

# %% [markdown]
# ## Where there is bias, estimates move
#
# The figure of nearest neighbours depends on the number of pairs and of neighbours. Where lines still rise to the
# right, more pairs would say more; the interval of `KSG` reaches as far as the movement says.

# %%
figure, axes = plt.subplots(figsize=(7, 4.8), layout="constrained")
found = KSG()(key, x, y)
moved = profile(key, KSG().terms, scaled_margins(x, "standard"), scaled_margins(y, "standard"), (3, 5, 10, 20))
plot_profile(moved, axes, found, "KSG", truth=pair.bits)
plt.show()

# %% [markdown]
# ## What a method can say at most
#
# A contrastive bound knows which of K values came with this x: it cannot say more than log2 K, however much there is.
# The result carries that limit, and `saturated` tells when the figure has reached it.

# %%
near = np.random.default_rng(2).normal(size=(2000, 4))
copies = near + 1e-3 * np.random.default_rng(3).normal(size=near.shape)
truth = 4 * 0.5 * np.log2(1 + 1e6)
for method in (GaussianMI(), KSG(), InfoNCE(folds=2)):
    e = method(key, near, copies)
    print(
        f"{method.name:16s} {e.bits:6.2f} [{e.low:.2f}, {e.high:.2f}] of {truth:.2f}; "
        f"most it could say {e.limit:.2f}; saturated: {bool(e.saturated)}"
    )

# %% [markdown]
# ## Pairs of columns

# %%
r = np.random.default_rng(4)
height = r.normal(size=800)
table = np.column_stack(
    [height, 0.8 * height + 0.6 * r.normal(size=800), height**2 + 0.3 * r.normal(size=800), r.normal(size=800)]
)
figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
plot_heat_map(capacity.pairwise(key, table, method="ksg", names=["height", "weight", "squared", "noise"]), axes)
plt.show()

# %% [markdown]
# ## Your own estimator in twelve lines
#
# A frozen dataclass that inherits `Estimator`, says what it takes, and returns nats with a standard error; `x` and `y`
# come checked. `estimate` takes it as it is. `ESTIMATORS.register` gives it a name for the session; one line in
# `capacity/estimators/registry.py` enrols it for good: then it has a name in `estimate`, in `capacity estimate
# --method` and in `capacity list`, a row in the table of the public tasks, and must keep the laws of
# `tests/capacity/estimators/test_estimator_laws.py`: independent sides share nothing, the same key gives the same
# figure, symmetry and invariances, refusals.


# %%
@dataclass(frozen=True)
class Sign(Estimator):
    """Information between the signs alone: at most one bit, and at most I(X;Y)."""

    name = "sign"
    summary = "information between the signs of two columns"
    takes = "continuous"
    min_pairs = 20

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        together = np.histogram2d(x[:, 0] > 0, y[:, 0] > 0, bins=2)[0] / len(x)
        ratio = np.log(together / np.outer(together.sum(1), together.sum(0)))
        nats = float((together * ratio).sum())
        stderr = float(np.sqrt((together * (ratio - nats) ** 2).sum() / len(x)))
        return Estimate.from_nats(nats=nats, stderr=stderr, kind="point", n=len(x), limit=np.log(2))


ESTIMATORS.register(Sign)
x, y = task("1v1-normal-0.75").sample(jax.random.key(5), 5000)
for name in ("sign", "gaussian", "ksg"):
    e = capacity.estimate(key, x, y, method=name)
    print(f"{name:10s} {e.bits:.3f} [{e.low:.3f}, {e.high:.3f}]")
agree = 0.5 + np.arcsin(0.75) / np.pi
print(f"the signs' truth: {1 + agree * np.log2(agree) + (1 - agree) * np.log2(1 - agree):.3f}")

# %% [markdown]
# The signs of a pair with correlation ρ agree with probability ½ + arcsin(ρ)/π, which gives the truth above: the new
# method meets it, and says less than the whole, as it should.
