"""Names and refusals without JAX: what is read of the sources is what the registries say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from capacity.cli import catalogue
from capacity.cli.catalogue import KINDS, PLACES, registries
from capacity.cli.curve_options import SourceOptions
from capacity.cli.suited import checked_source
from capacity.runtime.declared import UndeclaredError, declared_constant, declared_members


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_declared_is_what_is_enrolled(kind: str) -> None:
    registry = registries()[kind]
    declared = declared_members(PLACES[kind].enrolled, "sentence" if kind == "claim" else "summary")
    assert declared.words == {name: catalogue.summary(kind, member) for name, member in registry.items()}
    assert list(declared.words) == list(registry) and set(declared.aliases) == set(registry.aliases)  # type: ignore[attr-defined]


def test_constants_are_those_of_the_modules() -> None:
    from capacity.bounds.measurement import METHODS
    from capacity.systems.networks import ACTIVATIONS

    assert catalogue.constant_names("capacity.bounds.measurement", "METHODS") == METHODS
    assert catalogue.constant_names("capacity.systems.networks.mlp", "ACTIVATIONS") == tuple(ACTIVATIONS)
    with pytest.raises(UndeclaredError, match="Expected NOTHING"):
        declared_constant("capacity.bounds.measurement", "NOTHING")


def test_what_is_written_otherwise_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("capacity.runtime.names", "no_such_package.at_all", "capacity.cli.no_such_module"):
        with pytest.raises(UndeclaredError, match="Expected"):
            declared_members(module)
    moved = catalogue.Place("capacity.runtime.names", "not loaded")
    monkeypatch.setitem(catalogue.PLACES, "bound", moved)
    assert list(catalogue.enrolled("bound").words) == list(registries()["bound"])


REFUSED = {
    "a list": ("list",),
    "kinds": ("list", "sytems"),
    "a system": ("curve", "--system", "gausian"),
    "a network": ("curve", "--network", "cnov"),
    "a network's choice": ("curve", "--network", "conv", "--set-network", "kernle=5"),
    "a network's value": ("curve", "--network", "conv", "--set-network", "layout=8y8"),
    "parameters and a width": ("curve", "--parameters", "9000", "--width", "8"),
    "levels": ("curve", "--system", "vae", "--levels", "0.5,0.5"),
    "sizes": ("curve", "--width", "1000000"),
    "counts": ("curve", "--steps", "0"),
    "data of a curve": ("curve", "--data", "text.npy"),
    "a place": ("curve", "--out", "text.npy"),
    "machines": ("curve", "--coordinator", "here:1"),
    "a claim": ("claims", "dorpout"),
    "a method": ("estimate", "x.npy", "x.npy", "--method", "kgs"),
    "a method for labels": ("estimate", "x.npy", "x.npy", "--method", "plugin"),
    "a method for many rows": ("estimate", "x.npy", "x.npy", "--method", "nwj"),
    "an array": ("estimate", "x.npy", "text.npy"),
    "lengths": ("estimate", "x.npy", "long.npy"),
    "a constant": ("estimate", "x.npy", "still.npy"),
    "a column": ("estimate", "t.csv", "--x", "a", "--y", "bb"),
    "missing values": ("pairwise", "t.csv"),
    "a target": ("pairwise", "t.csv", "--target", "bb"),
    "posteriors": ("latent", "--means", "x.npy", "--logvars", "long.npy"),
    "spreads": ("latent", "--means", "x.npy", "--logvars", "x.npy", "--given", "sdt"),
    "samples": ("latent", "--means", "m.npy", "--logvars", "m.npy", "--given", "logvar", "--samples", "2000000000"),
    "a choice": ("curve", "--system", "gaussian", "--set", "powr=2"),
    "no choice": ("curve", "--system", "gaussian", "--set", "power"),
    "a choice's type": ("curve", "--system", "binary", "--set", "stochastic=maybe"),
    "codes": ("latent", "--codes", "m.npy"),
    "a codebook": ("latent", "--codes", "m.npy", "--codebook", "8;5"),
    "probabilities": ("latent", "--probs", "m.npy"),
    "widths": ("grid", "--width", "8,x"),
    "one of several systems": ("grid", "--system", "vae,gausian"),
    "levels of a system": ("grid", "--levels", "vea=0.1"),
    "a source's dimensions": ("curve", "--dim", "4"),
    "a source's bits": ("curve", "--source", "sprites", "--bits", "17", "--dim", "64"),
    "windows that agree": ("curve", "--source", "digits", "--dim", "3"),
    "messages without end": ("curve", "--source", "codebook", "--bits", "21"),
    "no digits": ("curve", "--source", "gaussian", "--decode", "bits"),
    "nothing to list": ("curve", "--bits", "40", "--dim", "64", "--measure", "enumeration"),
    "no bracket": ("curve", "--bits", "40", "--dim", "64", "--system", "dropout"),
    "a level": ("curve", "--system", "dropout", "--levels", "2"),
    "a broken level": ("curve", "--system", "quantized", "--levels", "2.5"),
    "more bits than there are": ("curve", "--target-bits", "20"),
    "a choice's range": ("curve", "--system", "binary", "--set", "temperature=-1"),
    "a choice's names": ("curve", "--system", "dropout", "--set", "values=sings"),
    "a code": ("curve", "--system", "handmade", "--set", "code=morse"),
    "a kernel": ("curve", "--network", "conv", "--set-network", "kernel=0"),
    "what is read": ("curve", "--network", "conv", "--set-network", "read=place"),
    "a layout": ("curve", "--network", "conv", "--set-network", "layout=5x5"),
    "a patch": ("curve", "--network", "mixer", "--set-network", "patch=5"),
    "products": ("curve", "--products="),
    "a folder in use": ("curve", "--out", "."),
    "the folder of a grid": ("grid", "--out", "."),
    "a damaged curve": ("show", "damaged"),
    "a report of it": ("report", "damaged"),
    "a report of a damaged claim": ("report", "claims"),
    "no curve": ("show", "."),
    "no report": ("report", "."),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("light")
    rng = np.random.default_rng(0)
    for name, array in {
        "x": rng.normal(size=20), "long": rng.normal(size=30), "still": np.ones(20), "m": rng.normal(size=(20, 20))
    }.items():  # fmt: skip
        np.save(place / f"{name}.npy", array)
    (place / "text.npy").write_text("no array")
    (place / "damaged").mkdir()
    (place / "damaged" / "curve.nc").write_bytes(b"\x89HDF")
    (place / "claims" / "dropout").mkdir(parents=True)
    (place / "claims" / "dropout" / "verdict.json").write_text("{}")
    (place / "t.csv").write_text("a,b\n1,\n2,3\n" * 9)
    return place


def test_no_refusal_loads_jax(folder: Path) -> None:
    program = "import sys\nfrom capacity.cli.app import main\n"
    program += f"for words in {list(REFUSED.values())!r}:\n"
    program += "    sys.argv = ['capacity', *words]\n    try:\n        main()\n    except SystemExit as stopped:\n"
    program += "        status = stopped.code\n"
    program += "    assert status == (0 if words == ('list',) else 2), words\n"
    program += "    assert 'jax' not in sys.modules, words\n"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, cwd=folder)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("Error: Expected") == run.stderr.count("\n") == len(REFUSED) - 1


def test_more_rows_than_can_be_listed_may_be_few_that_differ() -> None:
    asked = SourceOptions()
    assert checked_source(asked, np.zeros((2**20 + 1, 1))) is None
    facts = checked_source(asked, np.zeros((8, 3)))
    assert facts is not None and facts.listable and (facts.bits, facts.dim) == (3.0, 3)


def test_the_command_line_itself_loads_no_arrays() -> None:
    """Help answers as soon as Python and typer are there."""
    heavy = ("numpy", "scipy", "pandas", "xarray", "jax", "matplotlib", "rich")
    program = f"import sys, capacity.cli.app\nprint([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
