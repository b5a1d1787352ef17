"""What must not spoil a curve: a disk that fills up, a file that is damaged, a lane that diverges."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
import xarray as xr
from curve_examples import made_up
from matplotlib.figure import Figure

from capacity import Architecture, GaussianAutoencoder, Training, plan_curve
from capacity.cli import request
from capacity.curves import summary
from capacity.curves.checks import sentence, with_checks
from capacity.curves.execute import run_plan
from capacity.curves.files import read_curves, write_csv, write_curves
from capacity.curves.plan import CurvePlan
from capacity.curves.summary import curve_record, curve_table, note
from capacity.curves.trends import falling
from capacity.plots.curve import curve_figure, plot_loss
from capacity.runtime.executors import pool_of
from capacity.runtime.files import atomic as sealed
from capacity.runtime.files.store import Store, StoreError
from synthetic import FairBits

Command = Callable[..., tuple[int, str, str]]


def plan(optimiser: Any = None) -> CurvePlan:
    source, system = FairBits.build(jax.random.key(7), 4, 6), GaussianAutoencoder(Architecture(units=2, widths=(16,)))
    training = Training(steps=60, batch=32, receiver_steps=20, receiver_batch=32, optimiser=optimiser)
    return plan_curve(jax.random.key(0), source, system, [0.3, 1.0], 2, training=training, samples=64)


def run(store: Store | None = None, optimiser: Any = None, **more: Any) -> xr.Dataset:
    """Through an executor, whose worker keeps its compiled programs from one run to the next."""
    with ThreadPoolExecutor(1) as executor:
        return run_plan(plan(optimiser), store, pool=pool_of(executor, 1), **more)


@pytest.fixture(scope="module")
def undisturbed() -> xr.Dataset:
    return run()


def full(after: int, number: int = errno.ENOSPC) -> Callable[[Path], None]:
    """A disk that takes so many files more, and half of the next: it is full, has turned read-only, or fails."""
    left, flush = [after], sealed._flush

    def fills(path: Path) -> None:
        if path.is_file():
            left[0] -= 1
        if left[0] < 0 and path.is_file():
            os.truncate(path, path.stat().st_size // 2)
            raise OSError(number, os.strerror(number))
        flush(path)

    return fills


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_no_more_while_lanes_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: xr.Dataset, number: int
) -> None:
    with Store.open(tmp_path, {}) as store:
        monkeypatch.setattr(sealed, "_flush", full(1, number))
        words = rf"Expected room and leave to write .*curve-0001-1.*; got: {os.strerror(number)}"
        with pytest.raises(StoreError, match=words):
            run(store)
        monkeypatch.undo()
        kept = [p.name for p in (tmp_path / "parts").iterdir()]
        assert kept == ["curve-0000-1.npz"] and store.load("curve-0000-1") is not None
        seen: list[float] = []
        xr.testing.assert_equal(run(store, progress=lambda done, _: seen.append(done)), undisturbed)
    assert seen[0] == 1 / 4


@pytest.mark.parametrize("after", range(5))
def test_the_command_says_so_and_goes_on_when_there_is_room(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """The disk fills up while the configuration, the command, or the curve's own files are written."""

    class Plan:
        total, configuration = 36, json.loads(made_up().attrs["configuration"])
        levels, keys = made_up().level.values, jax.random.wrap_key_data(jax.numpy.asarray(made_up().key.values))

        def __init__(self, *_: Any, **more: Any):
            pass

        def run(self, *_: Any, **more: Any) -> xr.Dataset:
            return made_up()

    monkeypatch.setattr(request, "plan_curve", Plan)
    monkeypatch.setattr("capacity.curves.execute.run_plan", lambda plan, *args, **options: plan.run())
    monkeypatch.setattr("capacity.plots.curve.curve_figure", lambda datasets: Figure())  # its file is what counts
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(sealed, "_flush", full(after))
        status, printed, err = command("curve", "--system", "gaussian", "--out", out)
    assert status == 2 and printed == ""
    assert err.startswith("Error: Expected room and leave to write") and err.count("\n") == 1
    assert "No space left on device" in err
    assert after < 2 or f"kept in {out}; the same command goes on from there" in err
    assert len([p for p in out.iterdir() if p.name != ".lock"]) == after
    assert command("curve", "--system", "gaussian", "--out", out)[0] == 0
    assert read_curves(out / "curve.nc")["gaussian"].identical(made_up())


def test_a_disk_that_is_full_once_all_is_computed(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_curves(tmp_path / "curve.nc", {"gaussian": made_up()})
    monkeypatch.setattr("capacity.plots.curve.curve_figure", lambda datasets: Figure())
    monkeypatch.setattr(sealed, "_flush", full(0))
    status, printed, err = command("show", tmp_path)
    assert (status, printed) == (2, "") and err.count("\n") == 1
    assert err.startswith("Error: Expected room and leave to write") and "No space left on device" in err
    assert [path.name for path in tmp_path.iterdir()] == ["curve.nc"]


@pytest.mark.parametrize("damage", [b"", b"\x00" * 4000])
def test_a_damaged_file_repeats_its_lanes_alone(
    tmp_path: Path, undisturbed: xr.Dataset, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path, {}) as store:
        run(store)
        part = tmp_path / "parts" / "curve-0002-1.npz"
        part.write_bytes(damage)
        before = {p: p.stat().st_mtime_ns for p in part.parent.iterdir() if p != part}
        with pytest.warns(UserWarning, match="damaged and will be made again"):
            found = run(store)
        assert {p: p.stat().st_mtime_ns for p in before} == before and part.exists()
    xr.testing.assert_equal(found, undisturbed)


def sometimes(key: jax.Array) -> optax.GradientTransformation:
    """Diverges for about half of all keys."""
    return optax.scale(jax.numpy.where(jax.random.bernoulli(key), jax.numpy.nan, -1e-3))


@pytest.fixture(scope="module")
def broken() -> xr.Dataset:
    return run(optimiser=sometimes)


def test_a_lane_that_diverged_has_its_key_and_no_figure(broken: xr.Dataset) -> None:
    lost = broken.diverged.values
    assert 0 < lost.sum() < lost.size
    for name, figures in broken.data_vars.items():
        if "seed" in figures.dims and name not in ("loss", "diverged", "key", "inside"):
            assert np.isnan(figures.values[lost]).all(), name
            assert not np.isnan(figures.values[~lost]).any(), name
    assert not broken.inside.values[lost].any()


def test_it_is_trained_again_alone_from_its_key(broken: xr.Dataset) -> None:
    curve = plan(sometimes)
    train = jax.jit(lambda key, level: curve.training.train(key, curve.source, curve.system, level)[1])
    for level, seed in np.ndindex(2, 2):
        key = jax.random.wrap_key_data(jax.numpy.asarray(broken.key.values[level, seed]))
        loss = train(key, jax.numpy.float32(curve.levels[level])) / np.float32(np.log(2))
        np.testing.assert_allclose(loss, broken.loss[level, seed], rtol=1e-4)
        assert np.isnan(loss).any() == broken.diverged[level, seed]


def lose(curve: xr.Dataset, where: Any) -> xr.Dataset:
    """Lanes of a made-up curve that diverged: `where` picks levels and seeds."""
    curve = curve.copy(deep=True).assign_attrs(trend="falls")
    curve.diverged.values[where] = True
    for name, figures in curve.data_vars.items():
        if "seed" in figures.dims and name not in ("diverged", "key"):
            figures.values[where] = 1e30 if name == "loss" else np.nan
    return with_checks(curve)


def test_diverged_lanes_are_told_and_in_no_mean_test_or_table() -> None:
    lost = lose(made_up(), (slice(3, 5), 1))
    assert "34 of 36 lanes inside" in sentence(lost) and "2 diverged: in no mean, no trend and not inside" in sentence(
        lost
    )
    without = made_up().bits.values.copy()
    without[3:5, 1] = np.nan
    rounded = 1e-3 * np.round(without.astype(float) / 1e-3)
    assert float(lost.trend_p_value) == falling(rounded).p_value
    key = lost.key.values[3, 1].tolist()
    assert f"2 of 36 lanes diverged, left out of every mean and test: σ=0.2264 seed 1 (key {key})" in note(lost)
    assert curve_record(lost)["diverged"][0] == {"level": float(lost.level[3]), "seed": 1, "key": key}
    assert note(made_up()) and "diverged" not in note(with_checks(made_up().assign_attrs(trend="falls")))


def test_a_level_at_which_all_diverged_has_no_row_of_figures() -> None:
    lost = lose(made_up(), (4, slice(None)))
    cells = [list(column.cells)[4] for column in curve_table(lost).columns]
    assert cells[3:6] == ["diverged", "-", "-"] and "nan" not in "".join(cells)
    bracket = lose(made_up(listed=False), (4, slice(None)))
    assert [list(column.cells)[4] for column in curve_table(bracket).columns][3:5] == ["diverged", "diverged"]


@pytest.mark.parametrize("where", [(3, 1), (3, slice(None)), (slice(None), slice(None))], ids=["one", "level", "all"])
def test_figures_show_where_lanes_diverged(where: Any) -> None:
    lost = lose(made_up(), where)
    drawn = curve_figure({"gaussian": lost})
    drawn.draw_without_rendering()
    legend = drawn.axes[0].get_legend()
    assert legend is not None and any("diverged lane" in text.get_text() for text in legend.get_texts())
    assert "diverged: in no mean" in drawn.axes[0].get_title()
    axes = Figure().subplots()
    plot_loss(lost, axes)
    if not lost.diverged.all():
        assert axes.get_ylim()[1] < 20  # a loss of 1e30 does not crush the others


def test_the_command_tells_of_lanes_that_diverged(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = lose(made_up(), (3, 1))
    write_curves(tmp_path / "curve.nc", {"gaussian": lost})
    key = lost.key.values[3, 1].tolist()
    words = f"1 of 36 lanes diverged, left out of every mean and test: σ=0.2264 seed 1 (key {key})"
    assert words in command("show", tmp_path)[1]
    status, out, err = command("show", tmp_path, "--quiet")
    assert (status, out, err) == (0, "", f"Warning: gaussian: {words}.\n")
    status, out, err = command("show", tmp_path, "--json")
    assert json.loads(out)["curves"]["gaussian"]["diverged"][0]["key"] == key and words in err


def test_many_diverged_lanes_are_counted_and_the_first_named() -> None:
    told = summary.diverged(lose(made_up(), (slice(None), slice(None))))
    assert told.count("key") == 6 and told.endswith(" and 30 more")


def test_the_key_is_in_the_table_for_others(tmp_path: Path) -> None:
    curve = made_up()
    write_csv(tmp_path / "curve.csv", {"gaussian": curve})
    header, first, *_ = (tmp_path / "curve.csv").read_text().splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert [int(row[f"key_word{i}"]) for i in (0, 1)] == curve.key.values[0, 0].tolist()
