"""Posteriors of any kind, a channel and a code for each point, and what is measured of them."""

from capacity.analysis.latent.posteriors.channels import through_channel
from capacity.analysis.latent.posteriors.correlated import full_gaussian
from capacity.analysis.latent.posteriors.levels import hierarchy
from capacity.analysis.latent.posteriors.location_scale import gaussian, laplace, uniform
from capacity.analysis.latent.posteriors.measure import PosteriorBits, measure_posteriors
from capacity.analysis.latent.posteriors.mixtures import mixture_of_gaussians
from capacity.analysis.latent.posteriors.points import Posteriors
from capacity.analysis.latent.posteriors.sphere import von_mises_fisher

__all__ = [
    "PosteriorBits",
    "Posteriors",
    "full_gaussian",
    "gaussian",
    "hierarchy",
    "laplace",
    "measure_posteriors",
    "mixture_of_gaussians",
    "through_channel",
    "uniform",
    "von_mises_fisher",
]
