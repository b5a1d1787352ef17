"""Fit one lane, sweep many; knows losses, not models."""

from capacity.training.fit import cosine_adam, fit
from capacity.training.sweep import pad_lanes, sweep
from capacity.training.training import Training, measurement_key, sender

__all__ = ["Training", "cosine_adam", "fit", "measurement_key", "pad_lanes", "sender", "sweep"]
