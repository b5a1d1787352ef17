"""A grid of curves, checked before any work: every source through every system of every network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from capacity.curves.plan import CURVE_BUDGET, CurvePlan, plan_curve
from capacity.joint.checks import check_source
from capacity.runtime.contracts import check_instance
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.names import check_name
from capacity.training import System, Training
from capacity.training.system import Decoders

if TYPE_CHECKING:
    from synthetic.source import Source

Levels: TypeAlias = Sequence[float] | Mapping[str, Sequence[float]] | None
OWN = "own"  # what the network of a system is called where none is given
NAME = re.compile(r"[A-Za-z0-9_+-]+")


class Cell(NamedTuple):
    """One curve of a grid: the names of what it is of."""

    source: str
    system: str
    network: str

    @property
    def name(self) -> str:
        """Of its lanes in a store and of its group in a file; `Cell.of` reads it."""
        return ".".join(self)

    @classmethod
    def of(cls, name: str) -> Cell | None:
        """The cell of this name; None where a curve is of no grid."""
        parts = name.split(".")
        return cls(*parts) if len(parts) == len(cls._fields) and all(map(NAME.fullmatch, parts)) else None


def plan_grid(
    key: Seed,
    sources: Source | Mapping[str, Source] | Iterable[Source],
    systems: System | Mapping[str, System] | Iterable[System],
    networks: Mapping[str, Decoders] | None = None,
    levels: Levels = None,
    seeds: int = 3,
    *,
    training: Training | Mapping[str, Training] | None = None,
    samples: int = 1024,
    measure: str = "auto",
    budget_gflop: float = CURVE_BUDGET,
) -> dict[str, CurvePlan]:
    """Check everything that a grid needs, before any work.

    All cells have the same key, so that lanes of one level and seed are pairs: they start from the same random numbers.

    Args:
        key: a key or a seed, which decides every lane.
        sources: one, several, or several by name; unnamed ones are called by their own names.
        systems: likewise.
        networks: architectures by name, each put into every system; by default each system has its own.
        levels: of all systems, or by the system's name; by default each system's own.
        seeds, samples, measure, budget_gflop: of every curve, as in `plan_curve`.
        training: of every curve, or by the network's name.

    Returns:
        A plan for each cell, by the name of the cell: sources outermost, networks innermost.

    Raises:
        TypeError, ValueError: as `plan_curve` does, for the first cell that cannot work; and for names that are not
            letters, digits, `_`, `+` and `-`, or not there.
    """
    key = as_key(key)
    sources_by: dict[str, Source] = _by_name(sources, "source", check_source)
    systems_by: dict[str, System] = _by_name(systems, "system", lambda one: check_instance(one, System))
    networks_by: Mapping[str, Decoders | None] = {OWN: None} if networks is None else networks
    _check_names("network", networks_by)
    if isinstance(levels, Mapping):
        _check_known(levels, systems_by, "levels")
    if isinstance(training, Mapping):
        _check_known(training, networks_by, "training")
    more: dict[str, Any] = {"samples": samples, "measure": measure, "budget_gflop": budget_gflop}
    plans = {}
    for cell in map(Cell._make, product(sources_by, systems_by, networks_by)):
        network = networks_by[cell.network]
        system = systems_by[cell.system]
        system = system if network is None else replace(system, architecture=network)
        own = levels.get(cell.system) if isinstance(levels, Mapping) else levels
        chosen = system.default_levels if own is None else own
        steps = training.get(cell.network) if isinstance(training, Mapping) else training
        plans[cell.name] = plan_curve(key, sources_by[cell.source], system, chosen, seeds, training=steps, **more)
    return plans


def _by_name(given: Any, kind: str, check: Callable[[Any], None]) -> dict[str, Any]:
    """What was given, by its name; each is checked."""
    if isinstance(given, Mapping):
        named = dict(given)
    else:
        each = list(given) if isinstance(given, list | tuple) else [given]
        for one in each:
            check(one)
        names = [str(one.name) for one in each]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"Expected a name for each {kind}, as in {{'a': ..., 'b': ...}}; got {twice[0]} twice.")
        named = dict(zip(names, each, strict=True))
    _check_names(kind, named)
    for one in named.values():
        check(one)
    return named


def _check_names(kind: str, names: Iterable[str]) -> None:
    names = list(names)
    if not names:
        raise ValueError(f"Expected at least one {kind}; got none.")
    for name in names:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise ValueError(f"Expected a {kind} named by letters, digits, _, + and -; got {name!r}.")


def _check_known(given: Mapping[str, object], known: Mapping[str, object], what: str) -> None:
    for name in given:
        check_name(name, tuple(known), what)
