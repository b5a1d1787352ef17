"""What a curve keeps of what its system knows: the ceiling, other codes to compare with, closed forms."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
import pytest

from capacity import Architecture, Training, plan_curve
from capacity.curves.dataset import label
from capacity.systems import UniformAutoencoder
from synthetic import FairBits, Source

LEVELS = (0.3, 1.0, 3.0)


@dataclass(frozen=True)
class Compared(UniformAutoencoder):
    """Has other codes to compare with, not all of them at every level."""

    limited: bool = True

    def ceiling(self, source: Source, level: float) -> float | None:
        return 2 / level if self.limited else None

    def closed_form(self, source: Source, level: float) -> float | None:
        return 1 / level

    def reference(self, source: Source, level: float) -> dict[str, float]:
        return {"loud_code": 1.0} if level < 1 else {"quiet_code": 0.5, "other_code": level}


@pytest.mark.parametrize("limited", [True, False])
def test_every_reference_is_kept_with_and_without_a_ceiling(limited: bool) -> None:
    system = Compared(Architecture(units=2, widths=(4,)), limited=limited)
    source = FairBits.build(jax.random.key(0), 3, 4)
    plan = plan_curve(0, source, system, LEVELS, 1, training=Training(steps=2, batch=8))
    figures = ("bits", "bits_stderr", "bits_low", "bits_high")
    lanes = [{"diverged": np.array(False)} | {name: np.float32(1 / level) for name in figures} for level in LEVELS]
    curve = label(plan, lanes, {})
    known = ["source_bits", *["ceiling"] * limited, "loud_code", "quiet_code", "other_code", "closed_form"]
    assert [name for name in curve.data_vars if name in known] == known
    np.testing.assert_array_equal(curve.loud_code, [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(curve.quiet_code, [np.nan, 0.5, 0.5])
    np.testing.assert_array_equal(curve.other_code, [np.nan, 1.0, 3.0])
    assert curve.loud_code.attrs["units"] == "bits"
