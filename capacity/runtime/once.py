"""Programs that run once: traced as for `jax.jit`, then computed operation by operation in NumPy.

A program of a thousand small operations takes XLA seconds to compile and a millisecond to run.  Where its arrays are
small and it runs once, NumPy has the same figures (within rounding) before a compiler has begun.  Functions that are
jitted themselves and named in `compiled` are compiled all the same where they have much to do: loops over many pairs
belong there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, jaxpr_as_fun
from jaxtyping import PyTree
from scipy.special import erfinv

from capacity.runtime import threefry

T = TypeVar("T")
Value: TypeAlias = Any  # np.ndarray; of keys their words, or a jax.Array where their bits are not `threefry`'s
Parameters: TypeAlias = dict[str, Any]
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
    return threefry.keys_of(value) if _is_key(like) and not isinstance(value, jax.Array) else value


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


def _broadcast(parameters: Parameters, a: Value) -> Value:
    shape = [1] * len(parameters["shape"])
    for axis, place in enumerate(parameters["broadcast_dimensions"]):
        shape[place] = a.shape[axis]
    return np.broadcast_to(a.reshape(shape), parameters["shape"])


def _product(parameters: Parameters, a: Value, b: Value) -> Value:
    (left, right), (left_batch, right_batch) = parameters["dimension_numbers"]
    names = iter(range(52))
    of_left = [next(names) for _ in a.shape]
    of_right = [next(names) for _ in b.shape]
    for i, j in [*zip(left, right, strict=True), *zip(left_batch, right_batch, strict=True)]:
        of_right[j] = of_left[i]
    free = [n for i, n in enumerate(of_left) if i not in (*left, *left_batch)]
    free += [n for j, n in enumerate(of_right) if j not in (*right, *right_batch)]
    return np.einsum(a, of_left, b, of_right, [of_left[i] for i in left_batch] + free, optimize=True)


def _chosen(parameters: Parameters, which: Value, *cases: Value) -> Value:
    if len(cases) == 2:
        return np.where(which.astype(bool), cases[1], cases[0])
    return np.choose(which, cases)


def _sliced(parameters: Parameters, a: Value) -> Value:
    strides = parameters["strides"] or (1,) * a.ndim
    spans = zip(parameters["start_indices"], parameters["limit_indices"], strides, strict=True)
    return a[tuple(slice(*span) for span in spans)]


def _summed_up(parameters: Parameters, a: Value) -> Value:
    axis = parameters["axis"]
    return np.flip(np.cumsum(np.flip(a, axis), axis), axis) if parameters["reverse"] else np.cumsum(a, axis)


def _iota(parameters: Parameters, *_: Value) -> Value:
    shape, axis = parameters["shape"], parameters["dimension"]
    column = np.arange(shape[axis]).astype(parameters["dtype"])
    return _broadcast({"shape": shape, "broadcast_dimensions": (axis,)}, column)


def _part(parameters: Parameters, a: Value, *starts: Value) -> Value:
    """At starts that are moved so that the part lies within."""
    sizes = parameters["slice_sizes"]
    first = [int(np.clip(s, 0, n - size)) for s, n, size in zip(starts, a.shape, sizes, strict=True)]
    return a[tuple(slice(i, i + size) for i, size in zip(first, sizes, strict=True))]


def _padded(parameters: Parameters, a: Value, fill: Value) -> Value:
    config = parameters["padding_config"]
    return np.pad(a, [(low, high) for low, high, _ in config], constant_values=fill)


def _gathered(parameters: Parameters, a: Value, index: Value) -> Value:
    """Windows of a, one at each index; axes of indices first, then moved to where the windows' belong."""
    how, sizes = parameters["dimension_numbers"], parameters["slice_sizes"]
    batch = index.shape[:-1]
    window = [d for d in range(a.ndim) if d not in (*how.collapsed_slice_dims, *how.operand_batching_dims)]
    places = []
    for d in range(a.ndim):
        start = np.zeros(batch, int)
        if d in how.start_index_map:
            start = np.clip(index[..., how.start_index_map.index(d)].astype(int), 0, a.shape[d] - sizes[d])
        elif d in how.operand_batching_dims:
            axis = how.start_indices_batching_dims[how.operand_batching_dims.index(d)]
            start = _iota({"shape": batch, "dimension": axis, "dtype": int})
        start = np.reshape(start, (*batch, *[1] * len(window)))
        if d in window:
            steps = _iota({"shape": [sizes[w] for w in window], "dimension": window.index(d), "dtype": int})
            start = start + steps
        places.append(start)
    found = np.asarray(a[tuple(np.broadcast_arrays(*places))])
    return np.moveaxis(found, range(len(batch), found.ndim), how.offset_dims)


def _is_within(parameters: Parameters, a: Value, index: Value) -> bool:
    """Whether all windows of a gather lie within, or are moved so that they do."""
    how, sizes = parameters["dimension_numbers"], parameters["slice_sizes"]
    if a.ndim == 0 or str(parameters["mode"]).endswith("CLIP"):
        return bool(a.ndim > 0)
    most = np.array([a.shape[d] - sizes[d] for d in how.start_index_map])
    return bool(((index >= 0) & (index <= most)).all())


def _is_plain_padding(parameters: Parameters, a: Value, fill: Value) -> bool:
    return all(low >= 0 and high >= 0 and not inner for low, high, inner in parameters["padding_config"])


def _is_ordered(a: Value) -> bool:
    """Whether the order of all numbers, in which -0 is before 0 and NaN last, is the usual one."""
    return a.dtype.kind != "f" or not (np.isnan(a) | ((a == 0) & np.signbit(a))).any()


def _is_plain_sort(parameters: Parameters, first: Value, *others: Value) -> bool:
    """Whether a sort is by one array, none of whose numbers is NaN or both zeros."""
    whole = first.dtype.kind in "iu"
    return parameters["num_keys"] == 1 and (whole or (not np.isnan(first).any() and bool((first != 0).all())))


def _sorted(parameters: Parameters, *arrays: Value) -> list[Value]:
    axis = parameters["dimension"]
    if len(arrays) == 1:
        return [np.sort(arrays[0], axis=axis)]
    order = np.argsort(arrays[0], axis=axis, kind="stable")
    return [np.take_along_axis(array, order, axis) for array in arrays]


def _most(parameters: Parameters, a: Value) -> Value:
    axes = tuple(parameters["axes"])
    return np.max(a, axis=axes) if a.size else np.max(a, axis=axes, initial=-np.inf)


def _leading_zeros(parameters: Parameters, a: Value) -> Value:
    return 8 * a.dtype.itemsize - np.frexp(a.astype(np.float64))[1]


def _over_axes(function: Callable[..., Value]) -> Callable[..., Value]:
    return lambda parameters, a: function(a, axis=tuple(parameters["axes"]))


def _plain(function: Callable[..., Value]) -> Callable[..., Value]:
    return lambda parameters, *arguments: function(*arguments)


def _divided(a: Value, b: Value) -> Value:
    return np.divide(a, b) if np.issubdtype(a.dtype, np.floating) else np.trunc(np.divide(a, b))


RULES: dict[str, Callable[..., Value]] = {
    "abs": _plain(np.abs),
    "add": _plain(np.add),
    "and": _plain(np.bitwise_and),
    "bitcast_convert_type": lambda parameters, a: np.ascontiguousarray(a).view(parameters["new_dtype"]),
    "broadcast_in_dim": _broadcast,
    "cbrt": _plain(np.cbrt),
    "ceil": _plain(np.ceil),
    "clz": _leading_zeros,
    "clamp": _plain(lambda low, a, high: np.clip(a, low, high)),
    "concatenate": lambda parameters, *parts: np.concatenate(parts, parameters["dimension"]),
    "convert_element_type": lambda parameters, a: a.astype(parameters["new_dtype"], copy=False),
    "cumsum": _summed_up,
    "div": _plain(_divided),
    "dot_general": _product,
    "dynamic_slice": _part,
    "eq": _plain(np.equal),
    "erf_inv": _plain(erfinv),
    "exp": _plain(np.exp),
    "floor": _plain(np.floor),
    "gather": _gathered,
    "ge": _plain(np.greater_equal),
    "gt": _plain(np.greater),
    "integer_pow": lambda parameters, a: a ** parameters["y"],
    "iota": _iota,
    "is_finite": _plain(np.isfinite),
    "le": _plain(np.less_equal),
    "log": _plain(np.log),
    "log1p": _plain(np.log1p),
    "lt": _plain(np.less),
    "lt_to": _plain(np.less),
    "max": _plain(np.maximum),
    "min": _plain(np.minimum),
    "mul": _plain(np.multiply),
    "ne": _plain(np.not_equal),
    "neg": _plain(np.negative),
    "not": _plain(np.bitwise_not),
    "or": _plain(np.bitwise_or),
    "pad": _padded,
    "platform_index": lambda parameters: np.int32(
        next(i for i, names in enumerate(parameters["platforms"]) if names is None or "cpu" in names)
    ),
    "population_count": _plain(np.bitwise_count),
    "random_bits": threefry.random_bits,
    "random_fold_in": threefry.fold_in,
    "random_split": threefry.split,
    "reduce_and": _over_axes(np.all),
    "reduce_max": _most,
    "reduce_min": _over_axes(np.min),
    "reduce_or": _over_axes(np.any),
    "reduce_sum": _over_axes(np.sum),
    "rem": _plain(np.fmod),
    "reshape": lambda parameters, a: a.reshape(parameters["new_sizes"]),
    "select_n": _chosen,
    "shift_left": _plain(np.left_shift),
    "shift_right_logical": _plain(np.right_shift),
    "slice": _sliced,
    "sort": _sorted,
    "sqrt": _plain(np.sqrt),
    "square": _plain(np.square),
    "squeeze": lambda parameters, a: np.squeeze(a, tuple(parameters["dimensions"])),
    "stack": lambda parameters, *parts: np.stack(parts, parameters["axis"]),
    "stop_gradient": _plain(lambda a: a),
    "sub": _plain(np.subtract),
    "transpose": lambda parameters, a: np.transpose(a, parameters["permutation"]),
    "xor": _plain(np.bitwise_xor),
}
"""NumPy's words for operations; others are done by JAX, one by one."""
ONLY_IF: dict[str, Callable[..., bool]] = {
    "clz": lambda parameters, a: a.dtype.kind == "u" and a.dtype.itemsize <= 4,
    "bitcast_convert_type": lambda parameters, a: a.dtype.itemsize == parameters["new_dtype"].itemsize and a.ndim > 0,
    "gather": _is_within,
    "lt_to": lambda parameters, *arrays: all(map(_is_ordered, arrays)),
    "pad": _is_plain_padding,
    "reduce_max": lambda parameters, a: a.size > 0 or (a.ndim > 0 and a.dtype.kind == "f"),
    "reduce_min": lambda parameters, a: a.size > 0,
    "shift_right_logical": lambda parameters, a, _: a.dtype.kind == "u",
    "sort": _is_plain_sort,
}
"""The forms of an operation that a rule is for."""
