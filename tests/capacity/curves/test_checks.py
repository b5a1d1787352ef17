"""The checks that are kept with a curve: inside its limits, and its trend."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from curve_examples import made_up

from capacity.curves.checks import sentence, with_checks
from capacity.curves.summary import curve_table


def curve(trend: str = "falls", **changes: object) -> xr.Dataset:
    return made_up(**changes).assign_attrs(trend=trend)  # type: ignore[arg-type]


def test_a_curve_within_its_limits_is_all_inside() -> None:
    for listed in (True, False):
        found = with_checks(curve(listed=listed))
        np.testing.assert_allclose(found.limit, np.minimum(16, found.ceiling))
        assert found.inside.all()
        assert found.trend_p_value < 1e-9
        for name in ("limit", "inside", "trend_share", "trend_p_value", "reversal", "reversal_p_value"):
            assert found[name].attrs["units"] and found[name].attrs["long_name"]


def test_a_lane_above_its_ceiling_is_outside() -> None:
    over = curve()
    for name in ("bits", "bits_low", "bits_high"):
        over[name][5, 1] += float(over.ceiling[5])
    found = with_checks(over)
    assert int((~found.inside).sum()) == 1 and not found.inside[5, 1]
    assert "35 of 36 lanes inside [0, min(source, ceiling)]" in sentence(found)


def test_intervals_are_widened_for_all_lanes_at_once() -> None:
    near = curve()
    near["bits"][0] = 16 + 2.5 * near.bits_stderr[0]
    near["bits_low"][0] = near.bits[0] - 1.96 * near.bits_stderr[0]
    assert with_checks(near).inside.all()


def test_levels_in_any_order_and_of_either_direction() -> None:
    forward, backward = curve(), curve().isel(level=slice(None, None, -1))
    assert with_checks(forward).trend_p_value == with_checks(backward).trend_p_value
    assert with_checks(curve("rises")).trend_p_value > 0.999
    assert "rising with the level: 5 % of pairs, p = 1.00" in sentence(with_checks(curve("rises")))


def test_lost_lanes_and_single_levels() -> None:
    lost = curve()
    for name in ("bits", "bits_low", "bits_high"):
        lost[name][3] = np.nan
    found = with_checks(lost)
    assert not found.inside[3].any() and found.inside.sum() == 33 and found.trend_p_value < 1e-9
    single = with_checks(curve(levels=1))
    assert "trend_p_value" not in single and "falling" not in sentence(single)
    assert sentence(made_up()) == ""


@pytest.mark.parametrize(
    ("levels", "seeds", "lost", "trend"),
    [(1, 1, [], False), (2, 1, [], True), (3, 1, [], True), (3, 1, [1], True), (3, 1, [0, 1], False), (1, 3, [], False),
     (2, 1, [0, 1], False), (3, 2, [0, 1, 2], False)],
)  # fmt: skip
def test_curves_of_few_lanes_are_checked(levels: int, seeds: int, lost: list[int], trend: bool) -> None:
    """Few levels, few seeds, lanes lost: figures without a trend are no failure once all is trained."""
    few = curve(levels=12).isel(level=slice(0, levels), seed=slice(0, seeds)).copy(deep=True)
    for name in ("bits", "bits_low", "bits_high", "bits_stderr"):
        few[name][lost] = np.nan
    found = with_checks(few)
    assert ("trend_p_value" in found) == trend
    assert int(found.inside.sum()) == (levels - len(lost)) * seeds
    assert sentence(found).startswith(f"{int(found.inside.sum())} of {levels * seeds} lanes inside")
    assert curve_table(found)
