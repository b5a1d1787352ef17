"""JAX's operations in NumPy's words, one rule a primitive: from its parameters and arrays to what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from scipy.special import erfinv

from capacity.runtime import threefry

Value: TypeAlias = Any  # np.ndarray; of keys their words, or a jax.Array where their bits are not `threefry`'s
Parameters: TypeAlias = dict[str, Any]


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
