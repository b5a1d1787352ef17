"""Fit one lane, sweep many; knows losses, not models."""

from capacity.training.fitting import cosine_adam, fit
from capacity.training.lanes import lanes_together, pad_lanes, sweep
from capacity.training.train import LaneState, Training, front_of, log_decoder_of, measurement_key, sender
from capacity.training.watch import Watched, fit_watched

__all__ = [
    "LaneState",
    "Training",
    "Watched",
    "cosine_adam",
    "fit",
    "fit_watched",
    "front_of",
    "lanes_together",
    "log_decoder_of",
    "measurement_key",
    "pad_lanes",
    "sender",
    "sweep",
]
