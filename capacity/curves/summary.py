"""A curve in words: the table, what stands under it, and the same as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import xarray as xr
from rich.table import Table

from capacity.curves.checks import sentence

NAMED_LANES = 6
REFERENCES = {"pam_bits": "PAM", "random_coding_bits": "random code", "closed_form": "closed form"}
"""What a table holds measured bits against, and the names of its columns."""


def curve_table(dataset: xr.Dataset) -> Table:
    """A row for each level: the best seed's bits beside truth and bounds, all in bits.

    The best seed is that of the most bits, or of the highest lower bound where the messages were
    not listed; every figure in a row but the SNR (mean over seeds) is that seed's.
    """
    figure = "bits" if "bits" in dataset else "lower"
    columns = [dataset.level.attrs.get("symbol", "level"), "SNR dB"]
    columns += ["ceiling"] * ("ceiling" in dataset)
    columns += ["bits, best seed"] if figure == "bits" else ["at least", "at most"]
    columns += ["% of limit"] + [n for n in ("decoder", "rate") if f"{n}_bits" in dataset or n in dataset]
    columns += [words for name, words in REFERENCES.items() if name in dataset]
    shown = Table(title=dataset.attrs["title"], box=None, title_justify="left")
    for column in columns:
        shown.add_column(column, justify="right", no_wrap=True)
    for i in range(dataset.sizes["level"]):
        shown.add_row(*_level_row(dataset.isel(level=i), figure))
    return shown


def _level_row(row: xr.Dataset, figure: str) -> list[str]:
    known = row[figure].values
    seed = 0 if np.isnan(known).all() else int(np.nanargmax(known))
    best, lost = row.isel(seed=seed), bool(row.diverged.all()) if "diverged" in row else False
    source = float(row.source_bits)
    limit = min(source, float(row.ceiling)) if "ceiling" in row else source
    snr = float(row.snr.mean())
    cells = [
        f"{float(row.level):.4g}",
        f"{round(10 * math.log10(snr), 1) + 0.0:.1f}" if snr > 0 else "-",
    ]
    if "ceiling" in row:
        cells.append(f"{float(row.ceiling):.2f}")
    if lost:
        cells += ["diverged"] * (1 if figure == "bits" else 2)
    elif figure == "bits":
        cells.append(with_interval(best, "bits"))
    else:
        cells += [with_interval(best, "lower"), with_interval(best, "upper")]
    cells.append(f"{100 * float(best[figure]) / limit:.1f}" if 0 < limit < math.inf and not lost else "-")
    for name in ("decoder_bits", "rate", *REFERENCES):
        if name in row:
            cells.append("-" if lost and "seed" in row[name].dims else with_interval(best, name))
    return cells


def with_interval(lane: xr.Dataset, name: str) -> str:
    """A figure of one lane, with half its 95 % interval where it has one: a lower bound may exceed an exact figure."""
    figure = f"{float(lane[name]):.2f}"
    if f"{name}_low" not in lane:
        return figure
    return f"{figure} ± {float(lane[f'{name}_high'] - lane[f'{name}_low']) / 2:.2f}"


def curve_record(dataset: xr.Dataset) -> dict[str, Any]:
    """A curve as JSON: figures over level and seed as lists, in `units`; checks and versions; no histories.

    What is not finite is null.
    """
    plain = {name: v for name, v in dataset.data_vars.items() if "step" not in v.dims}
    return {
        "title": dataset.attrs["title"],
        "level": {"values": dataset.level.values.tolist(), **dataset.level.attrs},
        "figures": {
            str(name): {"dims": list(v.dims), "units": v.attrs.get("units", ""), "values": _finite(v.values.tolist())}
            for name, v in plain.items()
        },
        "checks": sentence(dataset),
        "diverged": lost_lanes(dataset),
        "versions": json.loads(dataset.attrs["versions"]),
    }


def _finite(value: object) -> object:
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def note(dataset: xr.Dataset) -> str:
    """What the table's columns stand on, and whether lanes were lost; to stand under it."""
    limit = "least of source and ceiling" if "ceiling" in dataset else "source"
    text = f"source {float(dataset.source_bits):.4g} bits; limit: {limit}; ±: half the 95 % interval"
    text += f"\n{sentence(dataset)}" if sentence(dataset) else ""
    return text + (f"\n{told}" if (told := diverged(dataset)) else "")


def diverged(dataset: xr.Dataset) -> str:
    """Which lanes diverged, with the keys from which each can be trained again; empty if none did."""
    lost = lost_lanes(dataset)
    if not lost:
        return ""
    symbol = dataset.level.attrs.get("symbol", "level")
    named = [f"{symbol}={one['level']:.4g} seed {one['seed']} (key {one['key']})" for one in lost[:NAMED_LANES]]
    more = f" and {len(lost) - NAMED_LANES} more" if len(lost) > NAMED_LANES else ""
    return (
        f"{len(lost)} of {dataset.diverged.size} lanes diverged, left out of every mean and test: "
        f"{', '.join(named)}{more}"
    )


def lost_lanes(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """Level, seed and key of every lane that diverged."""
    if "diverged" not in dataset:
        return []
    places = np.argwhere(dataset.diverged.values)
    keys = dataset.key.values if "key" in dataset else np.zeros((*dataset.diverged.shape, 0), np.uint32)
    return [
        {"level": float(dataset.level[i]), "seed": int(dataset.seed[j]), "key": keys[i, j].tolist()} for i, j in places
    ]
