"""Closed forms, quadratures and Blahut-Arimoto: what measurements are held against.  All results in bits."""

from capacity.theory.additive import additive_noise_ceiling
from capacity.theory.binary import (
    binary_entropy,
    binary_input_gaussian,
    binary_symmetric_capacity,
    binary_symmetric_repetition,
    coin_information,
    erasure_information,
    gaussian_dropout_information,
    path_information,
    uniform_coin_information,
    z_channel_capacity,
    z_channel_information,
)
from capacity.theory.capacity import Capacity, amplitude_limited_gaussian, blahut_arimoto, scalar_capacity
from capacity.theory.floats import Floats
from capacity.theory.gaussian import gaussian_capacity, gaussian_noise_information, linear_vae, pam_information
from capacity.theory.random_coding import random_coding_information
from capacity.theory.uniform import gaussian_chain_capacity, uniform_noise_information

__all__ = [
    "Capacity",
    "Floats",
    "additive_noise_ceiling",
    "amplitude_limited_gaussian",
    "binary_entropy",
    "binary_input_gaussian",
    "binary_symmetric_capacity",
    "binary_symmetric_repetition",
    "blahut_arimoto",
    "coin_information",
    "erasure_information",
    "gaussian_capacity",
    "gaussian_chain_capacity",
    "gaussian_dropout_information",
    "gaussian_noise_information",
    "linear_vae",
    "pam_information",
    "path_information",
    "random_coding_information",
    "scalar_capacity",
    "uniform_coin_information",
    "uniform_noise_information",
    "z_channel_capacity",
    "z_channel_information",
]
