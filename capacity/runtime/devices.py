"""How many programs run at once, so that lanes train side by side."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from capacity.runtime.cores import cores

GPUS = {
    "NVIDIA": (("/dev/nvidia0", "/proc/driver/nvidia/version"), "jax[cuda12]"),
    "AMD": (("/dev/kfd",), "jax[rocm]"),
}


_ASKED: dict[str, int] = {}


def set_devices(asked: int | None) -> None:
    """How many programs this process keeps going at once on a CPU; None for one a core and at most 8."""
    _ASKED.clear()
    if asked is not None:
        _ASKED["cpu"] = asked


def workers() -> int:
    """How many compiled programs are kept going at once: one a core and at most 8, or two where a GPU does the work."""
    import jax

    return _ASKED.get("cpu", min(cores(), 8)) if jax.default_backend() == "cpu" else 2


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
