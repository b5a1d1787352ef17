"""How many cores this process may use: one count, which everything that runs side by side asks for.

The affinity says which cores there are; a control group (cgroup), as a container or a batch system sets it, says how
much of their time: a quota of 150 ms in a period of 100 ms is one core and a half.  Half a core is rounded up: a thread
that waits at times costs less than half a core that never works.
"""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

from capacity.runtime.control_groups import MEMBERSHIP, MOUNT, control_groups, text_of


def cores() -> int:
    """Cores that this process may use, at least 1: the least of its affinity and of its control groups' quotas."""
    if hasattr(os, "sched_getaffinity"):
        most = len(os.sched_getaffinity(0))
    else:
        most = os.cpu_count() or 1
    return max(1, math.ceil(min(most, quota())))


@cache
def quota(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> float:
    """Cores' worth of time that the control groups of this process allow; infinite where none sets a limit.

    Args:
        membership: the file that names the process's groups.
        mount: where the hierarchies of groups are mounted.
    """
    limits = [_limit(group) for group in control_groups("cpu", membership, mount)]
    return min(limits, default=math.inf)


def _limit(group: Path) -> float:
    """One group's quota over its period, of version 2 or of version 1; infinite where it has none."""
    asked, _, period = text_of(group / "cpu.max").partition(" ")
    if not asked:
        asked, period = text_of(group / "cpu.cfs_quota_us"), text_of(group / "cpu.cfs_period_us")
    try:
        time, of = int(asked), int(period)
        return time / of if time > 0 and of > 0 else math.inf
    except (ValueError, OverflowError):  # "max", or no such file
        return math.inf
