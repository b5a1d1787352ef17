"""What an encoder may give for a batch: means and a spread, a mapping with names, codes, or probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np

from capacity.frameworks.batches import is_array
from capacity.frameworks.distributions import parameters_of
from capacity.runtime.names import listed
from capacity.runtime.tables.foreign import as_numpy, is_of
from capacity.runtime.tables.posterior_arrays import (
    PosteriorArrays,
    code_posterior,
    named_posterior,
    normal_posterior,
    probs_posterior,
    sums_to_one,
)

WANTED = (
    "a pair (means, log-variances), a mapping or distribution with such parameters, integer codes, or probabilities"
)


def read_output(output: object, given: str | None = None, offers: tuple[str, ...] = ()) -> PosteriorArrays:
    """The posterior of each row of a batch, from what an encoder gave for it.

    Args:
        output: a pair of arrays; a mapping, dataclass or named tuple; an array of integers, which are codes, or of
            probabilities that add up to 1 along the last axis.
        given: what the second of a pair holds: "logvar", "log_std", "variance", "std" or "precision"; None takes
            log-variances.
        offers: methods that could be meant instead, for refusals.

    Raises:
        ValueError: for anything else, with what came.
    """
    output = parameters_of(output)
    named = _as_mapping(output)
    if named is not None:
        return named_posterior(named, given=given)
    if isinstance(output, tuple | list):
        parts = [part for part in output if part is not None]
        if len(parts) == 1:
            return read_output(parts[0], given, offers)
        if len(parts) != 2:
            raise _refusal(f"{len(parts)} things", offers)
        return normal_posterior(_array(parts[0], offers), _array(parts[1], offers), given)
    array = _array(output, offers)
    if array.dtype.kind in "iub":
        return code_posterior(array)
    if array.dtype.kind == "f" and sums_to_one(array):
        return probs_posterior(array)
    raise _refusal(f"one array of {array.dtype} {array.shape}", offers)


def _as_mapping(output: object) -> Mapping[str, object] | None:
    if isinstance(output, Mapping):
        return output
    if is_dataclass(output) and not isinstance(output, type):
        return {f.name: vars(output)[f.name] for f in fields(output) if f.name in vars(output)}
    if not isinstance(output, tuple) or "_fields" not in vars(type(output)):
        return None
    return dict(zip(vars(type(output))["_fields"], output, strict=True))


def _array(output: object, offers: tuple[str, ...]) -> np.ndarray:
    if is_of(output, "torch") and not is_array(output):
        raise _refusal(type(output).__name__, offers)
    try:
        array = as_numpy(output)
    except ValueError:
        raise _refusal(type(output).__name__, offers) from None
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        shape = f"{type(output).__name__}" if array.dtype.kind == "O" else f"{array.dtype} of shape {array.shape}"
        raise _refusal(shape, offers)
    return np.ascontiguousarray(array)


def _refusal(came: str, offers: tuple[str, ...]) -> ValueError:
    likely = sorted(offers, key=lambda name: "encode" not in name.lower())[:1]
    methods = f" It has the methods {listed(offers)}: encode='{likely[0]}'." if offers else ""
    return ValueError(
        f"Expected the encoder to give {WANTED}; got {came}.{methods} Or pick what is meant: "
        "encode=lambda x: model(x)[1:]; one array by its name: {'logits': ...}."
    )
