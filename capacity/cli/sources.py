"""The sources that the command line builds: the toolkit's own, and those of installed packages."""

from __future__ import annotations

import synthetic
from capacity.runtime.registry import Registry

SOURCES = Registry("sources", synthetic.SOURCES.values())
