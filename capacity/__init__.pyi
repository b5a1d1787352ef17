"""The public names, each once: `capacity/__init__.py` reads them here and loads them when they are asked for."""

from . import analysis as analysis
from . import bounds as bounds
from . import channels as channels
from . import claims as claims
from . import curves as curves
from . import estimators as estimators
from . import joint as joint
from . import plots as plots
from . import report as report
from . import results as results
from . import runtime as runtime
from . import systems as systems
from . import theory as theory
from . import training as training
from .analysis.latent.latent import Latent as Latent
from .analysis.latent.latent import measure_latent as measure_latent
from .bounds import measure as measure
from .bounds import measure_layers as measure_layers
from .curves.execute import run_plan as run_plan
from .curves.files import load_curves as load_curves
from .curves.plan import plan_curve as plan_curve
from .curves.run import capacity_curve as capacity_curve
from .estimators import choose as choose
from .estimators import conditional_information as conditional_information
from .estimators import estimate as estimate
from .estimators import false_discovery as false_discovery
from .estimators import information_scorer as information_scorer
from .estimators import lagged_information as lagged_information
from .estimators import pairwise as pairwise
from .estimators import permutation_test as permutation_test
from .estimators import rows_resemble_neighbours as rows_resemble_neighbours
from .estimators import time_interval as time_interval
from .joint.joint import Joint as Joint
from .joint.stack import Layer as Layer
from .joint.stack import Stack as Stack
from .results.estimate import Bracket as Bracket
from .results.estimate import Estimate as Estimate
from .runtime.pytrees import register_dataclass as register_dataclass
from .systems import VAE as VAE
from .systems import Architecture as Architecture
from .systems import FixedCode as FixedCode
from .systems import GaussianAutoencoder as GaussianAutoencoder
from .systems import TargetVAE as TargetVAE
from .training import Training as Training

__version__: str
