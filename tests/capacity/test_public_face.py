"""What `import capacity` offers: every public name once, subpackages, the version; nothing heavy at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from curve_examples import made_up

import capacity
from capacity.curves.files import write_curves
from capacity.runtime.files.atomic import StoreError

LAZY = """
import sys
import capacity
assert not {"jax", "numpy", "xarray"} & sys.modules.keys(), "importing the package imports JAX"
assert capacity.__version__ and "jax" not in sys.modules
assert capacity.channels.Gaussian.name == "gaussian"
"""


def test_subpackages_are_there_and_nothing_is_loaded_before() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_only_public_names_show() -> None:
    assert dir(capacity) == sorted(capacity.__all__) and len(set(capacity.__all__)) == len(capacity.__all__)
    assert [name for name in dir(capacity) if name.startswith("_")] == ["__version__"]
    assert {"measure", "estimate", "capacity_curve", "load_curves", "GaussianAutoencoder", "FixedCode"} <= {
        *dir(capacity)
    }


@pytest.mark.parametrize("name", capacity.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(capacity, name)
    assert found == getattr(capacity, name) and found.__doc__


def test_saved_curves_are_read_from_their_directory_or_file(tmp_path: Path) -> None:
    curves = {"gaussian": made_up("gaussian", levels=2, seeds=1), "vae": made_up("vae", levels=2, seeds=1)}
    write_curves(tmp_path / "curve.nc", curves)
    for place in (tmp_path, str(tmp_path / "curve.nc")):
        found = capacity.load_curves(place)
        assert found.keys() == curves.keys() and found["vae"].equals(curves["vae"])
    with pytest.raises(StoreError, match="Expected a curve at .*nowhere; got no such file"):
        capacity.load_curves(tmp_path / "nowhere")
