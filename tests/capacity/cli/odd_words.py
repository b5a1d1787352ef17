"""Command lines with odd words, drawn by hypothesis: for each command its own options and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from odd_inputs import ODD_NAMES, ODD_NUMBERS, ODD_WORDS, curves, files

from capacity.runtime.declared import declared_members
from synthetic.sizes import SIZE_CHECKS

Draw = Any  # hypothesis's function from a strategy to a value
Words = list[str]

NUMBER = st.sampled_from(ODD_NUMBERS)
SMALL = st.sampled_from(("1", "2", "3", "4"))
NAME = st.sampled_from((*ODD_WORDS, *ODD_NAMES))
COLUMNS = st.sampled_from(("a", "b", "a,b", "c", "x", "y", *ODD_NAMES))
CHOICES = (
    "power=none", "power=2", "power=-1", "values=signs", "values=sings", "floor=0.1", "floor=-1", "blocks=9", "decay=x",
    "rule=fsq", "temperature=0", "code=pam", "code=morse", "noise=0", "useless=9", "rate_start=2", "noise_start=0",
)  # fmt: skip
ODD_LEVELS = "0.5", "0.1,0.2", "0.1:1:3", "1:2", "1:2:0", "1e300", "1e-45", "0.1,0.1", "0.1:1:1000000000", ","
LEVELS = st.sampled_from((*ODD_LEVELS, *ODD_NUMBERS))
METHOD = st.sampled_from(("auto", "gaussian", "ksg", "plugin", "mixed", "infonce", "gausian", "", "\x1b[31m"))


def options(draw: Draw, known: dict[str, st.SearchStrategy[str] | None], most: int = 3) -> Words:
    """Some of these options with values; of those without a strategy the name alone."""
    words: Words = []
    for name in draw(st.lists(st.sampled_from(sorted(known)), max_size=most)):
        strategy = known[name]
        words += [name] if strategy is None else [f"{name}={draw(strategy)}"]
    return words


def output(draw: Draw, folder: Path, endings: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Places to write to, within the folder."""
    good = [str(folder / f"out{ending}") for ending in endings]
    bad = [str(folder), str(folder / "none" / f"o{endings[0]}"), str(folder / "o.bmp"), "", str(folder / ("o" * 5000))]
    return st.sampled_from(good * 3 + bad)


def estimate(draw: Draw, folder: Path) -> Words:
    given = [str(draw(files(folder))) for _ in range(draw(st.sampled_from((1, 1, 1, 2, 2, 2, 0, 3))))]
    known: dict[str, st.SearchStrategy[str] | None] = {
        "--x": COLUMNS, "--y": COLUMNS, "--given": COLUMNS, "--labels": COLUMNS, "--method": METHOD,
        "--missing": st.sampled_from(("drop", "refuse", "dorp", "")), "--order": st.sampled_from(("time", "tme", "")),
        "--block": NUMBER, "--lags": st.sampled_from(("0:2", "3:0", "0:999999999999", "soon", "", "1,2", "9" * 5000)),
        "--seed": NUMBER, "--test": None, "--json": None, "--quiet": None, "--header": None, "--no-header": None,
        "--continuous": None, "--discrete": None, "--plot": output(draw, folder, (".png", ".svg")),
    }  # fmt: skip
    table = len(given) == 1 and given[0].endswith(".csv") and draw(st.integers(0, 4)) > 0
    sides = ["--x=a", "--y=b"] if table else []
    return ["estimate", *given, *sides, *options(draw, known, 2)]


def pairwise(draw: Draw, folder: Path) -> Words:
    known: dict[str, st.SearchStrategy[str] | None] = {
        "--columns": COLUMNS, "--target": COLUMNS, "--labels": COLUMNS, "--method": METHOD,
        "--missing": st.sampled_from(("drop", "refuse", "dorp")), "--seed": NUMBER, "--test": None, "--json": None,
        "--quiet": None, "--no-header": None, "--continuous": None, "--plot": output(draw, folder, (".png",)),
        "--out": output(draw, folder, (".csv",)),
    }  # fmt: skip
    return ["pairwise", str(draw(files(folder, (*(".csv",) * 9, ".npy")))), *options(draw, known, 2)]


def latent(draw: Draw, folder: Path) -> Words:
    means = draw(files(folder, (".npy", ".npy", ".npz", ".csv")))
    if draw(st.integers(0, 3)) == 0:
        codes: dict[str, st.SearchStrategy[str] | None] = {
            "--codebook": st.sampled_from(("512", "8,5", "1", "0", "x", "", "-3", "99999999999")), "--json": None,
            "--seed": NUMBER, "--quiet": None, "--plot": output(draw, folder, (".png",)),
            "--given": st.sampled_from(("probs", "logits", "std", "")), "--samples": NUMBER,
        }  # fmt: skip
        return ["latent", draw(st.sampled_from(("--codes", "--probs"))), str(means), *options(draw, codes, 3)]
    other = means if draw(st.integers(0, 3)) else draw(files(folder, (".npy", ".npz", ".csv")))
    given = ["--given=logvar"] if draw(st.integers(0, 3)) else []
    known: dict[str, st.SearchStrategy[str] | None] = {
        "--given": st.sampled_from(("logvar", "log_std", "std", "variance", "log_sdt", "")), "--samples": NUMBER,
        "--seed": NUMBER, "--json": None, "--quiet": None, "--plot": output(draw, folder, (".png",)),
    }  # fmt: skip
    read = ["--means", str(means), "--logvars", str(other)]
    if draw(st.integers(0, 3)) == 0:
        both = draw(files(folder, (".npz", ".npz", ".npy", ".csv")))
        names = [f"{option}={draw(COLUMNS)}" for option in ("--means", "--logvars") if draw(st.integers(0, 4))]
        read = ["--posterior", str(both), *names]
    return ["latent", *read, *given, *options(draw, known, 2)]


def curve(draw: Draw, folder: Path) -> Words:
    known: dict[str, st.SearchStrategy[str] | None] = {
        "--system": st.sampled_from((*declared_members("capacity.systems").words, "gausian", "", "\x1b[31m")),
        "--set": st.sampled_from((*CHOICES, "pwer=2", "=", "", "\x1b[31m=1")),
        "--network": st.sampled_from(("mlp", "conv", "mixer", "attention", "cnov", "")),
        "--set-network": st.sampled_from(("kernel=0", "patch=3", "layout=2x2", "layout=2x2x1", "heads=2", "=", "")),
        "--levels": LEVELS, "--target-bits": LEVELS,
        "--source": st.sampled_from((*SIZE_CHECKS, "bist")),
        "--activation": st.sampled_from(("relu", "rleu", "")), "--decode": st.sampled_from(("bits", "vector", "vctor")),
        "--measure": st.sampled_from(("auto", "enumeration", "bracket", "brackte")),
        "--products": st.sampled_from(("float32", "bfloat16", "half", "")),
        "--executor": st.sampled_from(("threads", "", "process")), "--workers": NUMBER,
        "--coordinator": st.sampled_from(("localhost:1", "", ":", "h:99999999")), "--data": st.just(""),
        "--columns": COLUMNS, "--standardize": None, "--json": None, "--quiet": None,
    }  # fmt: skip
    for name in (
        "bits",
        "dim",
        "units",
        "width",
        "encoder-width",
        "depth",
        "seeds",
        "steps",
        "batch",
        "samples",
        "seed",
    ):
        known[f"--{name}"] = NUMBER if draw(st.booleans()) else SMALL
    known |= {"--learning-rate": NUMBER, "--budget": NUMBER, "--together": NUMBER, "--devices": NUMBER}
    if draw(st.booleans()):
        known["--data"] = st.just(str(draw(files(folder))))
    places = (folder / "run", folder / "run" / "deep", folder, Path("/dev/null") / "x", folder / ("r" * 5000), Path())
    small = ["--bits=3", "--dim=4", "--units=2"]
    words = options(draw, known, 4)
    return ["curve", *(small if draw(st.booleans()) else []), *words, f"--out={draw(st.sampled_from(places))}"]


def grid(draw: Draw, folder: Path) -> Words:
    """As a curve, with some options of several values."""
    several = st.sampled_from(("2,3", "2,2", "2,", ",", "2,x", "1,9999999999", "4", "-1,2", "2;3", " 2 , 3 "))
    known: dict[str, st.SearchStrategy[str] | None] = {f"--{n}": several for n in ("width", "depth", "units")}
    known["--source"] = st.sampled_from(("bits,markov", "bits,", "bits,bits", "gaussian,bits", "bits,bist"))
    known["--system"] = st.sampled_from(("gaussian,vae", "gaussian,", "gausian,vae", "vae,vae", ","))
    known["--levels"] = st.sampled_from(("gaussian=0.5", "vae=0.1:1:3", "=1", "vea=1", "gaussian=", "vae=x"))
    return ["grid", *curve(draw, folder)[1:], *options(draw, known, 2)]


def claims(draw: Draw, folder: Path) -> Words:
    names = draw(st.lists(st.sampled_from(("dropout", "vae", "uniform", "dorpout", "", "\x1b[31m", "[/]")), max_size=2))
    known: dict[str, st.SearchStrategy[str] | None] = {
        "--fast": None, "--seed": NUMBER, "--json": None, "--quiet": None,
        "--out": st.sampled_from((str(folder / "claims"), str(folder / "file"), str(folder / ("c" * 5000)))),
    }  # fmt: skip
    return ["claims", *names, "--out", str(folder / "all"), *options(draw, known)]


def show(draw: Draw, folder: Path) -> Words:
    draw(curves(folder))
    place = draw(st.sampled_from((*(folder,) * 9, folder / "none", folder / "curve.nc", folder / ("s" * 5000))))
    return ["show", str(place), *options(draw, {"--json": None, "--quiet": None, "--speed": None}, 1)]


def report(draw: Draw, folder: Path) -> Words:
    draw(curves(folder))
    place = draw(st.sampled_from((*(folder,) * 9, folder / "none", folder / "curve.nc")))
    known: dict[str, st.SearchStrategy[str] | None] = {
        "--json": None, "--quiet": None, "--out": output(draw, folder, (".html", ".htm"))
    }  # fmt: skip
    return ["report", str(place), *options(draw, known, 2)]


def listed(draw: Draw, folder: Path) -> Words:
    names = draw(st.lists(st.sampled_from(("system", "systems", "claims", "sytems", "", "\x1b[31m")), max_size=2))
    return ["list", *names, *options(draw, {"--json": None, "--quiet": None}, 1)]


def unknown(draw: Draw, folder: Path) -> Words:
    return draw(st.lists(NAME, max_size=3))


COMMANDS: dict[str, Callable[[Draw, Path], Words]] = {
    "estimate": estimate, "pairwise": pairwise, "latent": latent, "curve": curve, "grid": grid, "claims": claims,
    "show": show, "report": report, "list": listed, "none": unknown,
}  # fmt: skip
