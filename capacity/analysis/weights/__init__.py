"""Instruments on a trained network, one a file: what it kept, how it got there, and how sharp the minimum is."""

from capacity.analysis.weights.gradients import GradientStatistics, cosine_to_full, gradient_statistics
from capacity.analysis.weights.held_out import LabelBits, gap_bits, label_bits
from capacity.analysis.weights.hessian import gauss_newton_product, hessian_product
from capacity.analysis.weights.information import (
    gaussian_divergence,
    generalization_bound,
    noisy_descent_information,
    posterior_information,
)
from capacity.analysis.weights.interval import MeanInterval, student_interval
from capacity.analysis.weights.memorised import memorised_bits
from capacity.analysis.weights.spectrum import Spectrum, lanczos, largest_eigenvalues
from capacity.analysis.weights.trace import hutchinson

__all__ = [
    "GradientStatistics",
    "LabelBits",
    "MeanInterval",
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
