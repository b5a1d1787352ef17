"""Rows that follow each other in time: how much memory they have, intervals that allow for it, and lags."""
