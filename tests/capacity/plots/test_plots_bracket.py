"""A bracket's trace drawn: the bounds, their interval, the truth; and what has no trace is refused."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from capacity.plots.bracket import plot_trace
from capacity.results.estimate import Bracket, Estimate, TracePoint


def test_a_trace_shows_both_bounds_and_the_truth() -> None:
    points = tuple(
        TracePoint(10.0**i, 5 - 2.0**-i, 5 + 2.0**-i, 4.8 - 2.0**-i, 5.2 + 2.0**-i, "pilot") for i in range(4)
    )
    axes = Figure().subplots()
    plot_trace(
        Bracket(
            Estimate.from_normal(bits=4.9, stderr=0.0, kind="lower"),
            Estimate.from_normal(bits=5.1, stderr=0.0, kind="upper"),
            "made up",
            points,
        ),
        axes,
        truth=5.0,
    )
    upper, lower, truth = (line.get_ydata() for line in axes.get_lines())
    np.testing.assert_allclose(upper, [p.upper for p in points])
    np.testing.assert_allclose(lower, [p.lower for p in points])
    assert set(truth) == {5.0} and axes.get_xscale() == "log"
    assert axes.get_xlabel() == "work (billions of operations)"


def test_enumeration_has_no_trace_to_draw() -> None:
    exact = Estimate.from_normal(bits=5.0, stderr=0.0, kind="exact")
    with pytest.raises(ValueError, match="bracket with a trace; got one by enumeration"):
        plot_trace(Bracket(exact, exact, "enumeration"), Figure().subplots())
