"""What runs is told apart: programs by their operations and constants, networks by what they compute."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from capacity import Architecture, GaussianAutoencoder, Training, plan_curve
from capacity.runtime.files.store import Store, StoreError
from capacity.training.traced import program_digest
from synthetic import FairBits, Source

SOURCE = FairBits.build(jax.random.key(7), 4, 6)


def shifted(by: np.ndarray, inside: bool) -> Callable[[jax.Array], jax.Array]:
    function = lambda x: jnp.sin(x) + by  # noqa: E731
    return jax.jit(function) if inside else function


@pytest.mark.parametrize("inside", [False, True])
def test_constants_tell_programs_apart_wherever_they_are(inside: bool) -> None:
    one, other = np.arange(3.0), np.arange(3.0) + 1e-6
    digests = [program_digest(shifted(by, inside), jnp.ones(3)) for by in (one, one.copy(), other)]
    assert digests[0] == digests[1] != digests[2]


def test_operations_tell_programs_apart_and_names_do_not() -> None:
    def a(x: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda total, x: (total + jnp.tanh(x), None), 0.0, x)[0]

    def b(y: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda total, x: (total + jnp.tanh(x), None), 0.0, y)[0]

    def c(x: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda total, x: (total + jnp.sin(x), None), 0.0, x)[0]

    found = [program_digest(function, jnp.ones(3)) for function in (a, b, c)]
    assert found[0] == found[1] != found[2]


SCRIPT = """
import jax, jax.numpy as jnp
from capacity.training.traced import program_digest
key = jax.random.key(3)
print(program_digest(lambda x: jax.nn.relu(x) * jax.random.normal(key, x.shape), jnp.ones(3)))
"""


def test_another_process_in_a_terminal_says_the_same() -> None:
    """Functions with rules of their own are printed with their place in memory; a terminal has programs in colours."""
    reads, writes = pty.openpty()
    subprocess.run([sys.executable, "-c", SCRIPT], stdout=writes, check=True)
    os.close(writes)
    key = jax.random.key(3)
    here = program_digest(lambda x: jax.nn.relu(x) * jax.random.normal(key, x.shape), jnp.ones(3))
    assert os.read(reads, 100).decode().strip() == here and len(here) == 16
    os.close(reads)


def test_an_optimiser_is_its_numbers_too() -> None:
    def schedule(table: tuple[float, ...]) -> optax.GradientTransformation:
        rates = jnp.asarray(table)
        return optax.scale_by_schedule(lambda step: -rates[step % 2])

    found = [Training(optimiser=schedule(table)).configuration["optimiser"] for table in ((1.0, 2.0), (1.0, 3.0))]
    assert found[0] != found[1]


class Scaled(nnx.Module):
    """A network whose output somebody changes."""

    def __init__(self, inner: nnx.Module, scale: float, squared: bool):
        self.inner, self.scale, self.squared = inner, scale, squared

    def __call__(self, x: jax.Array) -> jax.Array:
        out: jax.Array = self.inner(x)  # type: ignore[operator]
        return self.scale * (jnp.square(out) if self.squared else out)


def network(scale: float, squared: bool = False) -> Architecture:
    """A network of somebody's own, whose name and fields do not say what it computes."""

    @dataclass(frozen=True)
    class Own(Architecture):
        def encoder(self, source: Source, outputs: int) -> Any:
            build = super().encoder(source, outputs)
            return lambda rngs: Scaled(build(rngs), scale, squared)

    return Own(units=2, widths=(4,))


def test_another_network_of_the_same_name_is_refused(tmp_path: Path) -> None:
    training = Training(steps=3, batch=8, receiver_steps=0)

    def configured(architecture: Architecture) -> dict[str, Any]:
        return plan_curve(
            0, SOURCE, GaussianAutoencoder(architecture), (0.5,), 1, training=training, samples=64
        ).configuration

    first = configured(network(1.0))
    assert first == configured(network(1.0))
    for other in (network(2.0), network(1.0, squared=True)):
        with Store.open(tmp_path / "run", first):
            pass
        with pytest.raises(StoreError, match=r"same configuration; got .*made with system.program="):
            Store.open(tmp_path / "run", configured(other))
    assert "program" not in configured(Architecture(units=2, widths=(4,)))["system"]
