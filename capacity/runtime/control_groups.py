"""The control groups (cgroups) that this process is in: what a container or a batch system lets it have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP, MOUNT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def control_groups(controller: str, membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> Iterator[Path]:
    """The directories of the groups that may limit the process, and of all above them: each of these limits it too.

    Inside a container the path may be the one outside, which is not there: the groups above it still are.

    Args:
        controller: what is limited, "cpu" or "memory".
        membership: the file that names the process's groups.
        mount: where the hierarchies of groups are mounted.
    """
    for line in text_of(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:  # version 2; beside version 1 it is mounted in a directory of its own
            roots = [mount, mount / "unified"]
        elif controller in controllers.split(","):
            roots = [mount / controllers, mount / controller]
        else:
            continue
        group = Path(path.lstrip("/"))
        for root in roots:
            yield from (root / above for above in (group, *group.parents))


def text_of(file: Path) -> str:
    """What a file holds; nothing where it is not there or may not be read."""
    try:
        return file.read_text().strip()
    except (OSError, ValueError):  # a name or a text that is none
        return ""
