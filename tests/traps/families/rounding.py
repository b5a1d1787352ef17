"""Numbers written with few digits: tenths, whole numbers, five levels, one side or both, one column or all."""

from __future__ import annotations

import numpy as np

from tests.traps.families.clipping import seen
from tests.traps.laws.coarse import as_is, coarse, levels, rounded
from tests.traps.laws.law import beside
from tests.traps.task import Task

FAMILY = "rounding"


def tasks() -> list[Task]:
    """The family."""
    tenth, half, whole, fine, plain = rounded(0.1), rounded(0.5), rounded(1.0), rounded(0.02), as_is()
    likert, yes_no = levels([-1.2, -0.4, 0.5, 1.3]), levels([0.3])
    years = rounded(1.0 / 12.0)
    four = beside(*[coarse(0.6, half, half)] * 4)

    def age(latent: np.ndarray) -> np.ndarray:
        return np.rint(40 + 12 * seen(years)(latent)).astype(np.int64)

    def answers(cells) -> object:
        return lambda latent: seen(cells)(latent).astype(np.int64)

    return [
        Task("rounded-to-.5", FAMILY, coarse(0.8, half, half), seen(half), seen(half)),
        Task("rounded-to-whole", FAMILY, coarse(0.95, whole, whole), seen(whole), seen(whole)),
        Task("rounded-to-.1-strong", FAMILY, coarse(0.99, tenth, tenth), seen(tenth), seen(tenth)),
        Task("rounded-to-.02-one-side", FAMILY, coarse(0.7, fine, plain), seen(fine)),
        Task("ages-in-years", FAMILY, coarse(0.6, years, plain), age),
        Task("five-levels-both", FAMILY, coarse(0.7, likert, likert), answers(likert), answers(likert)),
        Task("five-levels-and-number", FAMILY, coarse(0.8, likert, plain), seen(likert)),
        Task("yes-or-no-and-number", FAMILY, coarse(0.9, yes_no, plain), answers(yes_no)),
        Task("rounded-4-columns", FAMILY, four, seen(*[half] * 4), seen(*[half] * 4)),
    ]
