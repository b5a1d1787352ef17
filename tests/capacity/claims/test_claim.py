"""Claims: verdicts follow from predictions by the stated rule; intervals cover; results are kept, read and resumed."""

from __future__ import annotations

import json
import math
import re
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from capacity.claims import CLAIMS, Answer, Claim, Context, Evidence, Prediction, examine
from capacity.claims import answers as statistics
from capacity.claims.claim import decide, miss_rate
from capacity.claims.run import gather, run_claim, run_claims
from capacity.cli.app import main
from capacity.report.claims_page import claims_contents
from capacity.results.estimate import Estimate

COUNT = {"runs": 0}


@dataclass(frozen=True)
class Coin(Claim):
    """A coin of chance 0.7: three tosses in four, says the sentence, come up heads at least 60 times in a hundred."""

    tosses: int = 400
    name = "coin"
    sentence = "the coin favours heads"
    source = "a gambler (1654)"
    predictions = (
        Prediction("chance of heads", "heads come up more often than tails", low=0.55, unit="1"),
        Prediction("chance of an edge", "it never stands", high=0.05, unit="1", instrument=True),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        def toss() -> dict[str, np.ndarray]:
            COUNT["runs"] += 1
            return {"heads": np.asarray(jax.random.bernoulli(key, 0.7, (self.tosses,)))}

        heads = context.part("tosses", toss)["heads"]
        context.progress(0.5, "tossed")
        answers = {
            "chance of heads": statistics.proportion(int(heads.sum()), heads.size, context.miss_rate),
            "chance of an edge": statistics.proportion(0, heads.size, context.miss_rate),
        }
        return Evidence(answers, xr.Dataset({"heads": ("toss", heads.astype(np.int8))}))

    def plot(self, data: xr.Dataset, figure: object) -> None:
        axes = figure.subplots()
        axes.plot(np.cumsum(data.heads.values))
        axes.set_xlabel("toss")


ANSWER = Answer(0.7, 0.6, 0.8, 10)
NO_EDGE = Answer(0.0, 0.0, 0.01, 10)


@pytest.mark.parametrize(
    ("heads", "edge", "verdict"),
    [
        (ANSWER, NO_EDGE, "supported"),
        (Answer(0.4, 0.3, 0.5, 10), NO_EDGE, "refuted"),
        (Answer(0.6, 0.5, 0.7, 10), NO_EDGE, "undecided"),
        (ANSWER, Answer(0.5, 0.4, 0.6, 10), "undecided"),
        (Answer(0.4, 0.3, 0.5, 10), Answer(0.03, 0.0, 0.06, 10), "undecided"),
    ],
)
def test_verdict_follows_from_the_rule(heads: Answer, edge: Answer, verdict: str) -> None:
    assert decide(Coin(), {"chance of heads": heads, "chance of an edge": edge}) == verdict


def test_answers_are_checked() -> None:
    with pytest.raises(ValueError, match="Expected answers to chance of an edge, chance of heads; got none"):
        decide(Coin(), {})
    with pytest.raises(ValueError, match="Expected low <= value <= high for 'chance of heads'"):
        decide(Coin(), {"chance of heads": Answer(math.nan, 0.0, 1.0, 3), "chance of an edge": NO_EDGE})
    with pytest.raises(ValueError, match="low <= high with a finite end"):
        Prediction("x", "nothing")


def test_run_keeps_resumes_and_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_claim(Coin(), tmp_path / "coin", 0, True)
    assert first.verdict == "supported" and (tmp_path / "coin" / "figure.png").stat().st_size > 1000
    runs = COUNT["runs"]
    again = run_claim(Coin(), tmp_path / "coin", 0, True)
    assert COUNT["runs"] == runs and again.answers == first.answers and again.record == first.record
    (tmp_path / "coin" / "verdict.json").unlink()
    resumed = run_claim(Coin(), tmp_path / "coin", 0, True)
    assert COUNT["runs"] == runs and resumed.answers == first.answers
    with pytest.raises(ValueError, match="same configuration"):
        run_claim(Coin(), tmp_path / "coin", 1, True)


def test_a_changed_verdict_and_one_of_another_run_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the record says something that could be: a verdict, a low end, a number."""
    monkeypatch.setitem(CLAIMS, "coin", Coin)
    for seed in (0, 1):
        run_claim(Coin(), tmp_path / str(seed) / "coin", seed, True)
    own, other = (tmp_path / str(seed) / "coin" for seed in (0, 1))
    kept = {name: (own / name).read_bytes() for name in ("verdict.json", "data.nc")}
    text = kept["verdict.json"].decode()
    for changed in (text.replace("supported", "undecided"), text.replace('"low": 0.6', '"low": 0.4'), "{}", "[1]"):
        assert changed != text
        (own / "verdict.json").write_text(changed)
        with pytest.raises(ValueError, match=r"verdict\.json .*Delete verdict\.json there to run the claim again"):
            run_claim(Coin(), own, 0, True)
        with pytest.warns(UserWarning, match=r"verdict\.json .*Run coin again"):
            assert gather(own.parent) == {"claims": []}
        with pytest.raises(ValueError, match=r"Expected a claim that can be read in .*verdict\.json"):
            claims_contents(own.parent)
    (own / "verdict.json").write_bytes(kept["verdict.json"])
    for name in kept:
        (own / name).write_bytes((other / name).read_bytes())
        with pytest.raises(ValueError, match=r"of the run asked for; got one that was made for another"):
            run_claim(Coin(), own, 0, True)
        (own / name).write_bytes(kept[name])
    assert run_claim(Coin(), own, 0, True).verdict == "supported"


def test_command_prints_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CLAIMS, "coin", Coin)
    monkeypatch.setattr("sys.argv", ["capacity", "claims", "coin", "--fast", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    shown = capsys.readouterr()
    assert "supported" in shown.out and "≥ 0.55" in shown.out and "1 of 1, coin: starting" in shown.err
    record = json.loads((tmp_path / "claims.json").read_text())["claims"][0]
    assert record["verdict"] == "supported" and record["findings"][0]["region"] == [0.55, "inf"]
    with pytest.raises(ValueError, match="Expected a claim to be one of"):
        run_claims(["coni"], tmp_path)


@pytest.mark.parametrize(
    ("rate", "repeats"),
    [(0.05, 400), *(pytest.param(rate, 4000, marks=pytest.mark.slow) for rate in (0.05, 0.01))],
)
def test_intervals_miss_at_their_rate(rate: float, repeats: int) -> None:
    """Many repeats with few runs each: the share of misses within 4 standard errors of the rate, or below it."""
    draws = np.random.default_rng(0)
    misses = {"mean": 0, "difference": 0, "proportion": 0, "rank": 0}
    rho = 0.6
    truth_rank = 6 / np.pi * np.arcsin(rho / 2)  # of a normal pair (Pearson 1907)
    for _ in range(repeats):
        a, b = draws.normal(1, 2, 5), draws.normal(0, 1, 4)
        x = draws.normal(size=30)
        y = rho * x + (1 - rho**2) ** 0.5 * draws.normal(size=30)
        found = {
            "mean": (statistics.mean(a, rate), 1.0),
            "difference": (statistics.difference(a, b, rate), 1.0),
            "proportion": (statistics.proportion(int(draws.binomial(20, 0.1)), 20, rate), 0.1),
            "rank": (statistics.rank_correlation(x, y, rate), truth_rank),
        }
        for name, (answer, truth) in found.items():
            misses[name] += not answer.low <= truth <= answer.high
    reach = 4 * (rate * (1 - rate) / repeats) ** 0.5
    for name, missed in misses.items():
        # Welch's degrees of freedom and the rank correlation's variance are approximations: up to a quarter more.
        assert missed / repeats <= 1.25 * rate + reach, name


def test_extremes_and_estimates() -> None:
    answers = [Answer(1.0, 0.5, 1.5, 3), Answer(2.0, 0.2, 2.4, 4), Answer(0.0, -3.0, 3.0, 5)]
    assert statistics.largest(answers) == Answer(2.0, 0.5, 3.0, 4)
    assert statistics.smallest(answers) == Answer(0.0, -3.0, 1.5, 5)
    found = statistics.of_estimate(Estimate.from_normal(bits=3.0, stderr=0.1, kind="exact", n=7), 0.05, truth=2.5)
    np.testing.assert_allclose(found[:3], [0.5, 0.5 - 0.195996, 0.5 + 0.195996], atol=1e-6)
    with pytest.raises(ValueError, match="all finite"):
        statistics.mean([1.0, math.nan], 0.05)
    with pytest.raises(ValueError, match="bootstrap draws"):
        statistics.bootstrap(np.zeros(10), 0.0, 10, 0.05)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_keeps_the_contract(name: str) -> None:
    claim = CLAIMS[name]()
    assert isinstance(claim, Claim) and claim.name == name
    assert claim.sentence and claim.source and claim.predictions
    assert len({p.name for p in claim.predictions}) == len(claim.predictions)
    assert any(not p.instrument for p in claim.predictions)
    assert 0 < miss_rate(claim) <= 0.05


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_says_whose_sentence_it_is(name: str) -> None:
    """Authors and year in words, and for each of them an entry of the bibliography under author and year."""
    claim = CLAIMS[name]
    assert re.search(r"\b(1[89]|20)\d\d\b", claim.source) and "essay" not in claim.source
    assert claim.references
    bibliography = (Path(__file__).parents[3] / "docs" / "references.bib").read_text()
    for key in claim.references:
        assert f"{{{key}," in bibliography
        author, year = re.match(r"([a-z]+)(\d{4})", key).groups()
        assert author in plain(claim.source) and f"({year})" in claim.source, key


def plain(text: str) -> str:
    """Without accents, in small letters, as the keys of the bibliography are."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("ł", "l"))
    return "".join(c for c in letters if not unicodedata.combining(c))


def test_a_renamed_claim_is_found_by_its_old_name_and_draws_what_it_drew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CLAIMS["digits_of_pi"].former_name == "uniform" and "uniform" not in list(CLAIMS)
    with pytest.warns(DeprecationWarning, match="'uniform' is now called 'digits_of_pi'"):
        assert CLAIMS["uniform"] is CLAIMS["digits_of_pi"]

    class Penny(Coin):
        name = "penny"
        former_name = "coin"

    renamed = run_claim(Penny(), tmp_path / "penny", 0, True)
    assert renamed.answers == run_claim(Coin(), tmp_path / "coin", 0, True).answers
    monkeypatch.setitem(CLAIMS, "penny", Penny)
    monkeypatch.setitem(CLAIMS.aliases, "old_penny", "penny")
    monkeypatch.setattr("sys.argv", ["capacity", "claims", "old_penny", "--fast", "--quiet", "--out", str(tmp_path)])
    with (
        pytest.warns(DeprecationWarning, match="'old_penny' is now called 'penny'"),
        pytest.raises(SystemExit) as stopped,
    ):
        main()
    assert stopped.value.code == 0
    assert (tmp_path / "penny" / "verdict.json").exists()


class Die(Claim):
    """A claim with all defaults: its figure shows what was measured beside what was predicted."""

    name = "die"
    sentence = "a die has no favourite"
    source = "another gambler (1654)"
    predictions = (Prediction("chance of a six", "one in six", 0.1, 0.2, unit="1"),)

    def run(self, key: jax.Array, context: Context) -> Evidence:
        sixes = int((jax.random.randint(key, (4000,), 0, 6) == 5).sum())
        return Evidence({"chance of a six": statistics.proportion(sixes, 4000, context.miss_rate)})


def test_a_claim_of_ones_own_is_short_and_draws_itself() -> None:
    outcome = examine(0, Die(), fast=True)
    assert outcome.verdict == "supported" and outcome.answers == examine(jax.random.key(0), Die(), fast=True).answers
    assert outcome.data["value"].sel(prediction="chance of a six") == outcome.answers["chance of a six"].value
    (axes,) = outcome.figure.axes
    assert axes.get_xlabel() == "chance of a six (1)" and len(axes.get_legend().get_texts()) == 2
    figure = Figure()
    Die().plot(xr.Dataset({"y": ("x", np.arange(3.0)), "z": (("x", "run"), np.ones((3, 2)))}), figure)
    assert [axes.get_ylabel() for axes in figure.axes] == ["y (1)", "z (1)"]


def test_what_is_no_claim_is_refused_with_what_it_lacks() -> None:
    class Bare:
        name = "bare"
        sentence = "nothing"

    with pytest.raises(
        TypeError, match="Expected a class with source, references, predictions, former_name, run, plot"
    ):
        CLAIMS["bare"] = Bare

    class Half(Claim):
        name = "half"
        sentence = "half of it"

    with pytest.raises(TypeError, match="Expected a class with source, predictions, run"):
        CLAIMS["half"] = Half


def test_examine_says_what_a_run_in_a_directory_says(tmp_path: Path) -> None:
    kept = run_claim(Coin(), tmp_path / "coin", 0, fast=True)
    shares: list[float] = []
    key = jax.random.fold_in(jax.random.key(0), zlib.crc32(b"coin"))
    outcome = examine(key, Coin(), fast=True, progress=lambda done, text: shares.append(done))
    assert (outcome.verdict, outcome.answers, shares) == (kept.verdict, kept.answers, [0.5])
    lines = str(outcome).splitlines()
    assert lines[:2] == ["coin: supported, fast", "“the coin favours heads”"]
    assert lines[3].split("  ")[0] == "chance of heads" and lines[3].endswith("≥ 0.55  for")
    assert len({line.index(outcome.rows[i][1]) for i, line in enumerate(lines[3:])}) == 1
    assert outcome.figure.axes[0].get_xlabel() == "toss"
