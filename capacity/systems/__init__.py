"""Named recipes: encoder, channel, decoder, loss, and which knob is the level; one a file."""

from capacity.plugins import Registry
from capacity.systems.architecture import Architecture, Params, merge
from capacity.systems.gaussian import GaussianSystem
from capacity.systems.vae import VAE
from capacity.systems.vae_target import TargetVAE

__all__ = ["SYSTEMS", "VAE", "Architecture", "GaussianSystem", "Params", "TargetVAE", "merge"]

SYSTEMS = Registry("systems", (GaussianSystem, VAE, TargetVAE))
