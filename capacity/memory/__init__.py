"""How much a network can remember: perceptrons with real and binary weights, two-layer networks on random labels."""

from capacity.memory.binary_perceptron import longest_memory, reinforced_search
from capacity.memory.extrapolate import Limit, many_weights
from capacity.memory.perceptron import is_separable, longest_separable, separable_counts
from capacity.memory.random_labels import Noise, Recall, memorise, parameter_count

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
