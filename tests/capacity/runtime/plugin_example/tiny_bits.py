"""Somebody else's package in one file: a channel, a source, an estimator, a system and a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from capacity.channels import Gaussian
from capacity.claims import Answer, Context, Evidence, Prediction
from capacity.estimators import Estimator
from capacity.estimators.checks import Takes
from capacity.results.estimate import Estimate
from capacity.systems import GaussianAutoencoder
from synthetic import Codebook


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Doubled(Gaussian):
    """Gaussian noise under another name."""

    name: ClassVar[str] = "tiny_channel"
    summary: ClassVar[str] = "Gaussian noise, somebody else's"


class Dice:
    """Six faces in one dimension."""

    name: ClassVar[str] = "tiny_dice"
    summary: ClassVar[str] = "a die of 2^bits faces"

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Codebook:
        return Codebook(jnp.arange(2.0**bits)[:, None] * jnp.ones((1, dim)))


@dataclass(frozen=True)
class Sign(Estimator):
    """Information between the signs alone."""

    name: ClassVar[str] = "tiny_sign"
    summary: ClassVar[str] = "information between signs"
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 20
    symmetric: ClassVar[bool] = True

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        together = np.histogram2d(x[:, 0] > 0, y[:, 0] > 0, bins=2)[0] / len(x)
        apart = together.sum(1, keepdims=True) * together.sum(0, keepdims=True)
        return Estimate.from_nats(
            nats=float((together * np.log(together / apart)).sum()), stderr=0.01, kind="point", n=len(x)
        )


@dataclass(frozen=True)
class Loud(GaussianAutoencoder):
    """The Gaussian system under another name."""

    name: ClassVar[str] = "tiny_system"
    summary: ClassVar[str] = "units through Gaussian noise, somebody else's"


@dataclass(frozen=True)
class Sure:
    """A claim that is decided at once."""

    name: ClassVar[str] = "tiny_claim"
    sentence: ClassVar[str] = "one is more than nothing"
    source: ClassVar[str] = "Peano (1889)"
    predictions: ClassVar[tuple[Prediction, ...]] = (Prediction("one", "it is more", low=0.5),)

    def run(self, key: jax.Array, context: Context) -> Evidence:
        return Evidence({"one": Answer(1.0, 1.0, 1.0, 1)}, xr.Dataset({"one": 1.0}))

    def plot(self, data: xr.Dataset, figure: Any) -> None:
        figure.subplots().axhline(float(data.one))
