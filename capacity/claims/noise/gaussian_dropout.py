"""Is Gaussian dropout the VAE's noise?  On +-1 units exactly; on real-valued ones it limits nothing.

Z = U N(1, p/(1-p)).  Where |U| is always the same this is Gaussian noise of signal-to-noise ratio (1 - p)/p, and so the
same channel.  A real-valued unit sees noise in proportion to itself: in the order of its magnitude any number of bits
pass at any power, while Gaussian noise of the same ratio stops at 1/2 log2(1/p).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.channels import GaussianDropout, LearntGaussian, Posterior
from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import PARTS, absolute, estimates_of, gap, label_axes, through
from capacity.claims.lab.experiment import Figures, labelled, rescaled
from capacity.joint.joint import Joint
from capacity.plots.style import BLACK, BLUE, GREY, RED
from capacity.results.estimate import Estimate
from capacity.systems.codes import PAM
from capacity.systems.codes.pam import gray_level
from capacity.theory import gaussian_capacity, gaussian_noise_information
from synthetic import FairBits

BITS = 6
RATES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
SPAN = 24.0  # of the hand-made code: the natural logarithm of its largest unit over its smallest


class GaussianDropoutNoise(Claim):
    """One code on +-1 units and one on the magnitude of a single unit, through both noises, enumerated."""

    name = "gaussian_dropout"
    sentence = "Gaussian dropout is the same noise as a variational autoencoder's"
    source = (
        "Kingma, Salimans & Welling (2015), Variational dropout and the local reparameterization trick; "
        "the noise: Srivastava et al. (2014), Dropout, section 10"
    )
    references = ("kingma2015variational", "srivastava2014dropout")
    predictions = (
        Prediction(
            "±1 units: against VAE noise, largest gap", "both pass the same bits", high=0.02, unit="bits per unit"
        ),
        Prediction("a real unit at p = 0.5, over the VAE's ceiling", "it limits real units as well", high=0.0),
        Prediction(
            "±1 units, largest departure from the quadrature", "the measure is right", high=0.02, instrument=True
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Measure both codes through both noises at every rate."""
        samples = 8192 if context.fast else 65536
        found = context.part("codes", lambda: _measured(key, samples))
        estimates = {name: estimates_of(found, name) for name in ("signs", "vae", "real")}
        rate, half = context.miss_rate, RATES.index(0.5)
        each = rate / len(RATES)
        gaps = [absolute(gap(a, b, each)) for a, b in zip(estimates["signs"], estimates["vae"], strict=True)]
        departures = [
            absolute(statistics.of_estimate(e, each, BITS * t))
            for e, t in zip(estimates["signs"], sign_bits(), strict=True)
        ]
        answers = {
            "±1 units: against VAE noise, largest gap": rescaled(statistics.largest(gaps), 1 / BITS),
            "a real unit at p = 0.5, over the VAE's ceiling": statistics.of_estimate(
                estimates["real"][half], rate, float(gaussian_capacity(1.0))
            ),
            "±1 units, largest departure from the quadrature": rescaled(statistics.largest(departures), 1 / BITS),
        }
        return Evidence(answers, _dataset(found))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Left the +-1 units, right one real-valued unit."""
        left, right = figure.subplots(1, 2)
        for name, hue, marker, words in (("signs", RED, "s", "Gaussian dropout"), ("vae", BLUE, "o", "VAE noise")):
            reach = 1.96 * data[f"{name}_stderr"] / BITS
            bits = data[f"{name}_bits"] / BITS
            left.errorbar(data.rate, bits, reach, fmt=marker, ms=7, color=hue, mfc="none", capsize=3, label=words)
        left.plot(data.rate, data.truth, color=BLACK, lw=1.2, label="quadrature, SNR (1 − p)/p")
        left.set_ylim(0, 1.05)
        label_axes(left, "rate p of the dropout of the same variance", "information (bits per unit)", "±1 units")
        right.errorbar(
            data.rate, data.real_bits, 1.96 * data.real_stderr, fmt="s-", color=RED, mfc="white", capsize=3,
            label="Gaussian dropout, code on the magnitude",
        )  # fmt: skip
        p = np.linspace(0.04, 0.95, 200)
        right.plot(p, gaussian_capacity((1 - p) / p), color=BLACK, lw=1.2, label="VAE noise of that SNR: ceiling")
        right.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        right.set_ylim(0, BITS * 1.08)
        label_axes(right, "rate p of the dropout of the same variance", "information (bits)", "One real unit, power 1")


def sign_bits() -> np.ndarray:
    """Bits of one +-1 unit at every rate, by quadrature."""
    return np.array([gaussian_noise_information([-1, 1], [0.5, 0.5], (p / (1 - p)) ** 0.5) for p in RATES])


def _measured(key: jax.Array, samples: int) -> dict[str, np.ndarray]:
    source = FairBits.build(key, BITS, BITS)
    code = PAM().build(source, BITS)

    def magnitude(x: jax.Array) -> jax.Array:
        """One unit: its sign the first digit, the logarithm of its magnitude the others; mean square 1."""
        units = code(x)
        place = gray_level((units[1:] > 0).astype(jnp.int32))
        most = (2.0 ** (BITS - 1) - 1) / np.sqrt((4.0 ** (BITS - 1) - 1) / 3)
        levels = np.exp(SPAN * np.linspace(-0.5, 0.5, 2 ** (BITS - 1)))
        unit: jax.Array = units[:1] * jnp.exp(0.5 * SPAN * place / most)[None] / float(np.sqrt(np.mean(levels**2)))
        return unit

    @jax.jit
    def measure(key: jax.Array, p: jax.Array) -> dict[str, Estimate]:
        keys = jax.random.split(key, 3)

        def posterior(x: jax.Array) -> Posterior:
            return Posterior(code(x), jnp.full(BITS, 0.5) * jnp.log(p / (1 - p)))

        return {
            "signs": through(keys[0], Joint(source, code, GaussianDropout(p, (-1.0, 1.0))), samples),
            "vae": through(keys[1], Joint(source, posterior, LearntGaussian()), samples),
            "real": through(keys[2], Joint(source, magnitude, GaussianDropout(p)), samples),
        }

    each = [measure(k, jnp.float32(p)) for k, p in zip(jax.random.split(key, len(RATES)), RATES, strict=True)]
    return {
        f"{name}_{part}": np.stack([np.asarray(getattr(found[name], part)) for found in each])
        for name in ("signs", "vae", "real")
        for part in PARTS
    }


def _dataset(found: Figures) -> xr.Dataset:
    words = {"signs": "±1 units, Gaussian dropout", "vae": "±1 units, VAE noise", "real": "one real unit, by magnitude"}
    variables = {
        f"{name}_{part}": labelled("rate", found[f"{name}_{part}"], f"{about}, {part}")
        for name, about in words.items()
        for part in ("bits", "stderr")
    }
    variables["truth"] = labelled("rate", sign_bits(), "±1 units, quadrature", "bits per unit")
    return xr.Dataset(variables, {"rate": labelled("rate", RATES, "rate of the dropout of the same variance", "1")})
