"""The versions and the platform that figures depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("infocapacity", "jax", "jaxlib", "flax", "optax", "numpy")
"""The toolkit, and what its figures depend on."""


def version_of(package: str) -> str:
    """The version of an installed distribution, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """What figures depend on by name: Python, the platform that JAX computes on, and the packages."""
    import jax

    found = {"python": platform.python_version(), "platform": jax.default_backend()}
    return found | {package: version_of(package) for package in PACKAGES}
