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
# # The digits of π: many bits to look at, few in truth
#
# *π to a trillion digits, plus noise in (−0.01, 0.01), keeps about three digits*: so goes an argument for why noise
# limits information. Before it can be tested, "the information in π" needs a meaning, and it has at least three:
#
# | question | answer |
# |---|---|
# | how much does a reader learn who is told π? | 0 bits: a constant has no entropy |
# | how long is the shortest program that prints N digits? | some hundred bits and log2 N (Kolmogorov 1965) |
# | how much does a stretch of digits say of *where* in the first N it was taken from? | log2 N bits |
#
# and one that only looks like an answer: log2 10 = 3.32 bits for each digit, as if they were drawn by a fair die of ten
# sides. This notebook measures all of them, and then adds the noise. It needs some 30 seconds.

# %%
# %matplotlib inline
import subprocess
import sys

import jax
import matplotlib.pyplot as plt
import numpy as np

from capacity import Joint, estimate, measure
from capacity.channels import Gaussian
from capacity.claims import answers as statistics
from capacity.claims import CLAIMS, examine
from capacity.theory import gaussian_noise_information, uniform_noise_information
from synthetic import PiDigits
from synthetic.pi import compressed_bits, pi_digits
from synthetic.pairs import PiPlusNoise

BLUE, RED, GREEN, ORANGE, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#000000", "#777777"
DIGIT = np.log2(10)


def reach(values, low, high):
    return np.array([np.subtract(values, low), np.subtract(high, values)])


# %% [markdown]
# ## A short program
#
# The length of any program that prints the digits is an upper bound on what they hold. Euler's series
# π/2 = Σ k!/(2k+1)!! in whole numbers, with nine digits more than asked for to absorb the rounding:

# %%
PROGRAM = "n={n};t=s=2*10**(n+9);k=1\nwhile t:t=t*k//(2*k+1);s+=t;k+=1\nprint(s//10**9)"


def program_bits(count):
    return 8 * len(PROGRAM.format(n=count))


command = [sys.executable, "-X", "int_max_str_digits=0", "-c", PROGRAM.format(n=5000)]
printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
assert printed == "3" + "".join(map(str, pi_digits(5000)))
print(f"5,000 digits: {5000 * DIGIT:,.0f} bits to look at, printed by a program of {program_bits(5000)} bits")

# %% [markdown]
# ## What a compressor sees
#
# A compressor, too, gives an upper bound: of a text that it cannot shorten it says only that *it* found nothing. Held
# against digits that are random, and against digits in which there is something to find:

# %%
count = 20_000
texts = {
    "π": pi_digits(count),
    "random digits": np.asarray(jax.random.randint(jax.random.key(0), (count,), 0, 10)),
    "1/7 = 0.142857 142857 ...": np.resize([1, 4, 2, 8, 5, 7], count),
}
for name, digits in texts.items():
    packed = ", ".join(f"{tool} {bits:5.3f}" for tool, bits in compressed_bits(digits).items())
    print(f"{name:26s} bits per digit: {packed}")

# %% [markdown]
# General compressors cannot tell π from random digits. Can a network? The claim `uniform` trains one, a hidden layer of
# 96 units, to foretell each digit from the 16 before it, on the first 1,000, 10,000 and 100,000 digits, and asks it
# about 20,000 digits that come later. `examine` runs the claim's small version; its verdict is printed at the end.

# %%
outcome = examine(jax.random.key(1), CLAIMS["digits_of_pi"](), fast=True)
seen = outcome.data
sizes = seen["size"].values
tools = [compressed_bits(pi_digits(int(n))) for n in sizes]
many = np.geomspace(1000, 100_000, 50)

fig, ax = plt.subplots(figsize=(9.4, 4.6), layout="constrained")
error = reach(seen.held_out_bits, seen.held_out_low, seen.held_out_high)
ax.errorbar(sizes, seen.held_out_bits, error, fmt="s-", color=RED, capsize=3, label="network, later digits, 95 %")
ax.plot(sizes, seen.train_bits, "o-", color=BLUE, label="network, the digits it was trained on")
for tool, marker in zip(tools[0], "^vD", strict=True):
    ax.plot(sizes, [one[tool] for one in tools], marker, color=GREEN, mfc="white", label=f"compressor {tool}")
ax.axhline(DIGIT, color=GREY, lw=1.2, ls=(0, (6, 3)), label="log2 10: a fair die of ten sides")
ax.plot(many, [program_bits(int(n)) / n for n in many], color=BLACK, label="the program above")
ax.set(xscale="log", ylim=(0, 6), xlabel="decimals of π, from the first on", ylabel="bits per digit")
ax.set_title("What one needs for a digit of π")
ax.grid(color="#dddddd", lw=0.6)
ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
plt.show()
last = seen.isel(size=-1)
print(
    f"trained on 100,000 digits: {float(last.held_out_bits):.3f} "
    f"[{float(last.held_out_low):.3f}, {float(last.held_out_high):.3f}] bits for a later digit; log2 10 = {DIGIT:.3f}"
)

# %% [markdown]
# Blue far below the dashed line is memory, not understanding: on later digits the same network is *worse* than a fair
# guess, by two bits at 1,000 digits, because it is sure of things that are not so. With more digits both lines come to
# log2 10: there is nothing to learn for a learner of this kind. Yet the black line falls as 1/N. Between "no statistics
# to be found" and "no structure" lies the whole of computation, and statistics of samples do not tell the two apart.
# (That every stretch of digits is equally frequent, that π is *normal*, is not proven either.)
#
# So it matters what "bits" a toolkit counts. Here they are always the mutual information with a *message* of known
# entropy; here the message is a position.
#
# ## What noise leaves of it
#
# Take X = 10 · 0.d(k) d(k+1) d(k+2) ..., a number below ten that is written out in the digits of π from position k on,
# k one of M positions at random; Y = X + N, N uniform on (−ε, ε). Without noise Y says which position, log2 M bits. As
# M grows X fills [0, 10] evenly, and for X uniform on an interval of width w (the sum has a trapezoid for a density;
# Czyż et al. 2023)
#
# $$I(X;Y) = \log_2\frac{w}{2\varepsilon} + \frac{\varepsilon}{w \ln 2} .$$
#
# Measured in two ways: the mean of log2 p(y|x)/p(y) over 4,000 draws, p(y) by counting positions near y; and nearest
# neighbours (Kraskov, Stögbauer & Grassberger 2004), who are shown 3,000 pairs and told nothing.

# %%
noise = np.array([3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0])  # half width, on a number below ten
fig, ax = plt.subplots(figsize=(7.6, 5), layout="constrained")
fine = np.geomspace(noise[0], 5, 100)
ax.plot(fine, uniform_noise_information(fine, width=10.0), color=BLACK, label="closed form, X uniform")
for exponent, hue, marker in ((4, ORANGE, "D"), (10, RED, "s"), (17, BLUE, "o")):
    pairs = [PiPlusNoise(e / 10, 2**exponent) for e in noise]
    keys = jax.random.split(jax.random.key(exponent), len(pairs))
    density = [pair.information_density(*pair.sample(k, 4000)) for pair, k in zip(pairs, keys, strict=True)]
    bits, low, high, _, _ = zip(*(statistics.mean(d, 0.05) for d in density), strict=True)
    label = f"$2^{{{exponent}}}$ positions: at most {exponent} bits"
    ax.errorbar(noise, bits, reach(bits, low, high), fmt=marker, color=hue, mfc="white", capsize=3, label=label)
    ax.axhline(exponent, color=hue, lw=0.8, ls=":")
wide = noise[5:8]
blind = [
    estimate(k, *PiPlusNoise(e / 10, 2**17).sample(k, 3000), method="ksg") for e, k in zip(wide, keys[5:8], strict=True)
]
bits, low, high = ([float(getattr(one, part)) for one in blind] for part in ("bits", "low", "high"))
ax.errorbar(
    wide, bits, reach(bits, low, high), fmt="x", color=GREEN, capsize=3, label="neighbours, $2^{17}$ positions, 95 %"
)
ax.set(xscale="log", ylim=(0, 18), xlabel="half width ε of the noise, on a number below ten", ylabel="bits kept")
ax.secondary_yaxis("right", functions=(lambda b: b / DIGIT, lambda d: d * DIGIT)).set_ylabel("decimal digits kept")
ax.set_title("What noise leaves of π, from a random digit on")
ax.grid(color="#dddddd", lw=0.6)
ax.legend(facecolor="white", framealpha=1, edgecolor="white")
plt.show()
truth = float(uniform_noise_information(0.01, width=10.0))
counted = PiPlusNoise(0.001, 2**17).bits
print(f"ε = 0.01: closed form {truth:.3f} bits, counted on 2^17 positions {counted:.3f}: {counted / DIGIT:.2f} digits")

# %% [markdown]
# The claim is right, and for a reason that has nothing to do with π: noise of ±0.01 on a number below ten leaves 2.7
# digits of *whatever* number is spread evenly there, a trillion digits or twenty. (Where no interval is seen it is
# smaller than the sign.) The points leave the black line where the message runs out: sixteen positions are 4 bits, and
# noise too small to confuse any two of them takes nothing. That is the rule behind every curve of this toolkit: what
# passes is at most the smaller of what the source has and what the channel lets through, and noise *limits* where it
# binds before the source does.
#
# ## Windows of π as a code
#
# Now sixteen digits at a time, each sent as a number of mean square 1 through Gaussian noise of its own. A window looks
# like 16 log2 10 = 53 bits. It passes at most log2 N, N the number of windows; and about what sixteen independent fair
# digits would pass, sixteen times the quadrature for one, where many windows look like those.

# %%
dim, sigmas = 16, np.array([0.3, 0.5, 0.7, 1.0, 1.5, 2.5, 4.0, 7.0])
levels = (np.arange(10) - 4.5) / 8.25**0.5
fresh = np.array([dim * gaussian_noise_information(levels, np.full(10, 0.1), s) for s in sigmas])
fig, ax = plt.subplots(figsize=(7.6, 5), layout="constrained")
ax.plot(sigmas, fresh, color=BLACK, label=f"{dim} fair digits: {dim} times one of them")
for exponent, hue, marker in ((4, ORANGE, "D"), (8, RED, "s"), (12, BLUE, "o")):
    source = PiDigits.build(jax.random.key(0), exponent, dim)
    found = [measure(jax.random.key(5), Joint(source, lambda x: x, Gaussian(s))).lower for s in sigmas]
    bits, low, high = (np.array([float(getattr(one, part)) for one in found]) for part in ("bits", "low", "high"))
    label = f"$2^{{{exponent}}}$ windows: {source.bits:g} bits that look like {source.apparent_bits:.0f}"
    ax.errorbar(sigmas, bits, reach(bits, low, high), fmt=marker, color=hue, mfc="white", capsize=3, label=label)
    ax.axhline(source.bits, color=hue, lw=0.8, ls=":")
    share = 100 * bits / np.minimum(source.bits, fresh)
    spread = float(np.var(source.codebook()[0], axis=0).mean())
    print(f"2^{exponent:<2d} windows, variance of a digit {spread:.2f}: " + ", ".join(f"{s:.0f} %" for s in share))
ax.set(xscale="log", yscale="log", ylim=(0.1, 70), ylabel="bits that pass")
ax.set(xlabel="standard deviation σ of the noise on each digit", title="Windows of π through Gaussian noise")
ax.set_xticks(sigmas, [f"{s:g}" for s in sigmas])
ax.set_yticks([0.1, 0.3, 1, 4, 8, 12, 53], ["0.1", "0.3", "1", "4", "8", "12", "53"])
ax.minorticks_off()
ax.grid(color="#dddddd", lw=0.6)
ax.legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# Printed are the shares of min(log2 N, black line). The many windows reach it but for the bend where both limits meet:
# the digits of π serve as a *random code*, by which Shannon (1948) proved that so much can pass. The sixteen windows
# lose more than a quarter in strong noise, where information goes with the variance of what is sent: the 31 digits
# that they are cut from happen to have less of it than fair ones.
#
# ## The verdict
#
# Predictions were written down before the run, with regions; their intervals hold all together at 95 %.

# %%
print(outcome)

# %% [markdown]
# **What this does not mean.** Not that π "contains" little or much: bits belong to a question, and each curve answers
# one about a position. Not that a learner never finds the rule behind random-looking digits: this one, of this size,
# on this many digits, did not; a compressor's or a network's failure is never a lower bound on anything but itself.
#
# **To try.** Set `dim = 32` in the last experiment. Where does each curve leave its dotted line now? (Where the black
# line crosses log2 N: twice the digits, twice the bits that the same noise passes.)
