"""Is dropout the VAE's noise?  On +-1 units nearly; on real-valued ones not at all.

Matched in signal-to-noise ratio, (1 - p)/p: +-1 units through dropout carry 1 - p bits each, an erasure, through
Gaussian noise as much as a binary input carries there.  Real-valued units that survive carry all that they did: while
each alone tells the message I = H (1 - p^units), which no signal-to-noise ratio limits; with a floor of Gaussian noise
beside it each unit passes at most (1 - p) 1/2 log2(1 + 1/floor^2) bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.channels import Dropout, LearntGaussian, Posterior
from capacity.claims import answers as statistics
from capacity.claims.claim import Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import (
    PARTS,
    absolute,
    draw_curve,
    estimates_of,
    gap,
    label_axes,
    lane_answers,
    level_answers,
    through,
    train_and_enumerate,
)
from capacity.claims.lab.experiment import Figures, labelled, rescaled
from capacity.joint.joint import Joint
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, RED
from capacity.results.estimate import Estimate
from capacity.systems import SYSTEMS, Architecture
from capacity.systems.codes import PAM
from capacity.theory import gaussian_capacity, gaussian_noise_information
from capacity.training import Training
from synthetic import FairBits

BITS, UNITS, FLOOR = 8, 4, 0.3
FAST_RATES, RATES = (0.2, 0.5, 0.8), (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)


class DropoutNoise(Claim):
    """The same +-1 code through both noises; trained real-valued units through dropout, with a floor and without."""

    name = "dropout"
    sentence = "dropout is closely related to the noise of a variational autoencoder, perhaps equivalent"
    source = (
        "Jang (2016), Why randomness is important for deep learning; Kingma, Salimans & Welling (2015), "
        "Variational dropout and the local reparameterization trick"
    )
    references = ("jang2016why", "kingma2015variational")
    predictions = (
        Prediction(
            "±1 units: dropout against VAE noise, largest gap",
            "at the same signal-to-noise ratio both pass the same bits",
            high=0.02,
            unit="bits per unit",
        ),
        Prediction("real units at p = 0.5, over the VAE's ceiling", "dropout limits as the VAE's noise does", high=0.0),
        Prediction("real units with a floor, over the ceiling", "with Gaussian noise beside it, it limits", high=0.05),
        Prediction(
            "real units, largest departure from H (1 − p^units)", "the closed form holds", high=0.1, instrument=True
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Measure the +-1 code through both noises, train real-valued units."""
        rates, seeds, steps = (FAST_RATES, 4, 600) if context.fast else (RATES, 6, 4000)
        keys, rate = jax.random.split(key, 4), context.miss_rate
        source = FairBits.build(keys[0], BITS, BITS)
        pairs = context.part("signs", lambda: _signs(keys[1], source, rates))
        dropped, noisy = (estimates_of(pairs, name) for name in ("dropout", "vae"))
        gaps = [gap(a, b, rate / len(rates)) for a, b in zip(dropped, noisy, strict=True)]
        found = {}
        for i, floor in enumerate((0.0, FLOOR)):
            system = SYSTEMS["dropout"](Architecture(UNITS, (64, 64)), floor=floor)
            training = Training(steps, 128, receiver_steps=0, learning_rate=1e-2)
            span = (0.1 + 0.45 * i, 0.55 + 0.45 * i)
            name = "floor" if floor else "real"
            found[name] = train_and_enumerate(
                context, name, keys[2 + i], source, system, rates, seeds, training, span=span
            )
        p, half = np.asarray(rates), rates.index(0.5)
        ceiling = UNITS * (1 - p) * gaussian_capacity(FLOOR**-2)
        truth = BITS * (1 - p**UNITS)
        answers = {
            "±1 units: dropout against VAE noise, largest gap": rescaled(
                statistics.largest([absolute(a) for a in gaps]), 1 / BITS
            ),
            "real units at p = 0.5, over the VAE's ceiling": statistics.mean(
                found["real"]["bits"][half] - UNITS * gaussian_capacity(1.0), rate
            ),
            "real units with a floor, over the ceiling": statistics.largest(
                lane_answers(found["floor"], ceiling, rate)
            ),
            "real units, largest departure from H (1 − p^units)": statistics.largest(
                [absolute(a) for a in level_answers(found["real"], truth, rate)]
            ),
        }
        return Evidence(answers, _dataset(rates, pairs, found))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Left the +-1 units at matched signal-to-noise ratio, right the real-valued ones."""
        left, right = figure.subplots(1, 2)
        p = np.linspace(0.02, 0.98, 97)
        for name, hue, words, marker in (("dropout", RED, "dropout", "s"), ("vae", BLUE, "VAE noise", "o")):
            one = data[f"{name}_bits"] / BITS
            reach = 1.96 * data[f"{name}_stderr"] / BITS
            left.errorbar(
                data.rate, one, reach, fmt=marker, color=hue, mfc="white", capsize=3, label=f"{words}, measured"
            )
        left.plot(p, 1 - p, color=RED, lw=1.2, label="1 − p")
        binary = [gaussian_noise_information([-1, 1], [0.5, 0.5], (q / (1 - q)) ** 0.5) for q in p]
        left.plot(p, binary, color=BLUE, lw=1.2, label="binary input, Gaussian noise")
        left.set_ylim(0, 1.05)
        label_axes(
            left, "probability p that a unit is dropped", "information (bits per unit)", "±1 units at SNR (1 − p)/p"
        )
        right.axhline(BITS, color=GREY, lw=1.2, ls=(0, (6, 3)), label=f"source: {BITS} bits")
        right.plot(p, BITS * (1 - p**UNITS), color=GREEN, lw=1.2, label="H (1 − p⁴)")
        right.plot(
            p, UNITS * gaussian_capacity((1 - p) / p), color=BLACK, lw=1, ls=":", label="ceiling, VAE noise of that SNR"
        )
        right.plot(p, UNITS * (1 - p) * gaussian_capacity(FLOOR**-2), color=RED, lw=1.2, label="ceiling with the floor")
        draw_curve(right, data.rate, data.real_bits, GREEN, "dropout alone, trained")
        draw_curve(right, data.rate, data.floor_bits, RED, f"with a floor of σ = {FLOOR}, trained", "s")
        right.set_ylim(0, BITS * 1.08)
        label_axes(right, "probability p that a unit is dropped", "information (bits)", "Eight bits, four real units")


def _signs(key: jax.Array, source: FairBits, rates: tuple[float, ...]) -> dict[str, np.ndarray]:
    """The digits as +-1 units through dropout and through a VAE's noise of the same ratio, enumerated."""
    code = PAM().build(source, BITS)

    @jax.jit
    def measure(key: jax.Array, p: jax.Array) -> tuple[Estimate, Estimate]:
        keys = jax.random.split(key)
        log_std = 0.5 * jnp.log(p / (1 - p))

        def posterior(x: jax.Array) -> Posterior:
            return Posterior(code(x), jnp.full(BITS, 1.0) * log_std)

        return (
            through(keys[0], Joint(source, code, Dropout(p, values=(-1.0, 1.0)))),
            through(keys[1], Joint(source, posterior, LearntGaussian())),
        )

    arrays: dict[str, list[Any]] = {}
    for k, p in zip(jax.random.split(key, len(rates)), rates, strict=True):
        for name, found in zip(("dropout", "vae"), measure(k, jnp.float32(p)), strict=True):
            for part in PARTS:
                arrays.setdefault(f"{name}_{part}", []).append(np.asarray(getattr(found, part)))
    return {name: np.stack(values) for name, values in arrays.items()}


def _dataset(rates: tuple[float, ...], pairs: Figures, found: Mapping[str, Figures]) -> xr.Dataset:
    words = {"dropout": "±1 units through dropout", "vae": "±1 units through VAE noise of the same ratio"}
    variables = {
        f"{name}_{part}": labelled("rate", pairs[f"{name}_{part}"], f"{about}, {part}")
        for name, about in words.items()
        for part in ("bits", "stderr")
    }
    variables |= {
        f"{name}_bits": labelled(("rate", "seed"), arrays["bits"], f"bits of trained real-valued units, {name}")
        for name, arrays in found.items()
    }
    return xr.Dataset(variables, {"rate": labelled("rate", rates, "probability that a unit is dropped", "1")})
