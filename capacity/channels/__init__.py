"""The noises between a network's units, one a file."""

from capacity.channels.channel import Channel, Code
from capacity.channels.gaussian import Gaussian
from capacity.channels.learnt_gaussian import LearntGaussian, Posterior
from capacity.plugins import Registry

__all__ = ["Channel", "Code", "Gaussian", "LearntGaussian", "Posterior"]

CHANNELS = Registry("channels", (Gaussian, LearntGaussian))
