"""How many devices the CPU is split into, so that lanes train side by side."""

from __future__ import annotations

import os


def set_devices(asked: int | None) -> None:
    """Split the CPU into `asked` devices, by default one a core and at most 8; only works before JAX has started.

    Raises:
        ValueError: if JAX has started with another number.
    """
    import jax

    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if asked is None and "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    try:
        jax.config.update("jax_num_cpu_devices", asked or min(cores, 8))
    except RuntimeError as error:
        if asked is not None and asked != jax.local_device_count():
            raise ValueError(f"Expected --devices before JAX started; it has {jax.local_device_count()}.") from error
