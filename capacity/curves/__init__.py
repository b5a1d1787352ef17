"""Bits against noise: a checked plan, two compiled programs, a schedule, and a labelled dataset with its checks."""

from capacity.runtime.deprecated import old_names

__getattr__ = old_names(__name__)
