"""Instruments on a trained network, one a file: what it kept, how it got there, and how sharp the place is."""

from capacity.instruments.figure import Figure, student_interval
from capacity.instruments.gradients import GradientStatistics, cosine_to_full, gradient_statistics
from capacity.instruments.held_out import Bits, gap_bits, label_bits
from capacity.instruments.hessian import gauss_newton_product, hessian_product
from capacity.instruments.lanczos import Spectrum, lanczos, largest_eigenvalues
from capacity.instruments.memorised import memorised_bits
from capacity.instruments.trace import hutchinson
from capacity.instruments.weights import (
    gaussian_divergence,
    generalization_bound,
    noisy_descent_information,
    posterior_information,
)

__all__ = [
    "Bits",
    "Figure",
    "GradientStatistics",
    "Spectrum",
    "cosine_to_full",
    "gap_bits",
    "gauss_newton_product",
    "gaussian_divergence",
    "generalization_bound",
    "gradient_statistics",
    "hessian_product",
    "hutchinson",
    "label_bits",
    "lanczos",
    "largest_eigenvalues",
    "memorised_bits",
    "noisy_descent_information",
    "posterior_information",
    "student_interval",
]
