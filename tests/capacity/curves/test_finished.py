"""A finished curve is taken for this run's only if it is; parts of another run are made again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from capacity.curves.files import load_curves, read_curves, write_curves
from capacity.curves.finished import differs, read_finished
from capacity.curves.parts import load_lanes
from capacity.curves.plan import CurvePlan
from capacity.report import report
from capacity.runtime.files.seals import digest_of
from capacity.runtime.files.store import Store, StoreError
from tests.benchmarks.flips import configuration_of, lanes_of, leave_curve, plan_of

Edit = Callable[[xr.Dataset], xr.Dataset]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two keys."""
    place = tmp_path_factory.mktemp("left")
    for seed in (0, 1):
        leave_curve(place / str(seed), seed)
    return place


@pytest.fixture(scope="module")
def plan() -> CurvePlan:
    return plan_of(0)


@pytest.fixture
def run(left: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(left / "0", tmp_path / "run"))


def finished(run: Path, plan: CurvePlan) -> dict[str, xr.Dataset] | None:
    with Store.open(run, configuration_of(plan)) as store:
        return read_finished(store, {"gaussian": plan})


def test_its_own_is_complete(run: Path, plan: CurvePlan) -> None:
    found = finished(run, plan)
    assert found is not None and found["gaussian"].identical(load_curves(run)["gaussian"])
    shutil.rmtree(run / "parts")
    assert finished(run, plan) is not None
    (run / "curve.nc").unlink()
    assert finished(run, plan) is None


def test_a_curve_of_another_key_is_refused_wherever_it_is_read(run: Path, left: Path, plan: CurvePlan) -> None:
    shutil.copy(left / "1" / "curve.nc", run / "curve.nc")
    with pytest.raises(StoreError, match=r"curve\.nc of the run asked for; got one .*Remove it, and the same command"):
        finished(run, plan)
    for read in (load_curves, report):
        with pytest.raises(StoreError, match=r"curve\.nc of the run asked for"):
            read(run)
    assert load_curves(run / "curve.nc")  # alone, it is what it says: a curve of that other key


def test_curves_of_a_directory_that_names_no_run_are_shown_and_not_gone_on_with(run: Path, plan: CurvePlan) -> None:
    """As version 0.1 left them: a configuration without a digest, a seal without a run."""
    write_curves(run / "curve.nc", load_curves(run))
    configuration = json.loads((run / "config.json").read_text())
    del configuration["digest"]
    (run / "config.json").write_text(json.dumps(configuration))
    assert load_curves(run) and report(run)
    with pytest.raises(StoreError, match="with its digest; got none"):
        finished(run, plan)
    (run / "config.json").write_text("{")
    with pytest.raises(StoreError, match="to be JSON"):
        load_curves(run)


def halved(curve: xr.Dataset) -> xr.Dataset:
    return curve.assign(bits=curve.bits / 2)


def of_another_key(curve: xr.Dataset) -> xr.Dataset:
    return curve.assign(key=curve.key + np.uint32(1))


def at_other_levels(curve: xr.Dataset) -> xr.Dataset:
    return curve.assign_coords(level=curve.level * 2)


def of_another_configuration(curve: xr.Dataset) -> xr.Dataset:
    return curve.assign_attrs(configuration=curve.attrs["configuration"].replace("20", "21"))


def without_loss_of_a_lane(curve: xr.Dataset) -> xr.Dataset:
    return curve.assign(loss=curve.loss.where(curve.level < 3, -1.0))


def without_power(curve: xr.Dataset) -> xr.Dataset:
    return curve.drop_vars("power")


def with_fewer_seeds(curve: xr.Dataset) -> xr.Dataset:
    return curve.isel(seed=[0])


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (halved, "bits"),
        (of_another_key, "keys"),
        (at_other_levels, "levels"),
        (of_another_configuration, "configuration"),
        (without_loss_of_a_lane, "loss"),
        (without_power, "power"),
        (with_fewer_seeds, "keys"),
    ],
)
def test_figures_that_somebody_changed_and_sealed_again_are_told_by_the_lanes(
    run: Path, plan: CurvePlan, edit: Edit, words: str
) -> None:
    with Store.open(run, configuration_of(plan)) as store:
        write_curves(run / "curve.nc", {"gaussian": edit(read_curves(run / "curve.nc")["gaussian"])}, store.digest)
    with pytest.raises(StoreError, match=f"as this run makes it; got gaussian with other {words}. Remove it"):
        finished(run, plan)


def test_what_nothing_is_left_to_hold_against_cannot_be_told(run: Path, plan: CurvePlan) -> None:
    """A digest is no signature, and the documentation says so: without parts, a curve that is sealed again passes."""
    curve = halved(read_curves(run / "curve.nc")["gaussian"])
    assert differs(curve, plan, {}) is None
    assert differs(curve, plan, dict(enumerate(lanes_of(plan)))) == "bits"


def test_a_part_of_another_run_is_put_aside_and_made_again(run: Path, left: Path, plan: CurvePlan) -> None:
    name = "gaussian-0002-2"
    shutil.copy(left / "1" / "parts" / f"{name}.npz", run / "parts")
    (run / "curve.nc").unlink()
    with Store.open(run, configuration_of(plan)) as store:
        with pytest.warns(UserWarning, match=rf"{name}\.npz was made for another run and will be made again; kept as"):
            lanes = load_lanes(store, "gaussian", digest_of(plan.configuration))
    assert sorted(lanes) == [0, 1, 4, 5] and (run / "parts" / f"{name}.foreign").exists()


def test_a_part_under_another_ones_name_is_put_aside(run: Path, plan: CurvePlan) -> None:
    parts = run / "parts"
    (parts / "gaussian-0000-2.npz").replace(parts / "gaussian-0002-2.npz")
    with Store.open(run, configuration_of(plan)) as store:
        with pytest.warns(UserWarning, match="was made for another run"):
            lanes = load_lanes(store, "gaussian", digest_of(plan.configuration))
    assert sorted(lanes) == [4, 5]


def test_lanes_of_another_plan_are_not_taken_from_a_directory_without_a_configuration(
    left: Path, tmp_path: Path, plan: CurvePlan
) -> None:
    """Where the caller opens the store, it is the parts that say what they are of."""
    with Store.open(tmp_path / "own", {}) as store, Store.open(left / "1", configuration_of(plan_of(1))) as other:
        for name in other.names("gaussian"):
            store.save(name, other.load(name) or {})
        with pytest.warns(UserWarning, match="was made for another plan; its lanes are made again"):
            assert load_lanes(store, "gaussian", digest_of(plan.configuration)) == {}
        assert len(load_lanes(store, "gaussian", digest_of(plan_of(1).configuration))) == plan.total
