"""Networks of different structures with the same source, units, noise and number of parameters: do they carry the same?

Eight fair bits on four units of power 1.  Whatever the structure, no code passes min(8, 2 log2(1 + 1/sigma^2)) bits,
and some code carries what random codes carry on average.  Perceptrons with enough nodes represent any encoder (Hornik,
Stinchcombe & White 1989), and so do the other structures: if noise alone limits the bits, all of them come as far.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.enumerated import enumerating_lane
from capacity.claims.lab.experiment import grid, intervals, keys_of, labelled, run_lanes
from capacity.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, legend_below, log_ticks, quiet_grid
from capacity.systems import Architecture, GaussianAutoencoder
from capacity.systems.equal import equal_to
from capacity.systems.networks import NETWORKS
from capacity.theory import gaussian_capacity, random_coding_information
from capacity.training import Training
from synthetic import FairBits

BITS, UNITS, DIM = 8, 4, 16
WIDTHS = (48, 48)  # of the perceptron, whose parameters all have
TESTED, NOISES = (0.3, 0.8), (0.15, 0.2, 0.3, 0.4, 0.56, 0.8, 1.2)  # of the predictions; of the whole run
OTHERS = ("residual", "conv", "attention", "recurrent", "mixer")
SAME = 0.05  # a smaller share of the perceptron's bits is no difference that matters
HUES = dict(zip(("mlp", *OTHERS), (BLUE, RED, GREEN, ORANGE, PURPLE, SKY), strict=True))


class Structures(Claim):
    """Six structures of as many parameters, trained for as many steps at each noise, their bits enumerated."""

    name = "structures"
    sentence = "noise limits the information that flows through a network, whatever its structure"
    source = (
        "Hornik, Stinchcombe & White (1989), Multilayer feedforward networks are universal approximators: structure "
        "limits no map; the limit of the noise: Shannon (1948), A mathematical theory of communication"
    )
    references = ("hornik1989multilayer", "shannon1948mathematical")
    predictions = (
        *(
            Prediction(
                f"{name}: share of the perceptron's bits, σ = {noise}", "the structure makes no difference of 5 %",
                low=1 - SAME, high=1 + SAME, unit="1",
            )
            for name in OTHERS
            for noise in TESTED
        ),
        Prediction(
            "bits less the least of source and ceiling, largest", "none passes the limit", high=0.05, instrument=True
        ),
    )  # fmt: skip

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train every structure at every noise, with pairs of source, noise and batches; enumerate."""
        noises, seeds, steps = (TESTED, 4, 1000) if context.fast else (NOISES, 8, 4000)
        keys = jax.random.split(key)
        source = FairBits.build(keys[0], BITS, DIM)
        perceptron = Architecture(UNITS, WIDTHS)
        networks = {name: Architecture(UNITS, WIDTHS, network=NETWORKS[name]()) for name in ("mlp", *OTHERS)}
        networks = {name: one if name == "mlp" else equal_to(one, perceptron, source) for name, one in networks.items()}
        training = Training(steps, receiver_steps=0)
        lanes = grid(noise=noises, seed=range(seeds))
        given = {
            "key": keys_of(keys[1], np.arange(len(lanes["seed"]))),
            "level": jnp.asarray(lanes["noise"], jnp.float32),
        }
        bits = {}
        for number, (name, network) in enumerate(networks.items()):
            span = number / len(networks), (number + 1) / len(networks)
            lane = enumerating_lane(training, GaussianAutoencoder(network), 4096)
            bits[name] = run_lanes(context, name, lane, given, source, span=span)["bits"].reshape(len(noises), seeds)
        limit = np.minimum(BITS, UNITS * gaussian_capacity(np.asarray(noises) ** -2.0))
        return Evidence(
            _answers(noises, bits, limit, context.miss_rate), _dataset(noises, bits, limit, networks, source)
        )

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Share of the limit against the noise, and against the work that a message takes."""
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        share = data.bits / data.limit
        for name in data.network.values:
            ends = intervals(share.sel(network=name).values)
            reach = np.stack([ends["value"] - ends["low"], ends["high"] - ends["value"]])
            style = {"color": HUES[name], "mfc": "white", "ms": 5, "capsize": 3}
            left.errorbar(data.noise, ends["value"], reach, fmt="o-", label=str(name), **style)
            worst = int(np.argmin(share.mean(("network", "seed")).values))
            at = slice(worst, worst + 1)
            right.errorbar(
                [float(data.operations.sel(network=name))],
                ends["value"][at],
                reach[:, at],
                fmt="o",
                label=f"_{name}",
                **style,
            )
        left.plot(data.noise, data.random_coding_bits / data.limit, color=BLACK, lw=1.2, ls=":", label="random codes")
        left.axhline(1, color=GREY, lw=1.2, label="least of source and ceiling")
        log_ticks(left, data.noise.values)
        left.set_xlabel("noise standard deviation σ")
        left.set_ylabel("bits, share of the least of source and ceiling")
        left.set_title("The same source, units, noise and parameters")
        log_ticks(right, (5000, 10000, 20000))
        right.set_xlabel("multiply-adds of one message, all networks")
        right.set_ylabel("share, at the noise where it is least")
        right.set_title("What it takes")
        for axes in (left, right):
            quiet_grid(axes)
        legend_below(left, 3)


def _answers(
    noises: tuple[float, ...], bits: Mapping[str, np.ndarray], limit: np.ndarray, miss_rate: float
) -> dict[str, Answer]:
    found = {}
    for noise in TESTED:
        i = noises.index(noise)
        for name in OTHERS:
            ratio = bits[name][i] / bits["mlp"][i]
            found[f"{name}: share of the perceptron's bits, σ = {noise}"] = statistics.mean(ratio, miss_rate)
    over = [
        statistics.mean(one[i] - limit[i], miss_rate / (len(bits) * len(noises)))
        for one in bits.values()
        for i in range(len(noises))
    ]
    found["bits less the least of source and ceiling, largest"] = statistics.largest(over)
    return found


def _dataset(
    noises: tuple[float, ...],
    bits: Mapping[str, np.ndarray],
    limit: np.ndarray,
    networks: Mapping[str, Architecture],
    source: FairBits,
) -> xr.Dataset:
    drawn = [random_coding_information(BITS, UNITS, noise) for noise in noises]
    sizes = {name: network.sizes(source) for name, network in networks.items()}
    count = {
        part: [sum(getattr(s, part) for s in sizes[n].values()) for n in networks]
        for part in ("parameters", "operations")
    }
    shape = np.stack([bits[name] for name in networks])
    return xr.Dataset(
        {
            "bits": labelled(("network", "noise", "seed"), shape, "bits of the learnt code, enumerated"),
            "limit": labelled("noise", limit, "the least of source and ceiling"),
            "random_coding_bits": labelled("noise", drawn, "random codes, on average at least"),
            "parameters": labelled("network", count["parameters"], "parameters of all networks", "1"),
            "operations": labelled("network", count["operations"], "multiply-adds of one message", "1"),
        },
        {
            "network": ("network", list(networks), {"long_name": "structure", "units": "1"}),
            "noise": labelled("noise", noises, "noise standard deviation", "1"),
            "seed": labelled("seed", np.arange(shape.shape[2]), "seed", "1"),
        },
    )
