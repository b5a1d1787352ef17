"""Every channel of `CHANNELS` at both ends of its range, on 64 random codes."""

from __future__ import annotations

import numpy as np

from capacity import Joint
from capacity.channels import CHANNELS
from synthetic import Codebook
from tests.families.channel_settings import REFUSED, SETTINGS
from tests.families.problem import Family, Problem, of_joint


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Channels in turn, low ends and high ends; every fourth round by bracket."""
    name = list(CHANNELS)[number % len(CHANNELS)]
    high, bracket = bool(number // len(CHANNELS) % 2), number // (2 * len(CHANNELS)) % 4 == 3
    setting = SETTINGS[name](rng, high)
    joint = Joint(Codebook(setting.vectors), setting.encode, setting.channel)
    why = setting.refusable if bracket or setting.refusable != REFUSED else ""
    if bracket and name == "uniform":
        why = REFUSED
    method = "bracket" if bracket else "enumeration"
    words = f"{name}, {'high' if high else 'low'} end: {setting.level}"
    return of_joint(words, joint, setting.truth, method, 1.0, why)


FAMILY = Family("channels", 128, problem, "every channel at both ends of its range, on 64 codes of 1 to 8 units")
