"""Programs that run once: traced as for `jax.jit`, then computed operation by operation in NumPy.

A program of a thousand small operations takes XLA seconds to compile and a millisecond to run.  Where its arrays are
small and it runs once, NumPy has the same figures (within rounding) before a compiler has begun.  Functions that are
jitted themselves and named in `compiled` are compiled all the same where they have much to do: loops over many pairs
belong there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, jaxpr_as_fun
from jaxtyping import PyTree

from capacity.runtime import threefry
from capacity.runtime.numpy_rules import ONLY_IF, RULES, Parameters, Value

T = TypeVar("T")
MAX_NUMBERS = 2**20  # of an array: of more, a compiled program is worth its while
PAIRWISE = ("log_densities",)  # functions of all pairs
MAX_WORK = 6e7  # numbers that such a function computes here, in a quarter of a second: a compiler takes twice that
STEP_WORK = 2**14  # numbers that could be computed while one operation is looked up


def run_once(function: Callable[..., T], *arguments: PyTree, compiled: Sequence[str] = ()) -> T:
    """function(*arguments), traced, without compiling it.

    Args:
        function: that `jax.jit` would take, without static arguments.
        arguments: pytrees of arrays.
        compiled: names of jitted functions inside that are compiled and kept where they compute many numbers.
    """
    traced, shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
    with np.errstate(all="ignore"):
        leaves = [_value(leaf) for leaf in jax.tree.leaves(arguments)]
        found = _evaluated(traced.jaxpr, traced.consts, leaves, frozenset(compiled))
    leaves = [_outside(value, shape) for value, shape in zip(found, jax.tree.leaves(shapes), strict=True)]
    done: T = jax.tree.unflatten(jax.tree.structure(shapes), jax.device_put(leaves))
    return done


def ran(function: Callable[..., T], *arguments: PyTree, static: tuple[Any, ...] = (), numbers: int) -> T:
    """A jitted function of arrays and static arguments after them: in NumPy where its arrays are small.

    Args:
        function: jitted; the same one each time, so that what is compiled is kept.
        arguments: pytrees of arrays.
        static: what it is compiled for.
        numbers: of the largest array.
    """
    if numbers > MAX_NUMBERS:
        return function(*arguments, *static)
    return run_once(lambda *arrays: function(*arrays, *static), *arguments, compiled=PAIRWISE)


def _value(leaf: PyTree) -> Value:
    if isinstance(leaf, jax.Array) and _is_key(leaf):
        return threefry.words_of(leaf) if threefry.is_ours(leaf) else leaf
    dtype = jax.dtypes.canonicalize_dtype(np.result_type(leaf)) if not isinstance(leaf, jax.Array) else None
    return np.asarray(leaf, dtype)


def _is_key(like: Any) -> bool:
    return bool(jnp.issubdtype(like.dtype, jax.dtypes.prng_key))


def _outside(value: Value, like: Any) -> Value:
    """What JAX takes: keys as keys."""
    return threefry.as_keys(value) if _is_key(like) and not isinstance(value, jax.Array) else value


def _evaluated(
    jaxpr: Jaxpr, constants: Sequence[Value], arguments: Sequence[Value], compiled: frozenset[str]
) -> list[Value]:
    """Results of a jaxpr; what is used no more is forgotten."""
    held: dict[Any, Value] = dict(zip(jaxpr.constvars, map(_value, constants), strict=True))
    held.update(zip(jaxpr.invars, arguments, strict=True))

    def read(v: Any) -> Value:
        return _as_told(v.val, v.aval) if isinstance(v, Literal) else held[v]

    for eqn, literals, kept, done in _steps(jaxpr):
        given = [held[v] if one is None else one for v, one in zip(eqn.invars, literals, strict=True)]
        results = _applied(eqn, given, compiled)
        for v in done:
            held.pop(v, None)
        for v, result in zip(eqn.outvars, results, strict=True):
            if v in kept:
                held[v] = _as_told(result, v.aval)
    return [read(v) for v in jaxpr.outvars]


@lru_cache(maxsize=4096)  # by the very trace, as in `_compiled`
def _steps(jaxpr: Jaxpr) -> list[tuple[JaxprEqn, list[Value | None], set[Any], list[Any]]]:
    """Operations, what of them is given in the program, which results are used, and what is used no more after each."""
    last = {v: i for i, eqn in enumerate(jaxpr.eqns) for v in eqn.invars if not isinstance(v, Literal)}
    kept = {v for v in jaxpr.outvars if not isinstance(v, Literal)}
    done: list[list[Any]] = [[] for _ in jaxpr.eqns]
    for v, i in last.items():
        if v not in kept:
            done[i].append(v)
    return [
        (
            eqn,
            [_as_told(v.val, v.aval) if isinstance(v, Literal) else None for v in eqn.invars],
            {v for v in eqn.outvars if v in last or v in kept},
            gone,
        )
        for eqn, gone in zip(jaxpr.eqns, done, strict=True)
    ]


def _as_told(result: Value, aval: Any) -> Value:
    """The result in the type that was traced: scalars of NumPy are no arrays, and some functions widen."""
    if isinstance(result, np.ndarray) and result.dtype == aval.dtype:
        return result
    if _is_key(aval):
        return _value(result) if isinstance(result, jax.Array) else result
    return _value(result) if isinstance(result, jax.Array) else np.asarray(result, aval.dtype)


def _applied(eqn: JaxprEqn, arguments: list[Value], compiled: frozenset[str]) -> list[Value]:
    name, parameters = eqn.primitive.name, eqn.params
    if name == "jit":
        inner: ClosedJaxpr = parameters["jaxpr"]
        if parameters["name"] in compiled and _work(inner) > MAX_WORK:
            return list(_compiled(inner)(*map(_outside, arguments, inner.in_avals)))
        return _evaluated(inner.jaxpr, inner.consts, arguments, compiled)
    if name in ("custom_jvp_call", "custom_vjp_call"):
        inner = parameters["call_jaxpr"]
        return _evaluated(inner.jaxpr, inner.consts, arguments, compiled)
    if name == "scan":
        return _scanned(parameters, arguments, compiled)
    if name == "cond":
        branch: ClosedJaxpr = parameters["branches"][int(arguments[0])]
        return _evaluated(branch.jaxpr, branch.consts, arguments[1:], compiled)
    rule = RULES.get(name)
    if (
        rule is not None
        and all(isinstance(one, np.ndarray) for one in arguments)
        and (name not in ONLY_IF or ONLY_IF[name](parameters, *arguments))
    ):
        done = rule(parameters, *arguments)
        return done if eqn.primitive.multiple_results else [done]
    arguments = [_outside(argument, v.aval) for argument, v in zip(arguments, eqn.invars, strict=True)]
    found = eqn.primitive.bind(*arguments, **parameters)
    return list(found) if eqn.primitive.multiple_results else [found]


@lru_cache(maxsize=64)  # by the very trace, which JAX keeps for each shape
def _compiled(inner: ClosedJaxpr) -> Callable[..., Sequence[jax.Array]]:
    return jax.jit(jaxpr_as_fun(inner))


@lru_cache(maxsize=256)
def _work(closed: ClosedJaxpr) -> int:
    """Numbers that a program computes, and what it takes to look up its operations."""
    total = 0
    for eqn in closed.jaxpr.eqns:
        inner = [one for one in jax.tree.leaves(list(eqn.params.values()), is_leaf=_is_program) if _is_program(one)]
        if inner:
            total += eqn.params.get("length", 1) * max(_work(one) for one in inner)
        else:
            total += STEP_WORK + sum(v.aval.size for v in eqn.outvars)
    return total


def _is_program(value: object) -> bool:
    return isinstance(value, ClosedJaxpr)


def _scanned(parameters: Parameters, arguments: list[Value], compiled: frozenset[str]) -> list[Value]:
    body: ClosedJaxpr = parameters["jaxpr"]
    fixed, carried = parameters["num_consts"], parameters["num_carry"]
    constants, carry = arguments[:fixed], arguments[fixed : fixed + carried]
    columns = arguments[fixed + carried :]
    steps = range(parameters["length"])
    stacked = []
    for i in reversed(steps) if parameters["reverse"] else steps:
        out = _evaluated(body.jaxpr, body.consts, [*constants, *carry, *(c[i] for c in columns)], compiled)
        carry = out[:carried]
        stacked.append(out[carried:])
    if parameters["reverse"]:
        stacked.reverse()
    kinds = [v.aval for v in body.jaxpr.outvars[carried:]]
    rows = list(zip(*stacked, strict=True)) or [()] * len(kinds)
    shapes = [(parameters["length"], *kind.shape) for kind in kinds]
    columns = [
        np.array(row, np.uint64 if _is_key(kind) else kind.dtype).reshape(shape)
        for row, kind, shape in zip(rows, kinds, shapes, strict=True)
    ]
    return carry + columns
