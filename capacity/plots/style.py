"""Colours of Okabe & Ito (2008), told apart by colour-blind readers too: a system has the same one in every figure."""

from __future__ import annotations

import zlib

SYSTEM_COLOURS = {"gaussian": "#0072B2", "vae": "#D55E00"}


OTHER_COLOURS = ("#CC79A7", "#56B4E9", "#E69F00")


CEILING_COLOUR, SOURCE_COLOUR, PAM_COLOUR = "#000000", "#777777", "#009E73"


LOST_COLOUR = "#333333"


def colour(system: str) -> str:
    """The colour of a system, the same in every figure."""
    if system in SYSTEM_COLOURS:
        return SYSTEM_COLOURS[system]
    return OTHER_COLOURS[zlib.crc32(system.encode()) % len(OTHER_COLOURS)]
