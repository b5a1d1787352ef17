"""Pairs of vectors whose mutual information is known exactly, to hold estimators from samples against."""

from synthetic.pairs.additive import AdditiveUniformPair as AdditiveUniformPair
from synthetic.pairs.bends import Linear as Linear
from synthetic.pairs.bends import Spiral as Spiral
from synthetic.pairs.bends import SwissRoll as SwissRoll
from synthetic.pairs.circle import CirclePair as CirclePair
from synthetic.pairs.composed import MappedPair as MappedPair
from synthetic.pairs.composed import ProductPair as ProductPair
from synthetic.pairs.heteroscedastic import HeteroscedasticPair as HeteroscedasticPair
from synthetic.pairs.maps import Injection as Injection
from synthetic.pairs.mixture import MixturePair as MixturePair
from synthetic.pairs.normal import NormalPair as NormalPair
from synthetic.pairs.pair import Pair as Pair
from synthetic.pairs.pi import PiPlusNoise as PiPlusNoise
from synthetic.pairs.student import StudentPair as StudentPair
from synthetic.pairs.tasks import EXTRA_TASKS as EXTRA_TASKS
from synthetic.pairs.tasks import PUBLIC_TASKS as PUBLIC_TASKS
from synthetic.pairs.tasks import task as task
