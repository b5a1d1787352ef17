"""Datasets as `capacity.curves.run` gives them, made up: for what stores, draws and prints them."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr


def made_up(
    system: str = "gaussian",
    *,
    levels: int = 12,
    seeds: int = 3,
    units: int = 8,
    listed: bool = True,
    steps: int = 50,
) -> xr.Dataset:
    """A curve of 16 bits; `gaussian` has a ceiling and a hand-made code, any other has not."""
    rng = np.random.default_rng(0)
    level = np.geomspace(0.1, 2, levels)
    ceiling = units * 0.5 * np.log2(1 + 1 / level**2)
    reached = np.minimum(16, ceiling) * 0.97
    best = np.stack([reached - 0.1 * s * (reached < 15) for s in range(seeds)], 1)
    pair, per_unit = ("level", "seed"), ("level", "seed", "unit")
    variables: dict[str, tuple[tuple[str, ...], np.ndarray, str]] = {}

    def estimate(name: str, bits: np.ndarray, stderr: float) -> None:
        parts = {
            "": bits,
            "_stderr": bits * 0 + stderr,
            "_low": bits - 2 * stderr,
            "_high": bits + 2 * stderr,
        }
        variables.update({name + suffix: (pair, values.astype(np.float32), "bits") for suffix, values in parts.items()})

    if listed:
        estimate("bits", best, 0.04)
        share = best[..., None] / units * rng.uniform(0.8, 1.2, (levels, seeds, units))
        variables["marginal_bits"] = (per_unit, share * 0.7, "bits")
        variables["increment_bits"] = (per_unit, share, "bits")
        variables["joint_bits_per_unit"] = (pair, best / units, "bits")
        estimate("excess", 0.3 + 0 * best, 0.01)
    else:
        estimate("lower", best - 0.3, 0.02)
        estimate("upper", np.minimum(16, best + 0.6), 0.02)
    estimate("decoder_bits", best - 0.2, 0.02)
    rate = np.repeat((ceiling if system == "gaussian" else 16 + 0.5 * 30 / level)[:, None], seeds, 1)
    estimate("rate", rate, 0.02)
    one = np.ones((levels, seeds))
    variables["power"] = (pair, one, "1")
    variables["snr"] = (pair, one / level[:, None] ** 2, "1")
    variables["distortion"] = (pair, 16.2 - best, "bits")
    variables["unit_power"] = (per_unit, np.ones((levels, seeds, units)), "1")
    variables["diverged"] = (pair, one < 0, "1")
    keys = rng.integers(0, 2**32, (levels, seeds, 2), np.uint32)
    variables["key"] = ((*pair, "word"), keys, "1")
    variables["loss"] = (
        (*pair, "step"),
        16 * np.exp(-np.arange(steps) / 9) + rng.uniform(0, 1, (levels, seeds, steps)),
        "bits",
    )
    variables["source_bits"] = ((), np.float64(16.0), "bits")
    if system == "gaussian":
        variables["ceiling"] = (("level",), ceiling, "bits")
        variables["pam_bits"] = (("level",), reached * 0.95, "bits")
        variables["random_coding_bits"] = (("level",), reached * 0.97, "bits")
    symbol = "σ" if system == "gaussian" else "β"
    about = {"long_name": "noise standard deviation", "units": "1", "symbol": symbol}
    coordinates = {"level": ("level", level, about)}
    for name, count in (("seed", seeds), ("unit", units), ("step", steps)):
        coordinates[name] = (name, np.arange(count), {"long_name": name, "units": "1"})
    attributes = {
        "title": f"{system}: 16 bits in 32 dimensions, {units} units",
        "system": system,
        "source": "bits",
        "configuration": json.dumps({"seeds": seeds}),
        "versions": json.dumps({"jax": "0"}),
        "seconds_compile": 1.5,
        "seconds_train": 20.0,
        "seconds_measure": 3.0,
    }
    filled = {n: (dims, values, {"long_name": n, "units": u}) for n, (dims, values, u) in variables.items()}
    return xr.Dataset(filled, coordinates, attributes)
