"""The study of changed bytes, at a few of them; all of it is `python -m tests.benchmarks.flips`."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.claims.run import run_claims
from capacity.curves.files import load_curves
from tests.benchmarks.flips import Tossed, claims_kinds, curve_kinds, enrolled, leave_curve, page_kinds, study, table


@pytest.mark.parametrize("flips", [4, pytest.param(200, marks=pytest.mark.slow)])
def test_a_changed_byte_is_noticed_or_harmless_in_every_kind_of_file(tmp_path: Path, flips: int) -> None:
    plan = leave_curve(tmp_path / "curve")
    Tossed.drawn.clear()
    with enrolled(Tossed):
        run_claims([Tossed.name], tmp_path / "claims", 0, True)
        kinds = curve_kinds(tmp_path / "curve", plan) | claims_kinds(tmp_path / "claims")
        found = study(kinds, flips, 1)
    if flips > 100:
        found |= study(page_kinds(tmp_path / "curve", load_curves(tmp_path / "curve")), 5, 1)
    assert len(found) >= 12
    assert all(counts["wrong"] == counts["faults"] == 0 for counts in found.values()), table(found)
    assert all(found[name]["noticed"] > 0 for name in kinds if not name.endswith((".csv", "claims.json"))), table(found)
