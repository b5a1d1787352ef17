"""Control variates of a layer's figures: columns of exactly zero mean, whatever the network, along the codes' own axes.

With c_i the code of point i as fitted, u the mean of the noisy code z given the noise e before, J e what e adds to it
were it linear, and lengths in the precision A of the noise given the point, or B of all codes:

    |z - u|^2_A less its mean,   (z - u)' A (u - c_i),   |J e|^2_A less its mean,
    (z - u)' B (u - c),   (J e)' B (c_i - c),   |c_i - c|^2_B, capped, less its mean over all points
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from capacity.analysis.model.critics import Critics
from capacity.analysis.model.inner import LayerSample

CAPPED = 9.0  # squared lengths, for each unit


def layer_controls(critics: Critics, sample: LayerSample) -> Float[np.ndarray, "n c"]:
    """Columns of zero mean (n, c), nats; c = 0 where codes have atoms or memory.

    Args:
        critics: laws fitted to other codes.
        sample: noisy codes.
    """
    if critics.normal is None or not critics.channel.memoryless:
        return np.zeros((len(sample.z), 0))
    centre, root, _ = critics.normal
    units = centre.shape[1]
    middle = centre.mean(0)
    given = np.linalg.inv(root)
    between = (centre - middle).T @ (centre - middle) / len(centre)
    whole = np.linalg.inv(np.linalg.cholesky(root @ root.T + between))
    last, code = sample.z - sample.mean, centre[sample.rows]
    square = np.square(last @ given.T).sum(1) - (sample.variance @ np.square(given).T).sum(1)
    lengths = np.minimum(np.square((centre - middle) @ whole.T).sum(1), CAPPED * units)
    columns = [
        0.5 * square,
        _product(last, sample.mean - code, given),
        _product(last, sample.mean - middle, whole),
        0.5 * (lengths[sample.rows] - lengths.mean()),
    ]
    if sample.slope is not None:
        columns.append(0.5 * (np.square(sample.linear @ given.T).sum(1) - np.square(given @ sample.slope).sum()))
        columns.append(_product(sample.linear, code - middle, whole))
    return np.stack(columns, 1)


def _product(one: np.ndarray, other: np.ndarray, inverse: np.ndarray) -> Float[np.ndarray, " n"]:
    return np.asarray(((one @ inverse.T) * (other @ inverse.T)).sum(1))
