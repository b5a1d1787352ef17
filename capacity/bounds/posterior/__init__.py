"""Approximations of p(m|z) that can be sampled: where the chains of a bracket start, and what moves them."""
