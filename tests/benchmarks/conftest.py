"""Lanes of the benchmarks train side by side, a device for each core."""

from __future__ import annotations

from capacity.runtime.devices import set_devices

set_devices(None)
