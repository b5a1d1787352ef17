"""How many numbers tell where a row lies: the dimension of the set that rows of many columns lie on.

Balls of radius r hold a number of rows that goes as r^d.  With T_j the distance to the j-th nearest row, the likeliest
1/d is the mean of log(T_k / T_j) over j < k (Levina & Bickel 2004, NeurIPS 17), averaged over rows before it is
inverted (MacKay & Ghahramani 2005).  It is too low where d is high, since balls are then not small.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

NEIGHBOURS = 20
QUERIES = 500
MAX_ROWS = 10_000


def intrinsic_dimension(random: np.random.Generator, rows: Float[np.ndarray, "n columns"]) -> float:
    """The dimension of the set on which rows lie, at most the number of columns.

    Args:
        random: of the rows that are looked at.
        rows: more than 20, each column on the scale on which distances are to be measured; no two equal.

    Raises:
        ValueError: for 20 rows or fewer.
    """
    if len(rows) <= NEIGHBOURS:
        raise ValueError(f"Expected more than {NEIGHBOURS} rows; got {len(rows)}.")
    rows = rows[random.permutation(len(rows))[:MAX_ROWS]]
    queries = rows[:QUERIES]
    lengths = (rows**2).sum(axis=1)
    squares = lengths[:QUERIES, None] + lengths - 2 * queries @ rows.T
    squares[np.arange(len(queries)), np.arange(len(queries))] = np.inf
    nearest = np.sort(np.partition(squares, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS], axis=1)
    logs = 0.5 * np.log(np.maximum(nearest, np.finfo(np.float64).tiny))
    inverse = float((logs[:, -1:] - logs[:, :-1]).mean()) * (NEIGHBOURS - 1) / (NEIGHBOURS - 2)
    return min(1 / max(inverse, 1e-12), float(rows.shape[1]))
