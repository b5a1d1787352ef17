"""Measure how much information passes through a noisy network, in bits, with bounds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capacity.analysis.latent.latent import Latent, measure_latent
    from capacity.bounds import measure, measure_layers
    from capacity.curves.plan import plan_curve
    from capacity.curves.run import capacity_curve
    from capacity.estimators import choose, estimate, information_scorer, pairwise
    from capacity.joint.joint import Joint
    from capacity.joint.stack import Layer, Stack
    from capacity.results.estimate import Bracket, Estimate
    from capacity.systems import VAE, Architecture, GaussianAutoencoder
    from capacity.training import Training

# Loaded when first asked for: importing JAX takes seconds, which `capacity --help` need not wait for.
HOMES = {
    "VAE": "capacity.systems",
    "Architecture": "capacity.systems",
    "Bracket": "capacity.results.estimate",
    "Estimate": "capacity.results.estimate",
    "GaussianAutoencoder": "capacity.systems",
    "Joint": "capacity.joint.joint",
    "Latent": "capacity.analysis.latent.latent",
    "Layer": "capacity.joint.stack",
    "Stack": "capacity.joint.stack",
    "Training": "capacity.training",
    "capacity_curve": "capacity.curves.run",
    "choose": "capacity.estimators",
    "estimate": "capacity.estimators",
    "information_scorer": "capacity.estimators",
    "measure": "capacity.bounds",
    "measure_latent": "capacity.analysis.latent.latent",
    "measure_layers": "capacity.bounds",
    "pairwise": "capacity.estimators",
    "plan_curve": "capacity.curves.run",
}

__all__ = [
    "VAE",
    "Architecture",
    "Bracket",
    "Estimate",
    "GaussianAutoencoder",
    "Joint",
    "Latent",
    "Layer",
    "Stack",
    "Training",
    "capacity_curve",
    "choose",
    "estimate",
    "information_scorer",
    "measure",
    "measure_latent",
    "measure_layers",
    "pairwise",
    "plan_curve",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'capacity' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
