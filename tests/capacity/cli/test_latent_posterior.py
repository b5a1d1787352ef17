"""`capacity latent --posterior`: one file of arrays by name, what it lacks, and what may not stand together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from capacity.analysis.latent.latent import Latent, measure_latent
from capacity.runtime.tables.posterior import checked_posterior

Command = Callable[..., tuple[int, str, str]]
RNG = np.random.default_rng(0)
MEANS = RNG.normal(size=(256, 3))  # the shape and samples of other tests, which share their programs
LOGVARS = np.full((256, 3), -2.0)
ASKED = ("--samples", 2048, "--json")


@pytest.fixture
def measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured of the same numbers is not measured again: the tests are about what is read."""
    kept: dict[tuple[bytes, ...], Latent] = {}

    def measured(key: jax.Array, means: np.ndarray, spread: np.ndarray, given: str | None, **options: object) -> Latent:
        read = tuple(np.round(part, 12).tobytes() for part in checked_posterior(means, spread, given))
        if read not in kept:
            kept[read] = measure_latent(key, means, spread, given=given, samples=2048)
        return kept[read]

    monkeypatch.setattr("capacity.analysis.latent.latent.measure_latent", measured)


@pytest.mark.usefixtures("measured_once")
def test_one_file_says_what_two_say(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", MEANS)
    np.save(tmp_path / "s.npy", np.exp(LOGVARS / 2))
    np.savez(tmp_path / "p.npz", **{"q.mu": MEANS, "q.sigma": np.exp(LOGVARS / 2), "z": MEANS})
    two = command("latent", "--means", tmp_path / "m.npy", "--logvars", tmp_path / "s.npy", "--given", "std", *ASKED)
    one = command("latent", "--posterior", tmp_path / "p.npz", *ASKED)
    assert one == two and json.loads(one[1])["points"] == 256


REFUSED = {
    "nothing": (
        (),
        "Expected --posterior, or --means with --logvars or --channel, or --codes, or --probs; got none of these",
    ),
    "means alone": (("--means", "m.npy"), "got --means"),
    "a file that is missing": (("--posterior", "none.npz"), "Expected a file at"),
    "one array": (("--posterior", "m.npy"), "Expected arrays by their names, in a file that ends in .npz"),
    "a pickle": (("--posterior", "model.pt"), "a pickle: a program that runs when it is loaded"),
    "a pickle of means": (("--means", "model.pt", "--logvars", "m.npy"), "a pickle: a program that runs"),
    "names not known": (("--posterior", "odd.npz"), "by these names; got a, b. Or say which is which"),
    "a name not there": (("--posterior", "odd.npz", "--means", "a", "--logvars", "c"), "to be one of a, b; got 'c'"),
    "variances": (("--posterior", "var.npz"), "(on the command line: --given"),
    "codes and a file": (("--posterior", "codes.npz", "--codes", "m.npy"), "Expected one of --means"),
    "a codebook of means": (("--posterior", "var.npz", "--codebook", "9"), "Expected one of --means"),
    "the plot is what is read": (("--posterior", "p.svg", "--plot", "p.svg"), "another file than what is read"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refusals(kind: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("m.npy", MEANS)
    np.savez("odd.npz", a=MEANS, b=LOGVARS)
    np.savez("var.npz", mu=MEANS, logvar=-LOGVARS)
    np.savez("codes.npz", codes=np.arange(20)[:, None])
    Path("model.pt").write_bytes(b"PK")
    Path("p.svg").write_bytes(b"")
    before = sorted(file.name for file in tmp_path.iterdir())
    words, said = REFUSED[kind]
    status, out, err = command("latent", *words)
    assert status == 2 and not out and said in err and err.startswith("Error: Expected ")
    assert sorted(file.name for file in tmp_path.iterdir()) == before


@pytest.mark.usefixtures("measured_once")
def test_other_names_and_what_the_spread_is(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", a=MEANS, b=LOGVARS / 2)
    named = ("--posterior", tmp_path / "odd.npz", "--means", "a", "--logvars", "b")
    by_name = command("latent", *named, "--given", "log_std", *ASKED)
    np.savez(tmp_path / "p.npz", mean=MEANS, logvar=LOGVARS)
    assert by_name == command("latent", "--posterior", tmp_path / "p.npz", *ASKED)


@pytest.mark.parametrize("name", ["codes", "probs", "logits"])
def test_discrete_codes_by_their_names(name: str, command: Command, tmp_path: Path) -> None:
    probs = RNG.dirichlet(np.ones(3), (60, 2))
    array = {"codes": RNG.integers(0, 3, (60, 2)), "probs": probs, "logits": np.log(probs)}[name]
    np.savez(tmp_path / "p.npz", **{f"vq.{name}": array, "weight": np.ones(3)})
    np.save(tmp_path / "a.npy", array)
    option = "--codes" if name == "codes" else "--probs"
    given = ("--given", "logits") if name == "logits" else ()
    one = command("latent", "--posterior", tmp_path / "p.npz", "--json")
    assert one == command("latent", option, tmp_path / "a.npy", *given, "--json") and one[0] == 0
