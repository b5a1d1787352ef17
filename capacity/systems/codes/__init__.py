"""Codes made by hand, to hold learnt ones against on the same axes; one code a file."""

from capacity.runtime.deprecated import old_names
from capacity.runtime.registry import Registry
from capacity.systems.codes.code import HandmadeCode
from capacity.systems.codes.constellation import Constellation
from capacity.systems.codes.fsq import FSQCode
from capacity.systems.codes.hamming import Hamming
from capacity.systems.codes.lloyd_max import LloydMax
from capacity.systems.codes.pam import PAM
from capacity.systems.codes.pca import PCA
from capacity.systems.codes.repetition import Repetition

__all__ = ["HANDMADE", "PAM", "PCA", "Constellation", "FSQCode", "Hamming", "HandmadeCode", "LloydMax", "Repetition"]

HANDMADE = Registry("codes", (PAM, PCA, LloydMax, Repetition, Hamming, FSQCode, Constellation), contract=HandmadeCode)
"""The codes by the name that the command line gives them."""

__getattr__ = old_names(__name__)
