"""The benchmark of brackets: public formulas against closed forms, records that go on, kept parameters, the report."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.bounds import Enumeration
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket, TracePoint
from tests.benchmarks import brackets, brackets_cases, brackets_public, brackets_report, brackets_trained
from tests.benchmarks.mi_tasks import append, load

TINY = brackets_trained.ChannelSystem("gaussian", 4, 2, 8, steps=3, learning_rate=1e-3, batch=16, receiver_steps=2)


def test_known_truths() -> None:
    assert brackets_cases.orthogonal(69).truth == pytest.approx(49.780, abs=1e-3)
    assert brackets_cases.orthogonal(1386).truth == pytest.approx(999.93, abs=1e-2)
    # Two blocks at once and one enumeration of all their 16 digits; tolerance: four standard errors.
    made = brackets_cases.blocks(2, 0.6)
    whole = Enumeration(1024)(jax.random.key(0), made.joint)
    assert made.truth == pytest.approx(float(whole.bits), abs=4 * float(np.hypot(whole.stderr, made.stderr)))


def test_a_linear_gaussian_code_is_bounded_by_its_own_closed_form() -> None:
    made = brackets_cases.continuous(False, 8)
    assert made.truth is not None
    found = brackets_public.public(jax.random.key(0), made.joint)
    # Z is normal, so maximum entropy is the truth but for sampling noise, and so is the receiver's bound.
    assert found["maximum_entropy"] == pytest.approx(made.truth, rel=0.01)
    assert found["receiver"] == pytest.approx(made.truth, rel=0.02)
    assert found["decoder"] is None
    nce, out = found["info_nce"], found["leave_one_out"]
    assert nce is not None and out is not None and nce < made.truth < out


def test_public_formulas_at_their_ends() -> None:
    apart, alike = np.where(np.eye(64, dtype=bool), 0.0, -1e4), np.zeros((64, 64))
    assert brackets_public.info_nce(apart) == pytest.approx(math.log2(64))
    assert brackets_public.info_nce(alike) == brackets_public.leave_one_out(alike) == 0
    assert brackets_public.leave_one_out(apart) > 1e4
    # KL between N(0, 1) and N(1, 4): log 2 + (1 + 1) / 8 - 1/2.
    kl = brackets_public.divergences(jnp.asarray([[0.0], [1.0]]), jnp.asarray([[1.0], [4.0]]))
    assert kl[0, 1] == pytest.approx(math.log(2) + 2 / 8 - 0.5, rel=1e-5)
    assert brackets_public.pairwise_kl(-apart) == pytest.approx(math.log2(64))


def test_parameters_are_kept(tmp_path: Path) -> None:
    first, decoder = brackets_trained.trained(TINY, 0.5, tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 1
    again, decoder_again = brackets_trained.trained(TINY, 0.5, tmp_path)
    message, codes, z = first.sample(jax.random.key(2), 3)
    assert np.array_equal(codes, again.sample(jax.random.key(2), 3)[1])
    assert decoder(message[0], z[0]) == decoder_again(message[0], z[0])
    other = replace(TINY, width=9)
    TINY.path(tmp_path, 0.5).rename(other.path(tmp_path, 0.5))
    with pytest.raises(ValueError, match="got other shapes"):
        brackets_trained.trained(other, 0.5, tmp_path)


def listed(key: jax.Array, joint: Joint, **options: object) -> Bracket:
    """Stands for the referee, in little time."""
    exact = Enumeration(512)(key, joint)
    end = TracePoint(1.0, float(exact.bits), float(exact.bits), float(exact.low), float(exact.high), "listed")
    return Bracket(exact, exact, "listed", (end,))


@pytest.mark.slow
def test_runs_go_on_and_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brackets, "measure", listed)
    trained = brackets_cases.Case(
        "trained-vae-64-beta-0.020", partial(brackets_cases.learnt, TINY, 0.5), 0.5, 60, 1.5, "gaussian, 64 bits", 0.5
    )
    known = brackets_cases.Case("orthogonal-14", lambda folder: brackets_cases.orthogonal(6), 0.5, 60, 1)
    cases = {case.name: case for case in (known, trained)}
    path = tmp_path / "brackets.jsonl"
    first = next(brackets.run(path, cases, ("bracket",), range(1)))
    assert load(path) == [first]
    assert brackets.inside(first) and "truth inside" in brackets.line(first)
    assert first["trace"][-1]["high"] == first["high"]
    rest = list(brackets.run(path, cases, brackets.PARTS, range(1)))
    assert [record["part"] for record in rest] == ["bracket", "public", "public"]
    assert load(path) == [first, *rest]
    assert list(brackets.run(path, cases, brackets.PARTS, range(1))) == []
    report = tmp_path / "docs" / "brackets.md"
    brackets_report.write(load(path), report)
    assert "1 of 1" in report.read_text() and report.with_suffix(".png").exists()
    append(path, first | {"seed": 1, "low": first["truth"] + 1, "high": first["truth"] + 2})
    assert "OUTSIDE" in brackets.line(load(path)[-1])
    brackets_report.write(load(path), report)
    assert "1 of 2" in report.read_text()


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected patterns that fit cases among .*; got 'none-such'"):
        brackets.chosen_cases("orthogonal-*,none-such")
    assert list(brackets.chosen_cases("*-14")) == ["orthogonal-14", "coupled-14"]
    with pytest.raises(ValueError, match="Expected records of part 'bracket'; got none"):
        brackets_report.write([], tmp_path / "report.md")
