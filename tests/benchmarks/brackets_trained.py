"""Trained systems on fair bits, one level at a time; what was trained is kept, so that no run trains it again."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import synthetic
from capacity.joint.joint import Joint
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Training, sender

SOURCE_KEY, TRAINING_KEY = 7, 1


@dataclass(frozen=True)
class Recipe:
    """A system, its source and its training; the level comes beside it."""

    system: str
    bits: int
    units: int
    width: int
    steps: int
    learning_rate: float
    batch: int = 256
    receiver_steps: int = 500

    def build(self) -> tuple[Any, Any, Training]:
        """System, source and training."""
        source = synthetic.FairBits.build(jax.random.key(SOURCE_KEY), self.bits, self.bits)
        constant = {"rate_start": 1.0} if self.system == "vae" else {}  # the weight that they were first trained at
        system = SYSTEMS[self.system](Architecture(units=self.units, widths=(self.width, self.width)), **constant)
        training = Training(
            steps=self.steps,
            batch=self.batch,
            receiver_steps=self.receiver_steps,
            learning_rate=self.learning_rate,
        )
        return system, source, training

    def path(self, folder: Path, level: float) -> Path:
        """Where its parameters lie; another recipe has another name."""
        digest = zlib.crc32(json.dumps(asdict(self) | {"level": level}, sort_keys=True).encode())
        return folder / f"{self.system}-{self.bits}-{self.units}-{level:.4g}-{digest:08x}.npz"


def trained(recipe: Recipe, level: float, folder: Path) -> tuple[Joint, Callable[[jax.Array, jax.Array], jax.Array]]:
    """The trained sender as a joint, and the trained decoder log q(m|z), nats; from the folder if they lie there."""
    system, source, training = recipe.build()
    path, key = recipe.path(folder, level), jax.random.key(TRAINING_KEY)
    if path.exists():
        params = load(path, jax.eval_shape(lambda k: system.init(k, source), key))
    else:
        params, _ = jax.jit(lambda k, at, s: training.train(k, s, system, at))(key, jnp.float32(level), source)
        save(path, params)
    joint = jax.jit(lambda p, s: sender(key, p, s, system, jnp.float32(level)))(params, source)
    return joint, system.architecture.log_decoder(params, source)


def save(path: Path, params: Any) -> None:
    """The leaves in their order, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    with half.open("wb") as file:
        np.savez(file, *map(np.asarray, jax.tree.leaves(params)))
    os.replace(half, path)


def load(path: Path, like: Any) -> Any:
    """The parameters of a file, of the structure and shapes of `like`.

    Raises:
        ValueError: where the file holds others.
    """
    with np.load(path, allow_pickle=False) as file:
        leaves = [file[name] for name in file.files]
    wanted, structure = jax.tree.flatten(like)
    if [leaf.shape for leaf in leaves] != [leaf.shape for leaf in wanted]:
        raise ValueError(f"Expected the parameters of this architecture in {path}; got other shapes.")
    return jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in leaves])
