"""Fit one lane and sweep many; the contract of a system, and how one is trained in two stages."""

from capacity.runtime.deprecated import old_names
from capacity.training.fitting import cosine_adam, fit
from capacity.training.lanes import lanes_together, pad_lanes, places_here, sweep
from capacity.training.system import Decoders, Level, Params, System
from capacity.training.train import LaneState, Training, measurement_key, sender
from capacity.training.watch import Watched, fit_watched

__all__ = [
    "Decoders",
    "LaneState",
    "Level",
    "Params",
    "System",
    "Training",
    "Watched",
    "cosine_adam",
    "fit",
    "fit_watched",
    "lanes_together",
    "measurement_key",
    "pad_lanes",
    "places_here",
    "sender",
    "sweep",
]

__getattr__ = old_names(__name__)
