"""What no bracket can be promised for, and the remedy: said before any work."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from capacity.channels.channel import Channel
from capacity.joint.joint import Joint, drawn, noisy_moments
from capacity.runtime.shapes import Key

CHECKED = 4096  # messages
LEAST_NOISE = 100 * float(np.finfo(np.float32).eps)  # of a unit: at less, rounding of z adds to it visibly
ALONE, DIFFERENT, SAME = 16, 4, 1e-3  # vectors encoded alone; one in so many may differ, by more than so much
SHOWN = 64  # digits of a message that an error quotes


def check_full_support(channel: Channel) -> None:
    """Refuse a channel under which chains from message to message are cut off.

    Raises:
        ValueError: if its density may be 0.
    """
    if not channel.full_support:
        raise ValueError(
            f"Expected a channel that leaves every message possible, for an annealed bracket; got {channel.name}, "
            "whose noisy units rule messages out. A source of at most 2**20 messages can be enumerated instead, and "
            "Gaussian noise after the channel (`Chain`) makes it fit for a bracket."
        )


def check_codes(key: Key, joint: Joint) -> None:
    """Refuse codes that are no numbers, or too large for their noise in single precision.

    Args:
        key: of the messages that are looked at.
        joint: source, encoder and channel.

    Raises:
        ValueError: if the mean or the variance of a noisy unit is not finite for some message, or if rounding to single
            precision is no longer small beside the noise.
    """
    batch = drawn(joint.source, key, CHECKED)
    means, variances = (np.asarray(part) for part in noisy_moments(joint, batch.vector))
    wrong = ~(np.isfinite(means) & np.isfinite(variances))
    if wrong.any():
        row, unit = np.argwhere(wrong)[0]
        raise ValueError(
            f"Expected finite codes; got a mean of {means[row, unit]} and a variance of {variances[row, unit]} in unit "
            f"{unit} for the message {_quoted(batch.message, row)}, and the like for {wrong.any(1).sum()} of {CHECKED} "
            "sampled messages. Look for divisions by 0, overflow, and logarithms or roots of negative numbers in the "
            "encoder."
        )
    _check_alone(joint, batch.vector, means, np.sqrt(variances))
    noise = np.sqrt(variances)
    lost = (noise > 0) & (noise < LEAST_NOISE * np.abs(means))
    if lost.any() and not joint.channel.atomic:
        row, unit = np.unravel_index(np.argmax(np.where(lost, np.abs(means) / np.maximum(noise, 1e-30), 0)), lost.shape)
        remedy = "enumerate the messages (method='enumeration'), or s" if joint.source.listable else "s"
        raise ValueError(
            f"Expected noise of at least {LEAST_NOISE:.1e} of a unit's size, which single precision resolves; got "
            f"noise of {noise[row, unit]:.3g} on unit {unit}, whose code is {means[row, unit]:.6g} for the message "
            f"{_quoted(batch.message, row)}. Remedy: {remedy}ubtract the units' means in the encoder, which changes no "
            "bits; where the code's own spread is as large beside its noise, no noise to speak of limits it."
        )


def _check_alone(joint: Joint, vectors: PyTree, means: np.ndarray, noise: np.ndarray) -> None:
    """Refuse an encoder whose program for many vectors gives other codes than that for one.

    Raises:
        ValueError: if more than one in `DIFFERENT` of some vectors has another code alone.
    """
    rows = np.arange(ALONE) * (CHECKED // ALONE)
    each = [np.asarray(noisy_moments(joint, jax.tree.map(lambda a, i=i: a[i : i + 1], vectors))[0][0]) for i in rows]
    apart = np.abs(np.stack(each) - means[rows]) > SAME * (np.abs(means[rows]) + noise[rows])
    if apart.any(1).sum() > ALONE // DIFFERENT:
        raise ValueError(
            f"Expected an encoder that gives a vector the same code among others as alone; got other codes for "
            f"{apart.any(1).sum()} of {ALONE} vectors. Compilers make wrong programs of some reductions (XLA on CPU, "
            "JAX 0.10.2): write sums over axes as matrix products."
        )


def check_fitted(approximation: PyTree) -> None:
    """Refuse an approximation that is no number somewhere: it met a code that `check_codes` did not.

    Args:
        approximation: of the posterior, as fitted.

    Raises:
        ValueError: if a leaf has a NaN.
    """
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(approximation)]
    if any(np.isnan(leaf).any() for leaf in leaves if np.issubdtype(leaf.dtype, np.floating)):
        raise ValueError(
            f"Expected finite codes; got some that are not, of messages too rare to be among {CHECKED} sampled ones: "
            f"what {type(approximation).__name__} fitted to others is NaN. Look for divisions by 0, overflow, and "
            "logarithms or roots of negative numbers in the encoder."
        )


def _quoted(messages: PyTree, row: Any) -> str:
    """The row's message, its first digits."""
    parts = [np.asarray(leaf)[row].ravel() for leaf in jax.tree.leaves(messages)]
    numbers = np.concatenate(parts)
    text = " ".join(f"{number:.4g}" for number in numbers[:SHOWN])
    return f"[{text}{' ...' if len(numbers) > SHOWN else ''}]"
