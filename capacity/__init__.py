"""Measure how much information passes through a noisy network, in bits, with bounds."""

from capacity.bits import Bracket, Estimate
from capacity.bounds import measure
from capacity.curves import capacity_curve, plan_curve
from capacity.joint import Joint
from capacity.systems import VAE, Architecture, GaussianSystem
from capacity.training import Training

__all__ = [
    "VAE",
    "Architecture",
    "Bracket",
    "Estimate",
    "GaussianSystem",
    "Joint",
    "Training",
    "capacity_curve",
    "measure",
    "plan_curve",
]
