"""Any Python callable as an encoder: one that JAX can trace as it is, any other evaluated once for every message.

A traced encoder takes one vector (dim,).  One that cannot be traced (a model of another framework, NumPy) takes a
batch (n, dim) as a NumPy array and gives a batch back, (n, units), or for a learnt noise the pair of means and log
standard deviations.  Where the source's messages can be listed, their codes are computed once, batch by batch, and
looked up from then on: nothing calls back into Python while bits are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from capacity.channels import Code, Posterior
from capacity.joint.joint import Joint
from capacity.joint.table import Rows, tabled

AnyEncoder: TypeAlias = Callable[[Any], Any]  # of one vector, or of a NumPy batch of them
BATCH = 4096
PROBE = 64  # vectors that are encoded again, alone and in a batch
REPEAT_TOLERANCE = 1e-3  # of the codes' spread: rounding stays below, noise and batch statistics do not


def traceable(joint: Joint) -> Joint:
    """The joint itself if its encoder can be traced; else one whose codes are tabled.

    Raises:
        ValueError: where the encoder can be neither traced nor called on batches of NumPy arrays, where messages
            cannot be listed for a table, and for codes of wrong shapes, not finite, or different at each call.
    """
    try:
        code = _traced_code(joint)
    except Exception as why:  # a user's function may raise anything; what it raised is said below
        return _tabled(joint, why)
    if type(code) is tuple and len(code) == 2 and joint.channel.code is Posterior:
        joint = replace(joint, encoder=jax.tree_util.Partial(_posterior, joint.encoder))
    shapes = [leaf.shape for leaf in jax.tree.leaves(code)]
    axes = joint.channel.code_axes
    if any(len(shape) != axes for shape in shapes):
        wanted = "(units,)" if axes == 1 else "(outcomes, units)"
        raise ValueError(
            f"Expected an encoder from one vector to one code of shape {wanted}; got {_shown(shapes)}. A function of "
            "whole batches is taken too, if JAX cannot trace it: let it take and give NumPy arrays."
        )
    return joint


def _traced_code(joint: Joint) -> Code:
    """Shapes of one code; raises whatever the encoder does on a tracer, mapped as it will be."""

    def encode(joint: Joint) -> Code:
        return jax.lax.map(joint.encoder, joint.source.sample(jax.random.key(0), 2).vector)

    codes = jax.eval_shape(encode, joint)
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), codes)


def _tabled(joint: Joint, why: Exception) -> Joint:
    reason = f"{type(why).__name__}: {str(why).strip().splitlines()[0] if str(why).strip() else ''}"
    if not joint.source.listable:
        raise ValueError(
            "Expected an encoder that JAX can trace, as the source's messages are too many to list and encode one by "
            f"one; tracing gave {reason} Write it with jax.numpy, or take a source of at most 2^20 messages."
        ) from why
    vectors, log_probs = joint.source.codebook()
    encode = _plain(joint.encoder)
    batches = [np.array(vectors[start : start + BATCH]) for start in range(0, len(vectors), BATCH)]
    try:
        codes = [_arrays(encode(batch)) for batch in batches]
    except Exception as error:  # as above
        raise ValueError(
            "Expected an encoder that JAX can trace, or one from a NumPy batch (n, dim) to a NumPy batch (n, units); "
            f"tracing gave {reason} and a batch of {batches[0].shape} gave {type(error).__name__}: {error}"
        ) from error
    for batch, code in zip(batches, codes, strict=True):
        _check(batch, code)
    table = tuple(np.concatenate(parts) for parts in zip(*codes, strict=True))
    _check_repeats(encode, batches[0][:PROBE], tuple(part[:PROBE] for part in table))
    leaves = tuple(jnp.asarray(part, jnp.float32) for part in table)
    rows = Rows.of(np.exp(np.asarray(log_probs, np.float64)))
    return tabled(rows, Posterior(*leaves) if len(leaves) == 2 else leaves[0], joint.channel)


def _plain(encoder: AnyEncoder) -> AnyEncoder:
    """The user's own function under the `Partial` that a joint puts around it."""
    if isinstance(encoder, jax.tree_util.Partial) and not encoder.args and not encoder.keywords:
        return encoder.func
    return encoder


def _arrays(code: PyTree) -> tuple[np.ndarray, ...]:
    """A batch of codes as one array, or as means and log standard deviations."""
    parts = code if isinstance(code, tuple | list) else (code,)
    return tuple(np.asarray(part) for part in parts)


def _check(batch: np.ndarray, code: tuple[np.ndarray, ...]) -> None:
    shapes = [part.shape for part in code]
    fits = all(len(shape) == 2 and shape[0] == len(batch) and shape == shapes[0] for shape in shapes)
    if not (1 <= len(code) <= 2 and fits and 0 not in shapes[0]):
        raise ValueError(
            f"Expected codes of shape ({len(batch)}, units), or a pair of such, for a batch of {batch.shape}; "
            f"got {_shown(shapes)}."
        )
    for part in code:
        if part.dtype.kind not in "fiub" or not np.isfinite(part.astype(np.float64)).all():
            raise ValueError(f"Expected finite real codes; got {part.dtype} with some that are not.")


def _check_repeats(encode: AnyEncoder, batch: np.ndarray, code: tuple[np.ndarray, ...]) -> None:
    """One vector has one code: whenever it is asked for, and whatever stands beside it in the batch."""
    for vectors in (batch, batch[: max(len(batch) // 2, 1)], batch[:1]):
        again = _arrays(encode(vectors))
        for part, before in zip(again, code, strict=True):
            gap = np.abs(part.astype(np.float64) - before[: len(vectors)].astype(np.float64)).max()
            if not gap <= REPEAT_TOLERANCE * max(float(np.std(before.astype(np.float64))), 1e-6):
                raise ValueError(
                    "Expected an encoder that gives a vector the same code at each call and in each batch; got codes "
                    f"that differ by {gap:.3g}. Is a model in training mode (its own noise, batch statistics)? "
                    "Call its eval() first: the noise belongs to the channel."
                )


def _posterior(encoder: AnyEncoder, vector: PyTree) -> Posterior:
    return Posterior(*encoder(vector))


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(str(shape) for shape in shapes)
