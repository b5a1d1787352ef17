"""Information in NumPy and float64, by sums over all messages: nothing of the toolkit is used."""

from __future__ import annotations

import numpy as np

WORK = 2.5e8  # densities of one unit that a full sum may take: about a second
DRAWN_ALIKE = 4  # times the average probability: what is likelier is drawn oftener
TOGETHER = 2**19  # densities in memory
NODES_PER_STD = 8
REACH = 11.0  # standard deviations beyond which a normal density is nothing
NATS = np.log(2.0)


def entropy_of(probs: np.ndarray) -> float:
    """Bits of a distribution."""
    positive = probs[probs > 0]
    return float(-(positive * np.log2(positive)).sum())


def log_sum(exponents: np.ndarray) -> np.ndarray:
    """log sum exp over the last axis."""
    top = exponents.max(-1, keepdims=True)
    return (top + np.log(np.exp(exponents - top).sum(-1, keepdims=True)))[..., 0]


def merged(codes: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Messages of one code as one: what they have in common is all that is told of them."""
    unique, inverse = np.unique(codes, axis=0, return_inverse=True)
    return unique, np.bincount(inverse.reshape(-1), probs, len(unique))


def mixture_entropy(centres: np.ndarray, weights: np.ndarray, std: float) -> float:
    """Bits of a one-dimensional mixture of normal densities of one width: trapezoid rule wherever there is mass."""
    order = np.argsort(centres)
    centres, weights = centres[order], weights[order]
    # Stretches without a gap, each with a grid of its own relative to its start: far centres cost nothing, and the
    # difference between node and centre keeps its digits.
    starts = np.flatnonzero(np.diff(centres, prepend=-np.inf) > 2 * REACH * std)
    total = 0.0
    for first, last in zip(starts, [*starts[1:], len(centres)], strict=True):
        local, mass = (centres[first:last] - centres[first]) / std, weights[first:last]
        nodes = np.arange(-REACH, local[-1] + REACH, 1 / NODES_PER_STD)
        for part in np.array_split(nodes, max(len(nodes) // 256, 1)):
            near = slice(*np.searchsorted(local, (part[0] - 2 * REACH, part[-1] + 2 * REACH)))
            density = np.exp(-0.5 * (part[:, None] - local[None, near]) ** 2) @ mass[near] / np.sqrt(2 * np.pi)
            total -= (density * np.log2(np.maximum(density, 1e-300))).sum() / NODES_PER_STD
    return float(total + np.log2(std))


def normal_entropy(std: float) -> float:
    """Bits of a normal density."""
    return float(0.5 * np.log2(2 * np.pi * np.e) + np.log2(std))


def one_unit(codes: np.ndarray, std: float, probs: np.ndarray) -> tuple[float, float]:
    """I(M;Z) of one unit (messages,) in normal noise, by quadrature; the error is nothing."""
    return mixture_entropy(codes, probs, std) - normal_entropy(std), 0.0


def sign_bits(amplitude: float) -> float:
    """Bits of a fair sign of this amplitude in normal noise of standard deviation 1."""
    return one_unit(np.array([-amplitude, amplitude]), 1.0, np.array([0.5, 0.5]))[0]


def full_sum(
    rng: np.random.Generator, codes: np.ndarray, std: np.ndarray | float, probs: np.ndarray, work: float = WORK
) -> tuple[float, float]:
    """I(M;Z) in bits and its standard error: messages drawn alike often, likely ones oftener, each z against all.

    Args:
        rng: of the noise.
        codes: (messages, units).
        std: of normal noise, one number or (messages, units).
        probs: (messages,).
        work: densities of one unit that may be taken.
    """
    if np.ndim(std) == 0:
        codes, probs = merged(codes, probs)
        if codes.shape[1] == 1:
            return one_unit(codes[:, 0], float(std), probs)
    std, everything = np.broadcast_to(std, codes.shape), (tuple(range(codes.shape[1])),)
    # A likely message counts as several, each drawn as often as a rare one: else few draws of it would be all there is.
    copies = np.maximum(np.ceil(probs * len(probs) / DRAWN_ALIKE), 1).astype(int)
    codes, std = (np.repeat(part, copies, axis=0) for part in (codes, std))
    probs = np.repeat(probs / copies, copies)
    values, controls = sums_by_units(rng, codes, std, probs, everything, work)
    return stratified(values[0], controls, probs)


def sums_by_units(
    rng: np.random.Generator,
    codes: np.ndarray,
    stds: np.ndarray,
    probs: np.ndarray,
    subsets: tuple[tuple[int, ...], ...],
    work: float = WORK,
) -> tuple[np.ndarray, np.ndarray]:
    """Values whose means are I(M;Z_S) for subsets S of the units, on the same z, and their controls.

    Args:
        rng: of the noise.
        codes: (messages, units).
        stds: (messages, units), of normal noise.
        probs: (messages,).
        subsets: numbers of units.
        work: densities of one unit that may be taken.

    Returns:
        (subsets, messages, pairs) in bits, and controls (messages, pairs, k) of mean 0 in each message.
    """
    count, units = codes.shape
    pairs = int(np.clip(work / (2 * count * count * (units + 4 * len(subsets))), 2, max(2**18 // count, 2)))
    half = rng.normal(size=(count, pairs, units))
    noise = np.stack([half, -half], 2).reshape(-1, units)  # antithetic: what is odd in the noise goes
    place, log_probs, log_stds = np.repeat(np.arange(count), 2 * pairs), np.log(probs), np.log(stds)
    values = np.empty((len(subsets), len(place)))
    step = max(TOGETHER // count, 1)
    for start in range(0, len(place), step):
        rows = slice(start, start + step)
        z, here = codes[place[rows]], stds[place[rows]]
        terms = []
        for unit in range(units):
            # Codes first, then the noise: a code far out keeps the digits of its noise.
            gap = z[:, None, unit] - codes[None, :, unit] + (here * noise[rows])[:, None, unit]
            terms.append(-0.5 * np.square(gap / stds[None, :, unit]) - log_stds[None, :, unit])
        sent = -0.5 * noise[rows] ** 2 - log_stds[place[rows]]
        for one, subset in enumerate(subsets):
            exponents = log_probs[None] + sum(terms[unit] for unit in subset)
            values[one, rows] = (sent[:, list(subset)].sum(1) - log_sum(exponents)) / NATS
    left, right = np.triu_indices(units)
    controls = half[..., left] * half[..., right] - (left == right)
    if np.ptp(log_stds, 0).any():  # a message's own width decides what its noise says
        wider = (log_stds - log_stds.mean(0)) / (log_stds.std(0) + 1e-12)
        squares = (half**2 - 1) * wider[:, None]
        controls = np.concatenate([controls, squares, squares * wider[:, None]], 2)
    return values.reshape(len(subsets), count, pairs, 2).mean(3), controls


def stratified(values: np.ndarray, controls: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Mean and standard error of values (strata, each), controls (strata, each, k) of mean 0 taken away by regression.

    Each stratum's values count by its weight; the controls' means are 0 in every stratum.
    """
    centred = weights[:, None, None] * (controls - controls.mean(1, keepdims=True))
    told = weights[:, None] * (values - values.mean(1, keepdims=True))
    slopes = np.linalg.lstsq(centred.reshape(-1, controls.shape[2]), told.reshape(-1), rcond=1e-8)[0]
    left = values - controls @ slopes
    return float(weights @ left.mean(1)), float(np.sqrt(weights**2 @ left.var(1, ddof=1) / values.shape[1]))


def atoms(outcomes: np.ndarray, chances: np.ndarray, probs: np.ndarray) -> tuple[float, float]:
    """I(M;Z) where z takes listed values: exact.

    Args:
        outcomes: (messages, values, units).
        chances: (messages, values), of each value given the message.
        probs: (messages,).
    """
    count, values, units = outcomes.shape
    _, z = np.unique(outcomes.reshape(-1, units), axis=0, return_inverse=True)
    message = np.repeat(np.arange(count), values)
    pair, which = np.unique(np.stack([message, z.reshape(-1)], 1), axis=0, return_inverse=True)
    joint = np.bincount(which.reshape(-1), (chances * probs[:, None]).reshape(-1), len(pair))
    received = np.bincount(pair[:, 1], joint)
    some = joint > 0
    ratio = joint[some] / (probs[pair[some, 0]] * received[pair[some, 1]])
    return float((joint[some] * np.log2(ratio)).sum()), 0.0


def all_signs(digits: int) -> np.ndarray:
    """Every row of +-1, (2^digits, digits)."""
    return 2.0 * ((np.arange(2**digits)[:, None] >> np.arange(digits)) & 1) - 1


def even(count: int) -> np.ndarray:
    """Equal probabilities."""
    return np.full(count, 1 / count)
