"""Codes whose units depend on few digits each: log densities exact by sums along a row of windows, at any length."""
