"""`capacity latent` on posteriors of other kinds: files in, figures out, and refusals before any work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from capacity.cli.given_posterior import KindArrays, kind_arrays
from capacity.cli.latent_kinds import KindOptions

Command = Callable[..., tuple[int, str, str]]
N = 64


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    means = rng.normal(size=(N, 2))
    arrays = {
        "m": means, "l": np.full((N, 2), np.log(0.2)), "s": np.full((N, 2), 0.3),
        "c": np.tile(0.2 * np.eye(2), (N, 1, 1)), "mm": np.stack([means, means], 1), "w": np.full((N, 2), 0.5),
        "ll": np.full((N, 2, 2), np.log(0.2)), "u": means / np.linalg.norm(means, axis=1, keepdims=True),
        "k": np.full(N, 9.0), "g": np.full(N, 0.2**0.5),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


def words(folder: Path, line: str) -> list[str]:
    return ["latent", *(str(folder / word) if word.endswith(".npy") else word for word in line.split())]


SAME = (
    "--means m.npy --logvars l.npy --prior normal",
    "--means m.npy --logvars c.npy --kind full --levels 1,1",
    "--means mm.npy --logvars ll.npy --kind mixture --weights w.npy",
    "--means m.npy --channel gaussian --level g.npy",
)


@pytest.mark.slow
def test_the_same_posteriors_in_four_forms_have_the_same_bits(command: Command, files: Path) -> None:
    found = []
    for line in SAME:
        status, out, err = command(*words(files, line), "--samples", "1024", "--json")
        assert status == 0 and not err
        found.append(json.loads(out))
    figures = [one["information"] for one in found]
    for one, other in pairwise(figures):
        assert one["low"] < other["high"] and other["low"] < one["high"]
        assert one["bits"] == pytest.approx(other["bits"], abs=0.05)
    rates = [one["rate"]["bits"] for one in found]
    np.testing.assert_allclose(rates, rates[0], atol=0.1)  # a mixture's is sampled
    assert sum(level["bits"] for level in found[1]["levels"]) == pytest.approx(figures[1]["bits"], abs=1e-4)
    assert found[0]["population"]["low"] < found[0]["population"]["high"]


@pytest.mark.parametrize(
    "line",
    [
        "--means m.npy --logvars s.npy --kind laplace",
        "--means u.npy --logvars k.npy --kind sphere",
        "--means m.npy --channel gaussian_dropout --level 0.3",
    ],
)
def test_others_are_printed(command: Command, files: Path, line: str) -> None:
    status, out, err = command(*words(files, line), "--samples", "1024")
    assert status == 0 and not err
    assert "The population that the points were drawn from" in out and "exact by enumeration" in out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--means m.npy", "--means with --logvars or --channel"),
        ("--means m.npy --logvars l.npy --kind lapace", "Did you mean 'laplace'"),
        ("--means m.npy --logvars l.npy --prior gaussian", "--prior"),
        ("--means m.npy --logvars s.npy --kind laplace --given std", "--given"),
        ("--means m.npy --channel gaussian", "--channel and --level together"),
        ("--means m.npy --logvars l.npy --channel gaussian --level 1", "in place of"),
        ("--means m.npy --logvars l.npy --weights w.npy", "--kind mixture"),
        ("--means m.npy --logvars l.npy --levels 1,x", "--levels as numbers"),
        ("--means m.npy --logvars l.npy --levels 1,2", "levels of 2 units"),
        ("--means m.npy --logvars s.npy --kind laplace --plot p.png", "--plot with normal"),
        ("--means m.npy --logvars l.npy --kind full", "3 axes"),
        ("--means m.npy --channel gausian --level 1", "Did you mean 'gaussian'"),
        ("--means m.npy --channel gaussian --level -1", "noise on every code"),
        ("--means m.npy --channel gaussian --level nan", "noise on every code"),
        ("--means m.npy --logvars l.npy --kind laplace", "--given log_scale"),
        ("--means mm.npy --logvars m.npy --kind mixture --weights w.npy", "of a mixture of one shape (N, K"),
        ("--means m.npy --logvars s.npy --kind mixture", "got --kind mixture alone"),
    ],
)
def test_refusals(command: Command, files: Path, line: str, sentence: str) -> None:
    status, out, err = command(*words(files, line))
    assert status == 2 and not out and sentence in err and err.count("\n") == 1


@pytest.fixture
def archives(files: Path) -> Path:
    read = {name: np.load(files / f"{name}.npy") for name in ("m", "s", "c", "mm", "ll", "w")}
    np.savez(files / "laplace.npz", mu=read["m"], scale=read["s"])
    np.savez(files / "full.npz", **{"encoder.loc": read["m"], "q.covariance_matrix": read["c"]})
    np.savez(files / "mixture.npz", means=read["mm"], log_var=read["ll"], weights=read["w"])
    return files


FROM_ONE = {
    "--posterior laplace.npz --kind laplace": "--means m.npy --logvars s.npy --kind laplace",
    "--posterior laplace.npz --means mu --logvars scale --kind uniform": "--means m.npy --logvars s.npy --kind uniform",
    "--posterior full.npz --kind full": "--means m.npy --logvars c.npy --kind full",
    "--posterior mixture.npz --kind mixture": "--means mm.npy --logvars ll.npy --kind mixture --weights w.npy",
    "--posterior laplace.npz --channel gaussian --level 0.3": "--means m.npy --channel gaussian --level 0.3",
}


@pytest.mark.parametrize("line", FROM_ONE)
def test_one_file_by_its_names_gives_what_files_of_their_own_give(line: str, archives: Path) -> None:
    one, other = (arrays_of(words_of(archives, text)) for text in (line, FROM_ONE[line]))
    for first, second in zip(one[:3], other[:3], strict=True):
        np.testing.assert_array_equal(first, second)


def words_of(folder: Path, line: str) -> dict[str, str]:
    parts = line.split()
    paths = (str(folder / part) if part.endswith((".npy", ".npz")) else part for part in parts[1::2])
    return dict(zip((part.removeprefix("--") for part in parts[::2]), paths, strict=True))


def arrays_of(said: dict[str, str]) -> KindArrays:
    posterior, means, logvars, weights = (
        Path(said[name]) if name in said else None for name in ("posterior", "means", "logvars", "weights")
    )
    kind = KindOptions(said.get("kind"), said.get("channel"), said.get("level"), weights)
    kind.check(logvars, None, named=posterior is not None)
    return kind_arrays(posterior, means, logvars, kind, None)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--posterior laplace.npz --kind full", "covariance or cholesky in .*laplace.npz; got mu, scale"),
        ("--posterior laplace.npz --means nu --kind laplace", "'nu' in .*got mu, scale"),
        ("--means m.npy --logvars s.npy --kind importance-weighted", "none that could be computed"),
        ("--posterior m.npy --kind laplace", "by their names"),
        ("--kind laplace", "--means or --posterior"),
    ],
)
def test_files_that_do_not_fit_a_kind_are_refused(line: str, says: str, command: Command, archives: Path) -> None:
    text = [str(archives / word) if word.endswith(".npz") else word for word in words(archives, line)]
    status, _, err = command(*text)
    assert status == 2 and re.search(says, " ".join(err.split()))


def test_samples_of_a_code_that_is_counted_are_refused(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "codes.npy", np.arange(20)[:, None] % 4)
    status, _, err = command("latent", "--codes", str(tmp_path / "codes.npy"), "--samples", "512")
    assert status == 2 and "--samples with codes that noise moves" in " ".join(err.split())
