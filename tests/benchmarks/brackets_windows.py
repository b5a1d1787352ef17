"""Codes of windows up to a kilobyte: convolutional networks, trained on 256 bits and run on up to 8,192; trellis codes.

The network: two layers of kernel 7 and 24 channels over the bits as they are, the second at every second place, and one
readout for all places: a unit sees 13 bits.  Its weights are the same at every length.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import synthetic
from capacity.systems import SYSTEMS, Architecture
from capacity.systems.networks import ConvNetwork
from capacity.theory import random_coding_information
from capacity.training import Training, sender
from tests.benchmarks.brackets_cases import Case, Made
from tests.benchmarks.brackets_trained import TRAINING_KEY, load, save
from tests.trellis_truth import trellis_bits, trellis_joint

Record = dict[str, Any]
BUDGET = 1000.0
TRAINED_BITS = 256
NETWORK = ConvNetwork(kernel=7, read="places")
TRAINING = Training(steps=900, batch=48, receiver_steps=250, receiver_batch=48, learning_rate=5e-3)
SERIES = (256, 512, 1024, 2048, 4096, 8192)
CONV = {  # bits: (seconds, {sigma: per cent})
    256: (120.0, {1.0: 1.5, 0.5: 2.5, 0.3: 4.0}),
    512: (150.0, {0.5: 2.5}),
    1024: (200.0, {0.5: 2.5}),
    2048: (300.0, {1.0: 2.0, 0.5: 3.0, 0.3: 5.0}),
    4096: (600.0, {0.5: 3.0}),
    8192: (900.0, {1.0: 2.5, 0.5: 4.0}),
}


HEADS = (
    "case", "truth", "lower", "upper", "[low, high]", "width %", "asked %", "held", "decoder", "ceiling", "random code",
    "s", "asked s", "core s", "peak GiB",
)  # fmt: skip


def conv(bits: int, sigma: float, folder: Path) -> Made:
    """The trained network at this length; its weights from the folder if they lie there."""
    source = synthetic.PlainBits(bits, bits)
    system = SYSTEMS["gaussian"](
        Architecture(units=bits // 2, widths=(48, 48, 48), encoder_widths=(24, 24), network=NETWORK)
    )
    path, key, level = folder / f"conv-{sigma:g}.npz", jax.random.key(TRAINING_KEY), jnp.float32(sigma)
    if path.exists():
        params = load(path, jax.eval_shape(lambda k: system.init(k, source), key))
    else:
        params, _ = jax.jit(lambda k, s: TRAINING.train(k, s, system, level))(key, source)
        save(path, params)
    joint = jax.jit(lambda p, s: sender(key, p, s, system, level))(params, source)
    return Made(joint, log_decoder=system.architecture.log_decoder(params, source))


def trellis(memory: int, bits: int, folder: Path) -> Made:
    """A linear code, two ±1 units a bit, and its truth; nothing is trained."""
    truth, stderr = trellis_bits(memory, 2, bits, 1.0)
    return Made(trellis_joint(memory, 2, bits, 1.0), truth, stderr)


def _cases() -> list[Case]:
    found = [
        Case(f"conv-{bits}-sigma-{sigma:.1f}", partial(conv, bits, sigma), BUDGET, seconds, asked, "conv", sigma)
        for bits, (seconds, levels) in CONV.items()
        for sigma, asked in levels.items()
    ]
    for bits, memory in ((4096, 2), (4096, 3), (4096, 4), (4096, 6), (2048, 4)):
        found.append(Case(f"trellis-{bits}-memory-{memory}", partial(trellis, memory, bits), BUDGET, 300.0, 1.0))
    return found


WINDOW_CASES: dict[str, Case] = {case.name: case for case in _cases()}


def section(records: Iterable[Record]) -> str:
    """The part of the report on them; empty without records."""
    found: dict[str, list[Record]] = {name: [] for name in WINDOW_CASES}
    for record in records:
        if record["case"] in found:
            found[record["case"]].append(record)
    found = {name: seeds for name, seeds in found.items() if seeds}
    if not found:
        return ""
    lines = [
        "## Codes of windows, up to a kilobyte",
        "",
        "Units that see a few neighbouring bits each: the density of z is summed exactly along the code, and what",
        "is left is the sampling of messages and noise. Convolutional networks with two layers of kernel 7 and 24",
        "channels, every second place kept (a unit sees 13 bits), trained on 256 bits and run on more; linear",
        "convolutional codes, two ±1 units a bit, whose truth is from a trellis of its own in float64. Bits, as above;",
        "random code: what a Gaussian code drawn at random carries on average at least. Peak: memory of the whole",
        "process, one case in each, with training where it was not kept. Bold seconds: more than was asked, on cores",
        "that other work shared; core seconds say more.",
        "",
        f"| {' | '.join(HEADS)} |",
        f"| :-- |{' --: |' * (len(HEADS) - 1)}",
    ]
    lines += [_line(name, seeds) for name, seeds in found.items()]
    growth = _exponent(found)
    return "\n".join([*lines, *(["", *growth] if growth else []), ""])


def _line(name: str, seeds: list[Record]) -> str:
    from tests.benchmarks.brackets import inside, width

    record, case = seeds[0], WINDOW_CASES[name]
    known = [inside(seed) for seed in seeds if seed["truth"] is not None]
    random = random_coding_information(record["source"], int(record["source"]) // 2, case.level) if case.level else None
    seconds = np.median([seed["seconds"] for seed in seeds])
    cells = [
        f"{record['truth']:.1f} ± {record['truth_stderr']:.1f}" if known else "–",
        f"{record['lower']:.2f}",
        f"{record['upper']:.2f}",
        f"[{record['low']:.2f}, {record['high']:.2f}]",
        f"{np.median([width(seed) for seed in seeds]):.2f}",
        f"{case.width:g}",
        f"{sum(map(bool, known))} of {len(known)}" if known else "–",
        *(f"{record[key]:.1f}" if key in record else "–" for key in ("decoder", "ceiling")),
        "–" if random is None else f"{random:.1f}",
        f"**{seconds:.0f}**" if seconds > case.seconds else f"{seconds:.0f}",
        f"{case.seconds:g}",
        f"{np.median([seed['core_seconds'] for seed in seeds]):.0f}",
        f"{record['peak_gib']:.1f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _exponent(found: dict[str, list[Record]]) -> list[str]:
    """How the work grows with the bits, at one level."""
    series = {bits: found.get(f"conv-{bits}-sigma-0.5") for bits in SERIES}
    points = {bits: seeds[0]["core_seconds"] for bits, seeds in series.items() if seeds}
    if len(points) < 3:
        return []
    slope = np.polyfit(*(np.log(np.array(list(part), float)) for part in (points.keys(), points.values())), 1)[0]
    told = ", ".join(f"{bits:,}: {seconds:.0f}" for bits, seconds in points.items())
    return [f"Core seconds by bits at σ = 0.5: {told}; they grow as the bits to the power {slope:.2f}."]
