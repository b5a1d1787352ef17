"""Whether there is as much memory as work needs: asked before any of it is taken."""

from __future__ import annotations

import math
import os
from pathlib import Path

from capacity.runtime.control_groups import MEMBERSHIP, MOUNT, control_groups, text_of

GIB = 2.0**30


def free_memory() -> float:
    """Bytes that this process may still take: the least of what the machine has left and its control groups allow."""
    return min(_of_machine(), left_in_groups())


def left_in_groups(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> float:
    """Bytes that the process's control groups have left; infinite where none sets a limit.

    Args:
        membership: the file that names the process's groups.
        mount: where the hierarchies of groups are mounted.
    """
    return min((_left(group) for group in control_groups("memory", membership, mount)), default=math.inf)


def _of_machine() -> float:
    """Bytes that programs may still take; of the whole machine where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _left(group: Path) -> float:
    """One group's limit less its use, of version 2 or of version 1; infinite where it has none.

    Pages of files that nobody has used of late count as free: the system gives them up.
    """
    for limit, usage, pages in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            left = float(int(text_of(group / limit)) - int(text_of(group / usage)))
        except (ValueError, OverflowError):  # "max", or no such file
            continue
        stat = dict(line.split()[:2] for line in text_of(group / "memory.stat").splitlines() if " " in line)
        return max(left + float(stat.get(pages, 0)), 0.0)
    return math.inf


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
