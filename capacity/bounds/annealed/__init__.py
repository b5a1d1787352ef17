"""Brackets at any size: chains from an approximation of the posterior to the truth and back, and bounds by them."""
