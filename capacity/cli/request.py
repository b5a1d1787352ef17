"""What the command line asks for, checked and made into plans before any work."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jax
import numpy as np

import synthetic
from capacity.bounds.measurement import METHODS
from capacity.curves.plan import CurvePlan, plan_curve
from capacity.runtime.files.rows import read_rows
from capacity.runtime.names import check_name
from capacity.runtime.registry import Registry
from capacity.systems import SYSTEMS, Architecture, TargetVAE
from capacity.systems.networks import ACTIVATIONS
from capacity.training import Training
from synthetic import Codebook

SOURCES = Registry("sources", synthetic.SOURCES.values())

BITS, DIM = 16, 32  # of a source, where the command line does not say


@dataclass(frozen=True)
class Request:
    """The options of `capacity curve`, as they were typed; None where the default is another's."""

    systems: tuple[str, ...]
    source: str | None
    bits: int | None
    dim: int | None
    units: int
    levels: str | None
    target_bits: str | None
    seeds: int
    steps: int | None
    batch: int | None
    learning_rate: float | None
    products: str | None
    width: int
    encoder_width: int | None
    depth: int
    activation: str
    decode: str | None
    samples: int | None
    measure: str
    budget_gflop: float | None
    seed: int
    data: Path | None = None
    columns: str | None = None
    standardize: bool = False
    options: tuple[str, ...] = ()

    def plans(self) -> dict[str, CurvePlan]:
        """A checked plan for each system.

        Raises:
            ValueError: for anything that cannot work.
        """
        for system in self.systems:
            check_name(system, SYSTEMS, "--system")
        check_name(self.source or "bits", SOURCES, "--source")
        check_name(self.activation, ACTIVATIONS, "--activation")
        check_name(self.decode or "bits", ("bits", "vector"), "--decode")
        check_name(self.measure, METHODS, "--measure")
        kinds: dict[str, Any] = {name: SYSTEMS[name] for name in self.systems}
        if self.levels is not None and len(kinds) > 1:
            raise ValueError(
                "Expected --levels with one --system, as a level means another thing in each; "
                f"got {len(kinds)} systems."
            )
        levels = None if self.levels is None else parse_levels(self.levels, "--levels")
        if self.target_bits is not None:
            if self.levels is not None or set(kinds) - {"vae", TargetVAE.name}:
                raise ValueError(
                    "Expected --target-bits with --system vae alone, and no --levels; got others beside it."
                )
            kinds, levels = {TargetVAE.name: TargetVAE}, parse_levels(self.target_bits, "--target-bits")
        own = self._options(kinds)
        training = _given(steps=self.steps, batch=self.batch, learning_rate=self.learning_rate, products=self.products)
        more = _given(samples=self.samples, budget_gflop=self.budget_gflop) | {
            "training": Training(**training),
            "measure": self.measure,
        }
        source_key, lanes_key = jax.random.split(jax.random.key(self.seed))
        source = self._source(source_key)
        decode = self.decode or ("bits" if source.discrete else "vector")
        widths = (self.width,) * self.depth
        encoder_widths = None if self.encoder_width is None else (self.encoder_width,) * self.depth
        size = Architecture(self.units, widths, encoder_widths, self.activation, decode)
        return {
            name: plan_curve(lanes_key, source, kind(size, **own), levels or kind.default_levels, self.seeds, **more)
            for name, kind in kinds.items()
        }

    def _options(self, kinds: dict[str, Any]) -> dict[str, Any]:
        """The system's own choices, 'NAME=VALUE', as values of the types that they have."""
        if not self.options:
            return {}
        if len(kinds) > 1:
            raise ValueError(f"Expected --set with one --system; got {len(kinds)} systems.")
        kind = next(iter(kinds.values()))
        known = {f.name: f for f in fields(kind) if f.name not in ("architecture", "encoder")}
        chosen = {}
        for option in self.options:
            name, found, text = option.partition("=")
            if not found or not known:
                raise ValueError(f"Expected --set NAME=VALUE, of {', '.join(known) or 'nothing'}; got {option!r}.")
            check_name(name, known, "--set")
            chosen[name] = parse_value(text, str(known[name].type), option)
        return chosen

    def _source(self, key: jax.Array) -> Any:
        """The user's own rows, each as likely as often as it comes; else a source of the toolkit."""
        if self.data is None:
            if self.columns or self.standardize:
                raise ValueError("Expected --data FILE with --columns and --standardize; got none.")
            bits, dim = (default if given is None else given for given, default in ((self.bits, BITS), (self.dim, DIM)))
            return SOURCES[self.source or "bits"].build(key, bits, dim)
        other = _given(source=self.source, bits=self.bits, dim=self.dim)
        if other:
            raise ValueError(
                f"Expected --data alone, which has its own bits and dimensions; got --{next(iter(other))} too."
            )
        columns = [part.strip() for part in self.columns.split(",")] if self.columns else None
        return Codebook.from_data(read_rows(self.data, columns, standardize=self.standardize))


def parse_value(text: str, kind: str, option: str) -> str | bool | int | float | None:
    """The value of a field whose annotation is `kind`.

    Raises:
        ValueError: for a text that is no such value.
    """
    if text == "none" and "None" in kind:
        return None
    if kind == "str":
        return text
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    try:
        if kind == "bool":
            raise ValueError(text)
        return int(text) if "int" in kind else float(text)
    except ValueError:
        words = {"bool": "true or false"}.get(kind, kind.replace(" | None", ", or none"))
        raise ValueError(f"Expected --set NAME=VALUE with a value that is {words}; got {option!r}.") from None


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


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
