"""Noises of training, one a file: what enters the gradient, in optax's conventions, and what enters the data.

`optax.chain(annealed_noise(...), optax.sgd(...))`: a transformation's strength and key may be traced, so that the lanes
of a sweep differ in them inside one program.
"""

from capacity.training.noises.annealed import annealed_noise
from capacity.training.noises.label_noise import flip_labels
from capacity.training.noises.langevin_noise import langevin
from capacity.training.noises.minibatches import average_minibatch, minibatch
from capacity.training.noises.stale import randomly_stale_gradients, stale_gradients

__all__ = [
    "annealed_noise",
    "average_minibatch",
    "flip_labels",
    "langevin",
    "minibatch",
    "randomly_stale_gradients",
    "stale_gradients",
]
