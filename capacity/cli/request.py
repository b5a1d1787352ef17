"""What the command line asks for, checked and made into plans before any work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import Field, fields
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import jax
import numpy as np

from capacity.cli.curve_options import RunOptions, SizeOptions, SourceOptions
from capacity.cli.request_checks import BITS, DIM, check_request, given_rows, parse_levels
from capacity.cli.sources import SOURCES
from capacity.curves.plan import CurvePlan, plan_curve
from capacity.runtime.names import check_name
from capacity.systems import SYSTEMS, Architecture, TargetVAE
from capacity.training import Training
from synthetic import Codebook, Source

WRITTEN: dict[type, Callable[[str], Any]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
    NoneType: {"none": None}.__getitem__,
    str: str,
}
"""How values of `--set` are read, the narrowest first."""


def plans_of(
    *, source: SourceOptions, size: SizeOptions, run: RunOptions, rows: np.ndarray | None = None
) -> dict[str, CurvePlan]:
    """A checked plan for each system that the options of `capacity curve` ask for.

    Args:
        source: where messages come from.
        size: of the networks.
        run: what is trained at which noise, how long, and how it is measured.
        rows: of `source.data`, where they have been read.

    Raises:
        ValueError: for anything that cannot work.
    """
    check_request(source=source, size=size, run=run)
    kinds, levels = _kinds_and_levels(run)
    choices = _choices(kinds, tuple(run.choices or ()))
    training = _given(steps=run.steps, batch=run.batch, learning_rate=run.learning_rate, products=run.products)
    more = _given(samples=run.samples, budget_gflop=run.budget_gflop) | {
        "training": Training(**training),
        "measure": run.measure,
    }
    source_key, lanes_key = jax.random.split(jax.random.key(run.seed))
    built = _source(source_key, source, given_rows(source) if rows is None else rows)
    architecture = _architecture(size, built)
    return {
        name: plan_curve(
            lanes_key, built, kind(architecture, **choices), levels or kind.default_levels, run.seeds, **more
        )
        for name, kind in kinds.items()
    }


def _kinds_and_levels(run: RunOptions) -> tuple[dict[str, Any], tuple[float, ...] | None]:
    """Classes of systems by name, and the levels of them all, or None for each system's own."""
    if run.target_bits is not None:
        return {TargetVAE.name: TargetVAE}, parse_levels(run.target_bits, "--target-bits")
    levels = None if run.levels is None else parse_levels(run.levels, "--levels")
    return {name: SYSTEMS[name] for name in run.systems}, levels


def _architecture(size: SizeOptions, source: Source) -> Architecture:
    decode = size.decode or ("bits" if source.discrete else "vector")
    encoder_widths = None if size.encoder_width is None else (size.encoder_width,) * size.depth
    return Architecture(size.units, (size.width,) * size.depth, encoder_widths, size.activation, decode)


def _choices(kinds: dict[str, Any], texts: tuple[str, ...]) -> dict[str, Any]:
    """The system's own choices, 'NAME=VALUE', as values of the types that they have."""
    if not texts:
        return {}
    if len(kinds) > 1:
        raise ValueError(f"Expected --set with one --system; got {len(kinds)} systems.")
    kind = next(iter(kinds.values()))
    known = {f.name: f for f in fields(kind) if f.name not in ("architecture", "encoder")}
    chosen = {}
    for option in texts:
        name, found, text = option.partition("=")
        if not found or not known:
            raise ValueError(f"Expected --set NAME=VALUE, of {', '.join(known) or 'nothing'}; got {option!r}.")
        check_name(name, known, "--set")
        chosen[name] = parse_value(text, _annotation(kind, known[name]), option)
    return chosen


def _annotation(kind: type, field: Field[Any]) -> object:
    """The field's type, also of a class whose annotations are text; Any where a name in it is not to be had."""
    if not isinstance(field.type, str):
        return field.type
    owner = next(parent for parent in kind.__mro__ if field.name in vars(parent).get("__annotations__", {}))
    alone = SimpleNamespace(__annotations__={field.name: field.type})
    try:
        return get_type_hints(alone, vars(sys.modules[owner.__module__]))[field.name]
    except NameError:
        return Any


def _source(key: jax.Array, asked: SourceOptions, rows: np.ndarray | None) -> Source:
    """The user's own rows, each as likely as often as it comes; else a source of the toolkit."""
    if rows is not None:
        return Codebook.from_data(rows)
    bits, dim = (default if given is None else given for given, default in ((asked.bits, BITS), (asked.dim, DIM)))
    built: Source = SOURCES[asked.source or "bits"].build(key, bits, dim)
    return built


def parse_value(text: str, annotation: object, option: str) -> str | bool | int | float | None:
    """The value of a field.

    Args:
        text: what was given.
        annotation: the field's type, or a union of several; a number where it is none of those that can be written.
        option: the whole option, for the refusal.

    Examples:
        >>> parse_value("3", int | None, "--set layers=3")
        3

    Raises:
        ValueError: for a text that is no such value.
    """
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    kinds = [kind for kind in WRITTEN if kind in parts]
    for kind in kinds if set(kinds) - {NoneType} else [*kinds, float]:
        try:
            value: str | bool | int | float | None = WRITTEN[kind](text)
            return value
        except (KeyError, ValueError):
            continue
    words = ", or ".join({bool: "true or false", NoneType: "none"}.get(k, k.__name__) for k in kinds) or "a number"
    raise ValueError(f"Expected --set NAME=VALUE with a value that is {words}; got {option!r}.")


def _given(**options: object) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
