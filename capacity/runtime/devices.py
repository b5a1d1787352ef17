"""How many devices the CPU is split into, so that lanes train side by side, and how many programs run at once."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

GPUS = {
    "NVIDIA": (("/dev/nvidia0", "/proc/driver/nvidia/version"), "jax[cuda12]"),
    "AMD": (("/dev/kfd",), "jax[rocm]"),
}


def set_devices(asked: int | None) -> None:
    """Split the CPU into `asked` devices, by default one a core and at most 8; only works before JAX has started.

    Raises:
        ValueError: if JAX has started with another number.
    """
    import jax

    config: Any = jax.config  # its options are not declared
    if asked is None and "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    try:
        config.update("jax_num_cpu_devices", asked or min(cores(), 8))
    except RuntimeError as error:
        if asked is not None and asked != jax.local_device_count():
            raise ValueError(f"Expected --devices before JAX started; it has {jax.local_device_count()}.") from error


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers() -> int:
    """How many compiled programs are kept going at once: one a core and at most 8, or two where a GPU does the work."""
    import jax

    return min(cores(), 8) if jax.default_backend() == "cpu" else 2


def programs() -> ThreadPoolExecutor:
    """Threads for `workers()` programs, traced with the caller's precision of products (JAX has one a thread)."""
    import jax

    config: Any = jax.config  # its options are not declared
    scope = jax.default_matmul_precision(config.jax_default_matmul_precision)
    return ThreadPoolExecutor(max_workers=workers(), initializer=scope.__enter__)


def unused_gpu() -> str:
    """What to do about a GPU that is there while JAX runs on the CPU; empty where there is none or it was asked for."""
    import jax

    if os.environ.get("JAX_PLATFORMS") or jax.default_backend() != "cpu":
        return ""
    for kind, (files, package) in GPUS.items():
        if any(Path(file).exists() for file in files):
            return (
                f"A GPU is there ({kind}), but JAX runs on the CPU: pip install '{package}' for the GPU, or set "
                "JAX_PLATFORMS=cpu to say that it is meant so."
            )
    return ""


def hint_at_gpu(quiet: bool) -> None:
    """Say on stderr that a GPU is there and unused, before work that it might do faster."""
    note = "" if quiet else unused_gpu()
    if note:
        print(note, file=sys.stderr)
