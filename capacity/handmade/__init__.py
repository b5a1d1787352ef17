"""Codes made by hand, to hold learnt ones against on the same axes; one code a file."""

from capacity.handmade.code import HandmadeCode
from capacity.handmade.constellation import Constellation
from capacity.handmade.fsq import FSQ
from capacity.handmade.hamming import Hamming
from capacity.handmade.lloyd_max import LloydMax
from capacity.handmade.pam import PAM
from capacity.handmade.pca import PCA
from capacity.handmade.repetition import Repetition

__all__ = ["FSQ", "PAM", "PCA", "Constellation", "Hamming", "HandmadeCode", "LloydMax", "Repetition"]

HANDMADE: dict[str, type] = {c.name: c for c in (PAM, PCA, LloydMax, Repetition, Hamming, FSQ, Constellation)}
"""The codes by the name that the command line gives them."""
