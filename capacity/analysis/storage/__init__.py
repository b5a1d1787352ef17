"""How much a network can remember: perceptrons with real and binary weights, two-layer networks on random labels."""

from capacity.analysis.storage.binary_perceptron import longest_memory, reinforced_search
from capacity.analysis.storage.extrapolate import Limit, many_weights
from capacity.analysis.storage.perceptron import is_separable, longest_separable, separable_counts
from capacity.analysis.storage.random_labels import Noise, Recall, memorise, parameter_count

__all__ = [
    "Limit",
    "Noise",
    "Recall",
    "is_separable",
    "longest_memory",
    "longest_separable",
    "many_weights",
    "memorise",
    "parameter_count",
    "reinforced_search",
    "separable_counts",
]
