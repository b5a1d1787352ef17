"""What a discrete code holds (VQ, FSQ, categorical, binary): bits of positions and of the whole, and codebook use."""

from capacity.analysis.codes.codebook import CodebookUse
from capacity.analysis.codes.codes import Codes, measure_codes
from capacity.analysis.codes.population import CodesPopulation
from capacity.analysis.codes.probs import measure_probs

__all__ = ["CodebookUse", "Codes", "CodesPopulation", "measure_codes", "measure_probs"]
