"""What runs, as a short hash: the program that JAX traces of a function, with the constants in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn

CALLBACKS = ("pure_callback", "io_callback")  # not debug_callback, which gives nothing back
ADDRESS = re.compile(r"0x[0-9a-f]+")  # of a function in memory: another one in every process


def program_digest(function: Callable[..., Any], *arguments: Any) -> str:
    """16 hexadecimal digits that differ where the traced program, or a constant in it, differs.

    The same in every process and on every device, for one version of JAX and of the libraries that are traced.

    Args:
        function: that `jax.jit` would take.
        arguments: of it; shapes and types alone count.

    Raises:
        ValueError: for a program that calls back into Python, of which no digest says what is done there.
    """
    traced = jax.make_jaxpr(function)(*arguments)
    _check_callbacks(traced.jaxpr)
    text = traced.pretty_print(use_color=False)  # else it is another one where stdout is a terminal or a notebook's
    found = hashlib.sha256(ADDRESS.sub("", text).encode())
    for constant in _constants(traced):
        found.update(np.ascontiguousarray(constant).tobytes())
    return found.hexdigest()[:16]


def _check_callbacks(jaxpr: Jaxpr) -> None:
    for equation in _equations(jaxpr):
        if equation.primitive.name in CALLBACKS:
            raise ValueError(
                f"Expected a program that JAX traces as a whole; got one that calls back into Python "
                f"({equation.primitive.name} of {equation.params.get('callback')}), where another function may run in "
                "its place unseen. Write it with jax.numpy, or give what it computes as an array."
            )


def _equations(jaxpr: Jaxpr) -> Iterator[JaxprEqn]:
    """All operations of a program, those of programs inside it too."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in _inner(equation):
            yield from _equations(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner)


def _inner(equation: JaxprEqn) -> Iterator[ClosedJaxpr | Jaxpr]:
    for parameter in equation.params.values():
        for part in parameter if isinstance(parameter, tuple | list) else (parameter,):
            if isinstance(part, ClosedJaxpr | Jaxpr):
                yield part


def _constants(traced: ClosedJaxpr | Jaxpr) -> Iterator[np.ndarray]:
    """Arrays that are part of a program, in its order, also those of programs inside it."""
    if isinstance(traced, ClosedJaxpr):
        yield from map(_numbers, traced.consts)
        traced = traced.jaxpr
    for equation in traced.eqns:
        for part in _inner(equation):
            yield from _constants(part)


def _numbers(constant: Any) -> np.ndarray:
    is_key = isinstance(constant, jax.Array) and jnp.issubdtype(constant.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(constant) if is_key else constant)
