"""The figure of a claim that draws none of its own: what was measured, beside the regions that were predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims.prediction import Answer, Prediction
from capacity.plots.style import BLUE, GREEN, quiet_grid

ENDS = ("value", "low", "high")


def answers_data(answers: Mapping[str, Answer]) -> xr.Dataset:
    """Values and ends of the answers' intervals along the dimension `prediction`, each in its prediction's unit."""
    about = {"units": "1", "long_name": "prediction"}
    variables = {
        end: ("prediction", [getattr(answer, end) for answer in answers.values()], about | {"long_name": end})
        for end in ENDS
    }
    return xr.Dataset(variables, {"prediction": ("prediction", list(answers), about)})


def draw_evidence(predictions: Sequence[Prediction], data: xr.Dataset, figure: Figure) -> None:
    """A panel for each prediction; where the data are not the answers themselves, one for each variable.

    Args:
        predictions: of the claim.
        data: `answers_data`, or a claim's own.
        figure: empty.
    """
    if set(ENDS) <= set(data):
        _draw_answers(predictions, data, figure)
    else:
        _draw_variables(data, figure)


def _draw_answers(predictions: Sequence[Prediction], data: xr.Dataset, figure: Figure) -> None:
    rows = figure.subplots(len(predictions), 1, squeeze=False)[:, 0]
    for axes, prediction in zip(rows, predictions, strict=True):
        value, low, high = (float(data[end].sel(prediction=prediction.name)) for end in ENDS)
        ends = [end for end in (low, high, prediction.low, prediction.high) if math.isfinite(end)]
        room = 0.1 * (max(ends) - min(ends)) or 1.0
        left, right = min(ends) - room, max(ends) + room
        region = max(prediction.low, left), min(prediction.high, right)
        axes.axvspan(*region, color=GREEN, alpha=0.2, lw=0, label="predicted")
        axes.errorbar([value], [0.0], xerr=[[value - low], [high - value]], fmt="o", color=BLUE, label="measured")
        axes.set(xlim=(left, right), ylim=(-1, 1), yticks=[], xlabel=f"{prediction.name} ({prediction.unit})")
        axes.legend(fontsize="small", frameon=False)


def _draw_variables(data: xr.Dataset, figure: Figure) -> None:
    drawn = [name for name in data if data[name].ndim and data[name].dtype.kind in "biuf"]
    columns = figure.subplots(1, max(len(drawn), 1), squeeze=False)[0]
    for axes, name in zip(columns, drawn, strict=False):
        variable = data[name]
        across = variable.dims[0]
        axes.plot(
            data[across].values,
            np.asarray(variable.values).reshape(variable.shape[0], -1),
            "o",
            color=BLUE,
            label=f"_{name}",
        )
        axes.set(xlabel=str(across), ylabel=f"{name} ({variable.attrs.get('units', '1')})")
        quiet_grid(axes)
