"""Dependence behind a smooth map: libraries of features, canonical variates of these, and the estimator on top."""

from capacity.runtime.deprecated import old_names

__getattr__ = old_names(__name__)
