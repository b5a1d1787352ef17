"""Whether there is as much memory as work needs: asked before any of it is taken."""

from __future__ import annotations

import os
from pathlib import Path

GIB = 2.0**30


def free_memory() -> float:
    """Bytes that programs may still take; of the whole machine where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def check_fits(needed: float, what: str, lower: str) -> None:
    """Refuse work that needs more memory than there is.

    Args:
        needed: bytes that it takes at the least.
        what: the work, as in "Expected WHAT that fits into memory".
        lower: a sentence on what to ask for instead.

    Raises:
        ValueError: saying how much, of how much, and what to lower.
    """
    free = free_memory()
    if needed > free:
        raise ValueError(
            f"Expected {what} that fits into memory, of which {free / GIB:,.1f} GiB are free; got one that takes "
            f"{needed / GIB:,.1f} GiB or more. {lower}"
        )
