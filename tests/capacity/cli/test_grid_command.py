"""`capacity grid`: what it makes plans of, what it writes, where it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import pytest
import xarray as xr
from curve_examples import made_up

from capacity import load_grid
from capacity.cli import request
from capacity.cli.curve_options import SizeOptions
from capacity.cli.grid import network_name
from capacity.curves import execute

Command = Callable[..., tuple[int, str, str]]
GRID = ("grid", "--source", "bits,markov", "--system", "gaussian,vae", "--width", "8,16")


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What plans are made of; their curves are made up."""
    seen: list[tuple[Any, ...]] = []

    class Plan:
        total = 2

        def __init__(self, key: jax.Array, source: Any, system: Any, levels: Any, seeds: int, **_: Any):
            seen.append((key, source, system, levels))
            widths = list(system.architecture.widths)
            self.configuration = {"levels": list(levels), "widths": widths, "source": source.name, "name": system.name}
            self.curve = made_up(system.name, levels=2, seeds=1, units=2, steps=5).assign_attrs(
                configuration=json.dumps(self.configuration)
            )
            self.levels, self.keys = (
                self.curve.level.values,
                jax.random.wrap_key_data(jax.numpy.asarray(self.curve.key.values)),
            )

    def run(plan: Plan, store: Any, name: str, progress: Any, **_: Any) -> xr.Dataset:
        progress(1.0, name)
        return plan.curve

    monkeypatch.setattr(request, "plan_curve", Plan)
    monkeypatch.setattr(execute, "run_plan", run)
    return seen


def test_every_source_system_and_network_is_crossed(command: Command, planned: Any, tmp_path: Path) -> None:
    status, out, err = command(*GRID, "--levels", "vae=0.1,0.2,0.4", "--out", tmp_path / "run")
    assert status == 0, err
    grid = load_grid(tmp_path / "run")
    assert list(grid.source.values) == ["bits", "markov"] and list(grid.system.values) == ["gaussian", "vae"]
    assert list(grid.network.values) == ["mlp-w8", "mlp-w16"]
    assert {(s.name, y.name, y.architecture.widths) for _, s, y, _ in planned} == {
        (source, system, widths)
        for source in ("bits", "markov")
        for system in ("gaussian", "vae")
        for widths in ((8, 8), (16, 16))
    }
    assert {levels for _, _, system, levels in planned if system.name == "vae"} == {(0.1, 0.2, 0.4)}
    assert len({str(jax.random.key_data(key)) for key, *_ in planned}) == 1
    assert (tmp_path / "run" / "grid.png").stat().st_size > 0 and not (tmp_path / "run" / "curve.png").exists()
    assert "vae: 16 bits of markov" in out and "mlp-w16" in out and "grid.png" in out
    assert "100 % (16 of 16 lanes), markov.vae.mlp-w16, done" in err
    assert command("show", tmp_path / "run")[1].startswith(out[: out.index("Wrote")])


def test_a_finished_grid_is_found_and_another_one_refused(command: Command, planned: Any, tmp_path: Path) -> None:
    command(*GRID, "--out", tmp_path)
    assert "Complete already" in command(*GRID, "--out", tmp_path)[1]
    status, _, err = command(*GRID[:-1], "8,24", "--out", tmp_path)
    assert status == 2 and "Choose another --out." in err
    found = json.loads(command(*GRID, "--json", "--out", tmp_path)[1])
    assert Path(found["files"]["png"]).name == "grid.png" and len(found["curves"]) == 8


def test_networks_are_called_by_the_sizes_that_differ() -> None:
    sizes = [SizeOptions(width=width, depth=depth) for width in (8, 16) for depth in (1, 2)]
    assert [network_name(one, sizes) for one in sizes] == ["mlp-w8-d1", "mlp-w8-d2", "mlp-w16-d1", "mlp-w16-d2"]
    assert network_name(sizes[0], sizes[:1]) == "mlp"
    kinds = [SizeOptions(network=kind, parameters=9000) for kind in ("mlp", "conv")]
    assert [network_name(one, kinds) for one in kinds] == ["mlp", "conv"]


@pytest.mark.slow
def test_a_page_has_every_curve(command: Command, planned: Any, tmp_path: Path) -> None:
    command("grid", "--system", "gaussian", "--width", "8,16", "--out", tmp_path)
    assert command("report", tmp_path)[0] == 0
    assert "bits.gaussian.mlp-w16" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--width 8,8", "Expected --width of whole numbers, several by commas, each once; got '8,8'."),
        ("--width 8,0", "Expected --width of at least 1"),
        ("--depth 1,", "several by commas; got '1,'"),
        ("--system vae,gausian", "got 'gausian'. Did you mean 'gaussian'"),
        ("--source bits,bist", "Did you mean 'bits'?"),
        ("--levels 0.5", "or --levels gaussian=... for each"),
        ("--levels vae=0.5 --levels vae=0.6", "Expected --levels of vae once"),
        ("--levels vea=0.5", "Did you mean 'vae'?"),
        ("--source gaussian,bits --decode bits", "decode='vector' for a continuous source"),
    ],
)
def test_what_cannot_work_is_one_sentence(command: Command, tmp_path: Path, words: str, sentence: str) -> None:
    status, out, err = command("grid", *words.split(), "--out", tmp_path / "run")
    assert status == 2 and out == "" and sentence in err and err.count("\n") == 1
    assert not (tmp_path / "run").exists()
