"""Somebody else's package in one file: a channel, a source, an estimator, a system and a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity import register_dataclass
from capacity.channels import AdditiveNoise
from capacity.claims import Answer, Claim, Context, Evidence, Prediction
from capacity.estimators import Estimator
from capacity.results.estimate import Estimate
from capacity.systems import GaussianAutoencoder
from synthetic import Codebook


@register_dataclass
@dataclass(frozen=True)
class Laplace(AdditiveNoise):
    """Noise that a density alone describes."""

    scale: float | jax.Array
    name: ClassVar[str] = "tiny_channel"
    summary: ClassVar[str] = "Laplace noise, somebody else's"

    def log_noise(self, e: jax.Array) -> jax.Array:
        return -jnp.abs(e) / self.scale - jnp.log(2 * self.scale)


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

    name = "tiny_sign"
    summary = "information between signs"
    takes = "continuous"
    min_pairs = 20
    symmetric = True

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        together = np.histogram2d(x[:, 0] > 0, y[:, 0] > 0, bins=2)[0] / len(x)
        apart = together.sum(1, keepdims=True) * together.sum(0, keepdims=True)
        nats = float((together * np.log(together / apart)).sum())
        return Estimate.from_nats(nats=nats, stderr=0.01, kind="point", n=len(x))


class Loud(GaussianAutoencoder):
    """The Gaussian system under another name."""

    name = "tiny_system"
    summary = "units through Gaussian noise, somebody else's"


class Sure(Claim):
    """A claim that is decided at once."""

    name = "tiny_claim"
    sentence = "one is more than nothing"
    source = "Peano (1889), Arithmetices principia"
    predictions = (Prediction("one", "it is more", low=0.5),)

    def run(self, key: jax.Array, context: Context) -> Evidence:
        return Evidence({"one": Answer(1.0, 1.0, 1.0, 1)})
