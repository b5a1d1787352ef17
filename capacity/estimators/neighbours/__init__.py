"""Nearest neighbours: three searches for them, and the estimators and intervals that are made of their distances."""

from capacity.runtime.deprecated import old_names

__getattr__ = old_names(__name__)
