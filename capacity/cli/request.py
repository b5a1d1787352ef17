"""What the command line asks for, checked and made into plans before any work."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from capacity.cli.choices import read_choices
from capacity.cli.curve_options import RunOptions, SizeOptions, SourceOptions
from capacity.cli.request_checks import WIDTH, check_request, given_rows, levels_by_system
from capacity.cli.sources import SOURCES
from capacity.cli.suited import BITS, DIM
from capacity.curves.plan import CurvePlan, plan_curve
from capacity.systems import SYSTEMS, Architecture, TargetVAE
from capacity.systems.equal import with_parameters
from capacity.systems.networks import NETWORKS
from capacity.training import Training
from synthetic import Codebook, Source


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
    rows = given_rows(source) if rows is None else rows
    check_request(source=source, size=size, run=run, rows=rows)
    kinds, levels = _kinds(run), levels_by_system(run)
    choices = read_choices(kinds, tuple(run.choices or ()))
    training = _given(steps=run.steps, batch=run.batch, learning_rate=run.learning_rate, products=run.products)
    more = _given(samples=run.samples, budget_gflop=run.budget_gflop) | {
        "training": Training(**training),
        "measure": run.measure,
    }
    source_key, lanes_key = jax.random.split(jax.random.key(run.seed))
    built = _source(source_key, source, rows)
    architecture = _architecture(size, built)
    return {
        name: plan_curve(
            lanes_key, built, kind(architecture, **choices), levels.get(name, kind.default_levels), run.seeds, **more
        )
        for name, kind in kinds.items()
    }


def _kinds(run: RunOptions) -> dict[str, Any]:
    """Classes of systems by name."""
    if run.target_bits is not None:
        return {TargetVAE.name: TargetVAE}
    return {name: SYSTEMS[name] for name in run.systems}


def _architecture(size: SizeOptions, source: Source) -> Architecture:
    decode = size.decode or ("bits" if source.discrete else "vector")
    encoder_widths = None if size.encoder_width is None else (size.encoder_width,) * size.depth
    widths = (size.width or WIDTH,) * size.depth
    kind = NETWORKS[size.network]
    network = kind(**read_choices({size.network: kind}, tuple(size.network_choices or ()), "--set-network"))
    architecture = Architecture(size.units, widths, encoder_widths, size.activation, decode, network=network)
    return architecture if size.parameters is None else with_parameters(architecture, source, size.parameters)


def _source(key: jax.Array, asked: SourceOptions, rows: np.ndarray | None) -> Source:
    """The user's own rows, each as likely as often as it comes; else a source of the toolkit."""
    if rows is not None:
        return Codebook.from_data(rows)
    bits, dim = (default if given is None else given for given, default in ((asked.bits, BITS), (asked.dim, DIM)))
    built: Source = SOURCES[asked.source or "bits"].build(key, bits, dim)
    return built


def _given(**options: object) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
