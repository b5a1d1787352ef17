"""Grids: every cell the curve that it is alone, one dataset of them all, refusals before any work."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr
from curve_examples import made_up

from capacity import VAE, Architecture, GaussianAutoencoder, Training, capacity_curve, capacity_grid, load_grid
from capacity.curves import execute
from capacity.curves.files import write_curves
from capacity.curves.grid_dataset import combine
from capacity.curves.grid_plan import Cell, plan_grid
from capacity.curves.grid_summary import grid_tables
from capacity.runtime.files.atomic import StoreError
from capacity.runtime.files.parts import Parts
from synthetic import FairBits

SMALL = Training(steps=40, batch=16, receiver_steps=20, receiver_batch=16)
NETWORKS = {"a": Architecture(2, (8,)), "b": Architecture(3, (8,))}


def source(bits: int = 4) -> FairBits:
    return FairBits.build(jax.random.key(7), bits, 6)


class Memory(dict[str, Any]):
    """A store in memory that breaks off when `left` parts are kept."""

    left = 1000

    def names(self, prefix: str) -> list[str]:
        return [name for name in self if name.startswith(prefix)]

    def load(self, name: str) -> dict[str, np.ndarray] | None:
        return dict(self[name]) if name in self else None

    def save(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        if len(self) == self.left:
            raise KeyboardInterrupt
        self[name] = arrays


def test_plans_of_all_cells_share_a_key_and_differ_in_what_they_are_of() -> None:
    levels = {"gaussian": [0.3, 1.0]}
    trainings = {"a": SMALL, "b": Training(steps=80)}
    plans = plan_grid(
        3, {"x": source(), "y": source(5)}, [GaussianAutoencoder(), VAE()], NETWORKS, levels, 2, training=trainings
    )
    assert list(plans) == [f"{s}.{y}.{n}" for s in "xy" for y in ("gaussian", "vae") for n in "ab"]
    assert len({str(jax.random.key_data(plan.key)) for plan in plans.values()}) == 1
    cell = plans["y.gaussian.b"]
    assert (cell.source.bits, cell.system.architecture, cell.training.steps, cell.levels) == (
        5.0, NETWORKS["b"], 80, (0.3, 1.0),
    )  # fmt: skip
    assert plans["x.vae.a"].levels == VAE.default_levels
    own = plan_grid(3, source(), GaussianAutoencoder(NETWORKS["b"]))
    assert list(own) == ["bits.gaussian.own"] and own["bits.gaussian.own"].system.architecture == NETWORKS["b"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sources": []}, "Expected at least one source; got none."),
        ({"systems": [VAE(), VAE()]}, "Expected a name for each system, .*; got vae twice."),
        (
            {"networks": {"a.b": Architecture()}},
            "Expected a network named by letters, digits, _, \\+ and -; got 'a.b'.",
        ),
        ({"levels": {"vea": [1.0]}}, "Expected levels to be one of vae; got 'vea'. Did you mean 'vae'?"),
        ({"levels": [1.0, 1.0]}, "distinct"),
        ({"training": {"c": SMALL}}, "Expected training to be one of a, b; got 'c'."),
        ({"seeds": 0}, "Expected at least one seed; got 0."),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(changes: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"sources": source(), "systems": [VAE()], "networks": NETWORKS} | changes
    with pytest.raises(ValueError, match=words):
        plan_grid(0, **arguments)


def test_a_name_says_the_cell() -> None:
    cell = Cell("bits", "vae", "mlp-w32")
    assert Cell.of(cell.name) == cell
    assert [Cell.of(name) for name in ("gaussian", "a.b", "a.b.c.d", "a..c", "a.b.c d")] == [None] * 5


def cells(**changes: xr.Dataset) -> dict[str, xr.Dataset]:
    few = made_up("vae", levels=3, seeds=2, units=4)
    full = made_up(levels=5, seeds=2, units=8)
    return {
        f"bits.{system}.{network}": curve if network == "a" else curve.isel(unit=slice(2))
        for system, curve in (("gaussian", full), ("vae", few))
        for network in "ab"
    } | changes


def test_one_dataset_has_the_figures_of_every_cell_and_nothing_else() -> None:
    curves = cells()
    grid = combine(curves)
    assert grid.bits.dims == ("source", "system", "network", "level", "seed")
    for name, curve in curves.items():
        cell = Cell.of(name)
        assert cell is not None
        found = grid.sel(cell._asdict())
        levels, units = curve.sizes["level"], curve.sizes["unit"]
        np.testing.assert_array_equal(found.noise[:levels], curve.level)
        np.testing.assert_array_equal(found.bits[:levels], curve.bits)
        np.testing.assert_array_equal(found.marginal_bits[:levels, :, :units], curve.marginal_bits)
        np.testing.assert_array_equal(found.key[:levels], curve.key)
        assert np.isnan(found.bits[levels:]).all() and np.isnan(found.marginal_bits[..., units:]).all()
        assert float(found.seconds_train) == curve.attrs["seconds_train"]
        assert np.isnan(found.ceiling).all() == ("ceiling" not in curve)
    assert grid.key.dtype == np.uint32 and grid.diverged.dtype == bool
    assert grid.source_bits.dims == ("source",) and grid.bits.attrs["units"] == "bits"


def test_curves_of_no_grid_or_with_a_cell_missing_are_refused() -> None:
    with pytest.raises(StoreError, match="got gaussian, of none"):
        combine({"gaussian": made_up()})
    with pytest.raises(StoreError, match="got none of bits.vae.b"):
        combine({name: curve for name, curve in cells().items() if name != "bits.vae.b"})


def test_saved_curves_of_a_grid_are_read_as_one(tmp_path: Any) -> None:
    curves = cells()
    write_curves(tmp_path / "curve.nc", curves)
    xr.testing.assert_identical(load_grid(tmp_path / "curve.nc"), combine(curves))


def test_tables_have_a_column_for_each_network() -> None:
    first, second = grid_tables(cells())
    assert [column.header for column in first.columns] == ["σ", "a", "b"]
    assert first.row_count == 6 and second.row_count == 4
    assert list(first.columns[1].cells)[-1] == "24"


def test_progress_counts_the_lanes_of_all_cells_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that an earlier run has kept."""
    plans = plan_grid(0, source(), [GaussianAutoencoder()], NETWORKS, [0.5, 1.0], 2, training=SMALL)
    kept = Memory({"bits.gaussian.a-0000-1": {}, "bits.gaussian.b-0000-2": {}})

    def run_plan(plan: Any, store: Parts, name: str, progress: Any, **_: Any) -> xr.Dataset:
        there = sum(int(part.rsplit("-", 1)[1]) for part in kept.names(name))
        for done in range(there, plan.total + 1):
            progress(done / plan.total, name)
        return made_up()

    seen: list[tuple[float, str]] = []
    monkeypatch.setattr(execute, "run_plan", run_plan)
    execute.run_plans(plans, kept, lambda share, words: seen.append((round(8 * share, 6), words)))
    assert [share for share, _ in seen] == [3, 4, 5, 6, 7, 8]
    assert seen[0][1] == "3 of 8 lanes found in the store" and seen[-1][1] == "bits.gaussian.b"


@pytest.mark.slow
def test_a_cell_is_the_curve_alone_and_a_grid_that_was_broken_off_goes_on() -> None:
    arguments: dict[str, Any] = {"levels": [0.5, 1.5], "seeds": 2, "training": SMALL, "samples": 256}
    store = Memory()
    store.left = 3
    whole = (0, source(), [GaussianAutoencoder()], NETWORKS)
    with pytest.raises(KeyboardInterrupt):
        capacity_grid(*whole, **arguments, store=store)
    store.left = 1000
    grid = capacity_grid(*whole, **arguments, store=store)
    for name, network in NETWORKS.items():
        alone = capacity_curve(0, source(), GaussianAutoencoder(network), **arguments)
        found = grid.isel(source=0, system=0).sel(network=name)
        for figure in ("bits", "bits_low", "loss", "ceiling", "key"):
            np.testing.assert_array_equal(found[figure], alone[figure])
        np.testing.assert_array_equal(found.marginal_bits[..., : network.units], alone.marginal_bits)
