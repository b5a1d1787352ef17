"""What is settled before JAX starts: where compiled programs are kept, and which processes work together."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
from pathlib import Path
from typing import Any


def silence_runtime() -> None:
    """Keep alarms of the compiler and of JAX's search for devices out of the terminal, unless they are asked for.

    "Very slow compile" and the like are for those who write compilers; what fails is raised in any case.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # fatal ones alone
    logging.getLogger("jax._src.xla_bridge").setLevel(logging.ERROR)  # a GPU unused is said by `devices`, once


def start_jax() -> None:
    """Start JAX, with compiled programs kept, or refuse a platform that it has not got here, before any work.

    Raises:
        ValueError: saying what to set.
    """
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # without a driver for what was asked, JAX trips over itself
        asked = os.environ.get("JAX_PLATFORMS")
        if not asked:
            raise
        raise ValueError(
            f"Expected JAX_PLATFORMS to name what JAX can run on here; got {asked!r}. Unset it, or say "
            "JAX_PLATFORMS=cpu; for an NVIDIA GPU: pip install 'jax[cuda12]'."
        ) from error
    keep_compiled()


def keep_compiled() -> None:
    """Keep compiled programs in the user's cache directory, unless JAX has been told where or not to.

    A program compiled for a CPU runs on one with the same features only, so these name the directory.
    """
    import jax

    config: Any = jax.config  # its options are not declared
    if config.jax_compilation_cache_dir is not None or not config.jax_enable_compilation_cache:
        return
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    flags = [line for line in lines if line.startswith(("flags", "Features"))]
    features = hashlib.sha256("".join([platform.machine(), platform.processor(), *flags[:1]]).encode()).hexdigest()[:12]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = home / "infocapacity" / f"jax-{jax.__version__}-{features}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written: nothing is kept
        return
    config.update("jax_compilation_cache_dir", str(place))
    config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def join(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Join the processes of `jax.distributed`, if they are asked for; process 0 listens at this address alone.

    Raises:
        ValueError: unless all three are given, or none.
    """
    import jax

    given = [value is not None for value in (coordinator, processes, process)]
    if not any(given):
        return
    if not all(given):
        raise ValueError("Expected --coordinator HOST:PORT, --processes and --process together; got some of them.")
    jax.distributed.initialize(coordinator, processes, process, coordinator_bind_address=coordinator)
