"""Figures in bits: estimates, brackets, their intervals, and how they show themselves."""

from capacity.results.estimate import Bracket, Estimate, TracePoint

__all__ = ["Bracket", "Estimate", "TracePoint"]
