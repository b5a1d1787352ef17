"""Posteriors on disk: the same arrays again, names in use, half precision, pickles refused, nothing half written."""

from __future__ import annotations

import io
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from capacity.runtime.files.arrays import PICKLES, read_arrays, read_one, read_pair
from capacity.runtime.files.posteriors import load_posterior, save_posterior
from capacity.runtime.files.safetensors_files import read_safetensors, write_safetensors
from capacity.runtime.tables.posterior_arrays import KNOWN_AS, PosteriorArrays

RNG = np.random.default_rng(0)
MEANS, LOGVARS = RNG.normal(size=(20, 3)).astype(np.float32), RNG.normal(size=(20, 3)) - 2
LAWS = {
    "normal": PosteriorArrays("normal", {"means": MEANS, "logvars": LOGVARS}),
    "normal by stds": PosteriorArrays("normal", {"means": MEANS, "stds": np.exp(LOGVARS)}, "std"),
    "covariances": PosteriorArrays(
        "multivariate_normal", {"means": MEANS, "covariances": np.tile(np.eye(3), (20, 1, 1))}
    ),
    "codes": PosteriorArrays("codes", {"codes": RNG.integers(0, 9, (20, 4))}),
    "probs": PosteriorArrays("probs", {"probs": RNG.dirichlet(np.ones(5), (20, 2))}),
    "logits": PosteriorArrays("probs", {"logits": RNG.normal(size=(20, 2, 5))}, "logits"),
}
ENDINGS = [".npz", ".safetensors"]


def needs(ending: str) -> None:
    if ending == ".safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("law", LAWS)
def test_what_was_saved_is_read(law: str, ending: str, tmp_path: Path) -> None:
    needs(ending)
    save_posterior(tmp_path / f"p{ending}", LAWS[law])
    found = load_posterior(str(tmp_path / f"p{ending}"))
    assert (found.law, found.given) == (LAWS[law].law, LAWS[law].given)
    assert found.arrays.keys() == LAWS[law].arrays.keys()
    for name, array in LAWS[law].arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_allclose(found.arrays[name], array, rtol=1e-12)
    assert [file.name for file in tmp_path.iterdir()] == [f"p{ending}"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", [n for kind in ("means", "logvars") for n in (kind, *KNOWN_AS[kind])])
def test_names_in_use(name: str, ending: str, tmp_path: Path) -> None:
    needs(ending)
    is_means = name in ("means", *KNOWN_AS["means"])
    arrays = {
        f"vae.encoder.{name}": MEANS if is_means else LOGVARS,
        "log_var" if is_means else "MU": LOGVARS if is_means else MEANS,
        "weight": np.ones((2, 2)),
    }
    if ending == ".npz":
        np.savez(tmp_path / "p.npz", **arrays)
    else:
        write_safetensors(tmp_path / "p.safetensors", arrays)
    found = load_posterior(tmp_path / f"p{ending}")
    assert (found.arrays["means"] == MEANS).all() and (found.arrays["logvars"] == LOGVARS).all()


def test_other_names_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", a=MEANS, b=LOGVARS, std=np.exp(LOGVARS), mu=0 * MEANS)
    assert (load_posterior(tmp_path / "p.npz", "a", "b").arrays["logvars"] == LOGVARS).all()
    by_name = load_posterior(tmp_path / "p.npz", "a", "std")
    assert by_name.given == "std" and (by_name.arrays["stds"] == np.exp(LOGVARS)).all()
    assert load_posterior(tmp_path / "p.npz", "a", "b", given="log_std").given == "log_std"
    with pytest.raises(ValueError, match="Expected an array of .* to be one of a, b, mu, std; got 'c'"):
        load_posterior(tmp_path / "p.npz", "c", "b")
    np.savez(tmp_path / "q.npz", a=MEANS, log_var=LOGVARS)
    assert (load_posterior(tmp_path / "q.npz", "a").arrays["means"] == MEANS).all()
    with pytest.raises(ValueError, match="two arrays of .*, means and their spread; got 'a' as both"):
        load_posterior(tmp_path / "q.npz", "a", "a")


def test_names_of_one_that_are_said_to_be_the_other(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", means=LOGVARS, logvars=MEANS)
    found = load_posterior(tmp_path / "p.npz", "logvars", "means")
    assert (found.arrays["means"] == MEANS).all() and (found.arrays["logvars"] == LOGVARS).all()


@pytest.mark.parametrize("shape", [(0, 3), (5, 0), (4, 0, 3), (0,)], ids=str)
@pytest.mark.parametrize("names", [("means", "logvars"), ("codes",), ("probs",), ("logits",)], ids=str)
def test_arrays_of_nothing(names: tuple[str, ...], shape: tuple[int, ...], tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", **{name: np.zeros(shape, int if name == "codes" else float) for name in names})
    with pytest.raises(ValueError, match=f"Expected numbers in {names[0]}, a row for each point; got"):
        load_posterior(tmp_path / "p.npz")


@pytest.mark.parametrize("ending", PICKLES)
def test_pickles_are_refused_with_what_to_save_instead(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"model{ending.upper() if ending == '.pt' else ending}"
    file.write_bytes(pickle.dumps(1))
    for read in (load_posterior, read_one, read_arrays, lambda f: read_pair([f], ["a"], ["b"])):
        with pytest.raises(ValueError, match=r"Expected arrays alone; got .* a pickle.*numpy\.savez\('posterior\.npz'"):
            read(file)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_pickle_by_another_name_is_never_loaded(ending: str, tmp_path: Path) -> None:
    needs(ending)
    (tmp_path / f"p{ending}").write_bytes(pickle.dumps(print))
    with pytest.raises(ValueError, match="Expected "):
        load_posterior(tmp_path / f"p{ending}")
    stream = io.BytesIO()
    np.savez(stream, means=np.array([{}], object))
    (tmp_path / f"p{ending}").write_bytes(stream.getvalue())
    with pytest.raises(ValueError, match=r"Expected .*(pickled|whole \.safetensors)"):
        load_posterior(tmp_path / f"p{ending}")


@pytest.mark.parametrize("name", ["p.npy", "p.csv", "p.h5", "p"])
def test_other_endings(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="Expected "):
        load_posterior(tmp_path / name)
    with pytest.raises(ValueError, match=r"ends in \.npz or \.safetensors"):
        save_posterior(tmp_path / name, LAWS["codes"])
    with pytest.raises(ValueError, match="Expected a file at"):
        load_posterior(tmp_path / "missing.npz")


class TestSafetensors:
    """Files of tensors, by their library."""

    @pytest.fixture(autouse=True)
    def _needed(self) -> None:
        needs(".safetensors")

    def test_types(self, tmp_path: Path) -> None:
        kinds = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", ">f4"]
        arrays = {kind: (MEANS * 3).astype("i1").astype(kind) for kind in kinds}
        write_safetensors(tmp_path / "a.safetensors", arrays)
        found = read_safetensors(tmp_path / "a.safetensors")
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype.newbyteorder("=") and (found[name] == array).all()
        with pytest.raises(ValueError, match=r"numbers that \.safetensors can hold in a; got <U1"):
            write_safetensors(tmp_path / "b.safetensors", {"a": np.array(["a"])})
        assert not (tmp_path / "b.safetensors").exists()

    def test_half_precision(self, tmp_path: Path) -> None:
        halves = {"BF16": (MEANS.view(np.uint32) >> 16).astype("<u2"), "F16": MEANS.astype("<f2")}
        for kind, array in halves.items():
            (tmp_path / f"{kind}.safetensors").write_bytes(written("a", kind, array))
            found = read_one(tmp_path / f"{kind}.safetensors")
            assert found.shape == MEANS.shape and found.dtype == (np.float32 if kind == "BF16" else np.float16)
            np.testing.assert_allclose(found, MEANS, rtol=0.01)
        (tmp_path / "f8.safetensors").write_bytes(written("a\x1b", "F8_E4M3", np.zeros((2, 2), "u1")))
        with pytest.raises(ValueError, match=r"a type that NumPy has in 'a\\x1b' of .*; got F8_E4M3. Save F32"):
            read_one(tmp_path / "f8.safetensors")

    def test_one_array_where_one_is_asked_for(self, tmp_path: Path) -> None:
        write_safetensors(tmp_path / "x.safetensors", {"x": MEANS, "y": LOGVARS})
        with pytest.raises(ValueError, match="Expected one array in .*; got x, y"):
            read_one(tmp_path / "x.safetensors")
        x, y = read_pair([tmp_path / "x.safetensors"])
        assert (x == MEANS).all() and (y == LOGVARS).all()

    def test_damaged_ones(self, tmp_path: Path) -> None:
        content = written("a", "F32", MEANS)
        for cut in (0, 4, 20, len(content) - 5):
            (tmp_path / "a.safetensors").write_bytes(content[:cut])
            with pytest.raises(ValueError, match=r"Expected .* to be a whole \.safetensors file"):
                read_one(tmp_path / "a.safetensors")


def written(name: str, kind: str, array: np.ndarray) -> bytes:
    """A file of one tensor, by the format's own words."""
    head = json.dumps({name: {"dtype": kind, "shape": array.shape, "data_offsets": [0, array.nbytes]}}).encode()
    return struct.pack("<Q", len(head)) + head + array.tobytes()
