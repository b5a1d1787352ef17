"""Figures in bits: estimates, brackets, their intervals, and how they show themselves."""
