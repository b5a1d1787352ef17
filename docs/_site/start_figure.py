"""The figure that the README starts with, from a directory of `make curve`: `python docs/_site/start_figure.py DIR`.

It comes in two forms: all panels, and for a phone the bits of each system, one panel below another.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from capacity import load_curves
from capacity.plots.curve import plot_bits, save_figure

DOCS = Path(__file__).parents[1]


def narrow(curves: Mapping[str, xr.Dataset]) -> Figure:
    """Total bits of every system, in one column."""
    drawn = Figure(figsize=(5.4, 5.4 * len(curves)), layout="constrained")
    for axes, curve in zip(drawn.subplots(len(curves), 1, squeeze=False)[:, 0], curves.values(), strict=True):
        plot_bits(curve, axes)
    return drawn


def main() -> None:
    """Draw both."""
    curves = load_curves(Path(sys.argv[1]))
    save_figure(DOCS / "curve.png", curves)
    narrow(curves).savefig(DOCS / "curve_narrow.png", dpi=150)


if __name__ == "__main__":
    main()
