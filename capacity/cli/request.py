"""What the command line asks for, checked and made into plans before any work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import Field, fields
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import jax
import numpy as np

from capacity.bounds.measurement import METHODS
from capacity.cli.curve_options import RunOptions, SizeOptions, SourceOptions
from capacity.cli.sources import SOURCES
from capacity.curves.plan import CurvePlan, plan_curve
from capacity.runtime.files.rows import read_rows
from capacity.runtime.names import check_name
from capacity.systems import SYSTEMS, Architecture, TargetVAE
from capacity.systems.networks import ACTIVATIONS
from capacity.training import Training
from synthetic import Codebook, Source

BITS, DIM = 16, 32  # of a source, where the command line does not say
WRITTEN: dict[type, Callable[[str], Any]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
    NoneType: {"none": None}.__getitem__,
    str: str,
}
"""How values of `--set` are read, the narrowest first."""


def plans_of(*, source: SourceOptions, size: SizeOptions, run: RunOptions) -> dict[str, CurvePlan]:
    """A checked plan for each system that the options of `capacity curve` ask for.

    Args:
        source: where messages come from.
        size: of the networks.
        run: what is trained at which noise, how long, and how it is measured.

    Raises:
        ValueError: for anything that cannot work.
    """
    for system in run.systems:
        check_name(system, SYSTEMS, "--system")
    check_name(source.source or "bits", SOURCES, "--source")
    check_name(size.activation, ACTIVATIONS, "--activation")
    check_name(size.decode or "bits", ("bits", "vector"), "--decode")
    check_name(run.measure, METHODS, "--measure")
    kinds, levels = _kinds_and_levels(run)
    choices = _choices(kinds, tuple(run.choices or ()))
    training = _given(steps=run.steps, batch=run.batch, learning_rate=run.learning_rate, products=run.products)
    more = _given(samples=run.samples, budget_gflop=run.budget_gflop) | {
        "training": Training(**training),
        "measure": run.measure,
    }
    source_key, lanes_key = jax.random.split(jax.random.key(run.seed))
    built = _source(source_key, source)
    architecture = _architecture(size, built)
    return {
        name: plan_curve(
            lanes_key, built, kind(architecture, **choices), levels or kind.default_levels, run.seeds, **more
        )
        for name, kind in kinds.items()
    }


def _kinds_and_levels(run: RunOptions) -> tuple[dict[str, Any], tuple[float, ...] | None]:
    """Classes of systems by name, and the levels of them all, or None for each system's own."""
    kinds: dict[str, Any] = {name: SYSTEMS[name] for name in run.systems}
    if run.levels is not None and len(kinds) > 1:
        raise ValueError(
            f"Expected --levels with one --system, as a level means another thing in each; got {len(kinds)} systems."
        )
    levels = None if run.levels is None else parse_levels(run.levels, "--levels")
    if run.target_bits is None:
        return kinds, levels
    if run.levels is not None or set(kinds) - {"vae", TargetVAE.name}:
        raise ValueError("Expected --target-bits with --system vae alone, and no --levels; got others beside it.")
    return {TargetVAE.name: TargetVAE}, parse_levels(run.target_bits, "--target-bits")


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


def _source(key: jax.Array, asked: SourceOptions) -> Source:
    """The user's own rows, each as likely as often as it comes; else a source of the toolkit."""
    if asked.data is None:
        if asked.columns or asked.standardize:
            raise ValueError("Expected --data FILE with --columns and --standardize; got none.")
        bits, dim = (default if given is None else given for given, default in ((asked.bits, BITS), (asked.dim, DIM)))
        built: Source = SOURCES[asked.source or "bits"].build(key, bits, dim)
        return built
    other = _given(source=asked.source, bits=asked.bits, dim=asked.dim)
    if other:
        raise ValueError(
            f"Expected --data alone, which has its own bits and dimensions; got --{next(iter(other))} too."
        )
    columns = [asked.columns] if asked.columns else None
    return Codebook.from_data(read_rows(asked.data, columns, standardize=asked.standardize))


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


def parse_levels(text: str, option: str) -> tuple[float, ...]:
    """Levels '0.1,0.2', or 'start:stop:count' in equal ratios.

    Examples:
        >>> parse_levels("0.1,0.2", "--levels")
        (0.1, 0.2)
        >>> [round(level, 3) for level in parse_levels("0.1:10:3", "--levels")]
        [0.1, 1.0, 10.0]

    Raises:
        ValueError: for anything else, and for levels that are not finite and greater than 0.
    """
    refusal = ValueError(
        f"Expected {option} as '0.1,0.2' or 'start:stop:count', finite and greater than 0; got {text!r}."
    )
    try:
        if ":" in text:
            start, stop, count = text.split(":")
            numbers, points = [float(start), float(stop)], int(count)
        else:
            numbers, points = [float(part) for part in text.split(",")], 1
    except ValueError:
        raise refusal from None
    if not all(0 < number < float("inf") for number in numbers) or points < 1:
        raise refusal
    if ":" in text:
        return tuple(np.geomspace(numbers[0], numbers[1], points).tolist())
    return tuple(numbers)


def _given(**options: object) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
