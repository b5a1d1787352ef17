"""Rows from a loader through any function: what it may give, what is refused, and that nothing is half believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from capacity.frameworks import collect_module
from capacity.frameworks.batches import BATCH

POINTS, DIM, UNITS = 70, 6, 3
X = np.random.default_rng(0).normal(size=(POINTS, DIM)).astype(np.float32)
MEANS, LOGVARS = X[:, :UNITS], -np.abs(X[:, UNITS:])
CODES = (X[:, :4] > 0).astype(np.int64) + 2
LOGITS = X[:, :6].reshape(POINTS, 2, 3)
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)


class MeanFirst(NamedTuple):
    log_var: np.ndarray  # the other way round: names count
    mu: np.ndarray


@dataclass
class Output:
    mean: np.ndarray
    std: np.ndarray
    loss: float = 0.0


def loader(size: int = 16) -> list[np.ndarray]:
    return [X[start : start + size] for start in range(0, POINTS, size)]


def lookup(table: np.ndarray) -> Callable[[Any], np.ndarray]:
    """A function that knows the row of a table for each row of X."""
    places = {row.tobytes(): i for i, row in enumerate(X)}
    return lambda x: table[[places[np.asarray(row).tobytes()] for row in x]]


def normal(x: Any) -> tuple[np.ndarray, np.ndarray]:
    return lookup(MEANS)(x), lookup(LOGVARS)(x)


GIVES: dict[str, tuple[Callable[..., Any], dict[str, np.ndarray], str | None]] = {
    "a pair": (normal, {"means": MEANS, "logvars": LOGVARS}, None),
    "a list": (lambda x: list(normal(x)), {"means": MEANS, "logvars": LOGVARS}, None),
    "JAX arrays": (lambda x: tuple(map(jnp.asarray, normal(x))), {"means": MEANS, "logvars": LOGVARS}, None),
    "images": (lambda x: tuple(a.reshape(-1, 3, 1, 1) for a in normal(x)), {"means": MEANS, "logvars": LOGVARS}, None),
    "names": (lambda x: {"mu": normal(x)[0], "log_var": normal(x)[1]}, {"means": MEANS, "logvars": LOGVARS}, None),
    "names with a prefix": (
        lambda x: {"q.loc": normal(x)[0], "q.scale": np.exp(normal(x)[1]), "loss": 3.0},
        {"means": MEANS, "stds": np.exp(LOGVARS)}, "std",
    ),
    "a named tuple": (lambda x: MeanFirst(*normal(x)[::-1]), {"means": MEANS, "logvars": LOGVARS}, None),
    "a dataclass": (
        lambda x: Output(normal(x)[0], np.exp(normal(x)[1])), {"means": MEANS, "stds": np.exp(LOGVARS)}, "std"
    ),
    "codes": (lookup(CODES), {"codes": CODES}, None),
    "a grid of codes": (lambda x: lookup(CODES)(x).reshape(-1, 2, 2), {"codes": CODES}, None),
    "one code": (lambda x: lookup(CODES)(x)[:, 0], {"codes": CODES[:, :1]}, None),
    "bits": (lambda x: lookup(CODES)(x) > 2, {"codes": CODES - 2}, None),
    "codes by name": (lambda x: {"z_q": x, "indices": lookup(CODES)(x)}, {"codes": CODES}, None),
    "probabilities": (lookup(PROBS), {"probs": PROBS}, None),
    "probabilities of one": (lambda x: lookup(PROBS)(x)[:, 0], {"probs": PROBS[:, :1]}, None),
    "logits": (lambda x: {"logits": lookup(LOGITS)(x)}, {"logits": LOGITS}, "logits"),
}  # fmt: skip


@pytest.mark.parametrize("kind", GIVES)
def test_what_an_encoder_may_give(kind: str) -> None:
    encoder, truth, given = GIVES[kind]
    found = collect_module(encoder, loader())
    assert found.arrays.keys() == truth.keys() and found.given == given and found.points == POINTS
    for name, array in truth.items():
        assert found.arrays[name].dtype in (np.float32, np.int64)
        np.testing.assert_allclose(found.arrays[name], array, rtol=1e-6)


def test_what_the_second_of_a_pair_is_can_be_said() -> None:
    found = collect_module(lambda x: (normal(x)[0], np.exp(normal(x)[1])), loader(), given="variance")
    assert found.given == "variance" and (found.arrays["variances"] == np.exp(LOGVARS)).all()
    with pytest.raises(ValueError, match="Say which they are"):
        collect_module(lambda x: (normal(x)[0], np.exp(normal(x)[1])), loader())


def test_numbers_of_double_and_of_half_precision() -> None:
    double = collect_module(lambda x: tuple(a.astype(np.float64) for a in normal(x)), loader())
    half = collect_module(lambda x: tuple(a.astype(ml_dtypes.bfloat16) for a in normal(x)), loader())
    assert {a.dtype for a in double.arrays.values()} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(half.arrays["means"], MEANS.astype(ml_dtypes.bfloat16).astype(np.float32))


BATCHES: dict[str, tuple[Callable[[np.ndarray], Any], Any]] = {
    "a tuple": (lambda x: (x, np.arange(len(x))), None),
    "a place": (lambda x: (np.arange(len(x)), x), 1),
    "a mapping of one": (lambda x: {"x": x}, None),
    "a name": (lambda x: {"x": x, "y": None}, "x"),
    "keywords": (lambda x: {"x": x, "y": None}, ("x",)),
}


def test_parts_of_parts_go_in_as_they_are() -> None:
    batches = [({"a": {"x": x, "y": None}}, 0) for x in loader()]
    found = collect_module(lambda d: normal(d["a"]["x"]), batches)
    np.testing.assert_array_equal(found.arrays["means"], MEANS)
    found = collect_module(lambda two: normal(two[0]), [{"pair": [x, x]} for x in loader()])
    np.testing.assert_array_equal(found.arrays["means"], MEANS)


@pytest.mark.parametrize("kind", BATCHES)
def test_what_a_batch_may_be(kind: str) -> None:
    make, inputs = BATCHES[kind]
    found = collect_module(normal, map(make, loader()), inputs=inputs)
    np.testing.assert_array_equal(found.arrays["means"], MEANS)


def test_an_array_of_all_points_is_a_loader_too() -> None:
    seen = []
    many = np.tile(X, (10, 1))
    told: list[float] = []
    found = collect_module(
        lambda x: seen.append(len(x)) or normal(x), many, progress=lambda share, _: told.append(share)
    )
    assert max(seen) == BATCH and found.points == len(many) and told[-1] == 1.0


class Stream:
    """As a loader of PyTorch of a stream: it has `len`, which fails."""

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(loader())

    def __len__(self) -> int:
        raise TypeError("no length")


def test_a_stream_has_no_length() -> None:
    found = collect_module(normal, Stream(), progress=lambda share, text: None)
    np.testing.assert_array_equal(found.arrays["means"], MEANS)


def test_order_is_the_loaders_and_points_can_be_few() -> None:
    found = collect_module(normal, loader()[::-1], points=20)
    assert (found.arrays["means"] == np.concatenate(loader()[::-1])[:20, :UNITS]).all()


def test_progress_and_the_first_batch_alone_is_read_more_than_once() -> None:
    told: list[float] = []
    calls: list[int] = []
    collect_module(lambda x: calls.append(len(x)) or normal(x), loader(), progress=lambda share, _: told.append(share))
    assert told[-1] == 1.0 and len(told) == 5 and calls == [16, 16, 8, 16, 16, 16, 6]


def broken(number: int, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], Any]:
    """The encoder, its means of one batch changed."""
    rows = loader()[number][0]

    def encode(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        means, logvars = (np.array(a) for a in normal(x))
        return (change(means), change(logvars)) if (x[0] == rows).all() else (means, logvars)

    return encode


def spoilt(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[2, 1] = value
        return array

    return change


def used_up() -> Iterator[np.ndarray]:
    found = iter(loader())
    list(found)
    return found


RNG = np.random.default_rng(1)
REFUSED: dict[str, tuple[Callable[..., Any], Any, dict[str, Any], str]] = {
    "no batch": (normal, [], {}, "Expected at least one batch; got none"),
    "used up": (normal, used_up(), {}, "used up"),
    "no loader": (normal, 3, {}, "Expected a data loader, or any iterable of batches; got int"),
    "NaN": (broken(2, spoilt(np.nan)), loader(), {}, "finite means; got nan in batch 2, row 2, unit 1"),
    "infinity": (broken(0, spoilt(-np.inf)), loader(), {}, "finite means; got -inf in batch 0"),
    "fewer rows": (lambda x: tuple(a[1:] for a in normal(x)), loader(), {}, "each of the 16 inputs of batch 0"),
    "one row": (lambda x: tuple(a.mean(0) for a in normal(x)), loader(), {}, "each of the 16 inputs"),
    "a shape that changes": (broken(3, lambda a: a[:, :2]), loader(), {}, "one shape in every batch.*batch 3"),
    "a law that changes": (
        lambda x: normal(x) if len(x) > 6 else lookup(CODES)(x), loader(), {}, "Expected means, logvars of every batch"
    ),
    "a random one": (
        lambda x: (RNG.normal(size=(len(x), 3)), normal(x)[1]), loader(), {}, "the same means from two passes"
    ),
    "random codes": (lambda x: RNG.integers(0, 9, (len(x), 2)), loader(), {}, "the same codes from two passes"),
    "batch statistics": (
        lambda x: ((normal(x)[0] - x[:, :3].mean(0)), normal(x)[1]), loader(), {}, "of a row to depend on that row"
    ),
    "noise of a fixed seed": (
        lambda x: (normal(x)[0] + np.random.default_rng(0).normal(size=(len(x), 3)), normal(x)[1]), loader(), {},
        "noise of a fixed seed or key",
    ),
    "three things": (lambda x: (x, *normal(x)), loader(), {}, "got 3 things.*encode=lambda"),
    "real numbers alone": (lambda x: x, loader(), {}, "integer codes, or probabilities; got one array of float32"),
    "nothing": (lambda x: None, loader(), {}, "got NoneType"),
    "a word": (lambda x: "z", loader(), {}, "Expected the encoder to give"),
    "shapes that differ": (lambda x: (x, normal(x)[1]), loader(), {}, r"of one shape; got float32 \(16, 6\) and"),
    "codes beside vectors": (lambda x: (x, lookup(CODES)(x)), loader(), {}, "are they codes\\? Give them alone"),
    "no names known": (lambda x: {"a": x}, loader(), {}, "by these names; got a"),
    "names of two laws": (
        lambda x: {"mean": normal(x)[0], "logvar": normal(x)[1], "codes": lookup(CODES)(x)}, loader(), {},
        "Give the ones that are meant alone",
    ),
    "one name twice": (lambda x: {"a.mu": x, "b.mean": x}, loader(), {}, "Expected means once"),
    "means alone": (lambda x: {"mu": x}, loader(), {}, "a spread beside the means"),
    "symbols along another axis": (
        lambda x: {"probs": np.moveaxis(lookup(PROBS)(x), -1, 1)}, loader(), {}, "along axis 1: move it to the end"
    ),
    "a batch of names": (normal, [{"x": X, "y": X}], {}, "Expected inputs=NAME.*it has x, y"),
    "a name that is not there": (normal, [{"x": X, "y": X}], {"inputs": "z"}, "inputs to be one of x, y; got 'z'"),
    "a place that is not there": (normal, [(X, X)], {"inputs": 2}, "a place in a batch of 2 parts; got 2"),
    "a name of an array": (normal, loader(), {"inputs": "x"}, "batches with parts for inputs='x'"),
    "one point": (normal, [X[:1]], {}, "at least two data points"),
    "one point asked for": (normal, loader(), {"points": 1}, "at least two points"),
    "no function": (3, loader(), {}, "Expected a module, the name of its method, or a function; got int"),
    "no such spread": (normal, loader(), {"given": "sdt"}, "Expected given to be one of"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind: str) -> None:
    encoder, batches, options, words = REFUSED[kind]
    with pytest.raises((ValueError, TypeError)) as refused:
        collect_module(encoder, batches, **options)
    assert re.search(words, str(refused.value), re.DOTALL), str(refused.value)
    assert str(refused.value).startswith("Expected ")


def test_an_error_of_the_encoder_says_in_which_batch() -> None:
    def encode(x: np.ndarray) -> Any:
        if len(x) == 6:
            raise RuntimeError("of its own")
        return normal(x)

    with pytest.raises(RuntimeError, match="of its own") as error:
        collect_module(encode, loader())
    assert error.value.__notes__ == ["In batch 4 of the loader (counted from 0)."]
