"""Codes made by hand, to hold learnt ones against on the same axes; one code a file."""

from capacity.systems.codes.code import HandmadeCode
from capacity.systems.codes.constellation import Constellation
from capacity.systems.codes.fsq import FSQ
from capacity.systems.codes.hamming import Hamming
from capacity.systems.codes.lloyd_max import LloydMax
from capacity.systems.codes.pam import PAM
from capacity.systems.codes.pca import PCA
from capacity.systems.codes.repetition import Repetition

__all__ = ["FSQ", "PAM", "PCA", "Constellation", "Hamming", "HandmadeCode", "LloydMax", "Repetition"]

HANDMADE: dict[str, type] = {c.name: c for c in (PAM, PCA, LloydMax, Repetition, Hamming, FSQ, Constellation)}
"""The codes by the name that the command line gives them."""
