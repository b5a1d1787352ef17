"""The versions and the platform that figures depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import jax


def versions() -> dict[str, str]:
    """Versions and the platform that figures depend on."""
    found = {"python": platform.python_version(), "platform": jax.default_backend()}
    for package in ("infocapacity", "jax", "jaxlib", "flax", "optax", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
