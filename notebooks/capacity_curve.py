# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A capacity curve
#
# How many bits pass through a noisy network?  Take a source whose bits are known exactly, sixteen fair bits rotated
# into 32 dimensions; make a network carry them through eight units; put Gaussian noise on the units; and measure
# the mutual information between the message and the noisy units.  Everything obeys
#
# $$\text{decoder bits} \;\le\; I(M;Z) \;\le\; \min\big(H(M),\; 8\cdot\tfrac12\log_2(1+P/\sigma^2)\big).$$
#
# The 65,536 messages can be listed, so $I(M;Z)$ is *exact* up to a small Monte-Carlo error, which is shown.
#
# The next cell runs the default job.  Finished lanes are kept in `runs/curve`: if `make curve` has been there before,
# the same numbers come back at once; else it takes a minute and a half.

# %%
# %matplotlib inline
import os
import subprocess
import sys

import jax
import matplotlib.pyplot as plt
import numpy as np

from capacity import GaussianAutoencoder, Training, capacity_curve, load_curves
from capacity.plots.curve import curve_figure
from synthetic import FairBits

out = os.environ.get("OUT", "../runs/curve")
subprocess.run([sys.executable, "-m", "capacity", "curve", "--out", out, "--quiet"], check=True)
curves = load_curves(out)
gaussian, vae = curves["gaussian"], curves["vae"]

# %%
curve_figure(curves)

# %% [markdown]
# ## Noise limits what passes, if the power is held
#
# Every unit has mean square one.  Beside the learnt code stands one made by hand, PAM: two bits on each unit, sent as
# one of four levels.  At the knee, where the ceiling meets the source's 16 bits, the learnt code carries more than PAM:
# it shares the units among all bits.

# %%
for level in gaussian.level.values:
    at = gaussian.sel(level=level)
    at = at.isel(seed=int(np.argmax(at.bits.values)))
    most = min(float(at.ceiling), float(at.source_bits))
    print(
        f"sigma {level:4.2f}: {float(at.bits):6.3f} bits in [{float(at.bits_low):6.3f}, {float(at.bits_high):6.3f}], "
        f"{100 * float(at.bits) / most:5.1f} % of {most:6.3f}; "
        f"decoder {float(at.decoder_bits):6.3f} in [{float(at.decoder_bits_low):6.3f}, "
        f"{float(at.decoder_bits_high):6.3f}], PAM {float(at.pam_bits):6.3f}"
    )

# %% [markdown]
# ## The rate is the information and an excess
#
# A VAE pays $E\,\mathrm{KL}(q(z|x)\,\|\,r(z)) = I(M;Z) + \mathrm{KL}(q(z)\,\|\,r(z))$.  The rate is
# exact, the other two come from samples, and the error shown is that of independent ones.

# %%
for level in vae.level.values:
    at = vae.sel(level=level).isel(seed=0)
    gap = float(at.rate - at.bits)
    error = 1.96 * float(np.hypot(at.bits_stderr, at.excess_stderr))
    print(f"beta {level:4.2f}: rate - bits = {gap:6.3f} +- {error:.3f}, KL(q(z)||r) = {float(at.excess):6.3f}")

# %% [markdown]
# ## Without a power constraint, noise limits nothing
#
# The same noise, $\sigma = 1$, on units that are free to grow: the longer the encoder trains, the more power it
# takes, and the bits come back.  With the power held at one, no code passes more than four bits.

# %%
source = FairBits.build(jax.random.key(0), bits=16, dim=32)
free = []
for steps in (30, 100, 300, 1000, 3000):
    training = Training(steps=steps, receiver_steps=0)
    curve = capacity_curve(jax.random.key(1), source, GaussianAutoencoder(power=None), [1.0], 1, training=training)
    free.append((float(curve.power.item()), float(curve.bits.item())))
    print(f"{steps:5d} steps: power {free[-1][0]:8.1f}, {free[-1][1]:6.3f} of 16 bits")

# %%
power = np.geomspace(0.1, 1000, 200)
fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.plot(power, np.minimum(16, 4 * np.log2(1 + power)), color="black", label="most that noise of σ = 1 lets through")
ax.plot(*np.array(free).T, "o-", color="#0072B2", label="free units, 30 to 3,000 steps of training")
ax.set(xscale="log", xlabel="mean power of a unit", ylabel="information [bits]", ylim=(0, 17))
ax.legend(loc="lower right")
plt.show()
