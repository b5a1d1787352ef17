"""Bounds from one side that need no list: a decoder from below, a density of Z or the ceiling from above."""
