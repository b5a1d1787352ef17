"""The referee: exact bits where the messages can be listed, else the narrowest bracket that its budget buys.

Without a list the source and the channel still say enough to bound I(M;Z) from both sides at any size.  Where units
depend on few digits each, a pass along the code gives the densities themselves (`local`).  Else a cheap approximation
of the posterior is fitted, chains go from it to the truth and back (`annealed`), pilots decide how many and how long,
and what remains is the noise in z, most of which controls take away.
"""

from __future__ import annotations

from typing import Literal

import jax
import numpy as np

from capacity.bounds.annealed.bracket import annealed_bracket
from capacity.bounds.annealed.refusals import check_full_support
from capacity.bounds.annealed.tightest import tighter_bound
from capacity.bounds.exact.enumeration import Enumeration
from capacity.bounds.local.bracket import local_bracket
from capacity.bounds.variational.decoder import LogDecoder
from capacity.bounds.variational.simple_bracket import simple_bracket
from capacity.joint.encoders import traceable
from capacity.joint.joint import Joint
from capacity.results.estimate import Bracket
from capacity.runtime.deprecated import renamed_keywords
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.memory import check_fits
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.whole import whole

DEFAULT_BUDGET = 1000.0
WIDE = 0.05  # of the bits: a bracket by windows that leave digits out is held against chains if it is wider
SAMPLE_BYTES = 64.0  # of a sample at the least: codes, densities, what they are compared with
METHODS = ("auto", "enumeration", "bracket")


@renamed_keywords(budget="budget_gflop")
def measure(
    key: Seed,
    joint: Joint,
    *,
    budget_gflop: float | int = DEFAULT_BUDGET,
    log_decoder: LogDecoder | None = None,
    samples: int = 4096,
    method: str = "auto",
    progress: Progress | Literal[True] | None = None,
) -> Bracket:
    """How many bits pass: I(M;Z) of a joint, as a bracket.

    Args:
        key: the same key gives the same bracket; a whole number is taken as a seed.
        joint: source, encoder and channel.  The encoder may be any callable: where JAX cannot trace it, it is called
            once on all messages, in NumPy batches (see `capacity.joint.encoders`).
        budget_gflop: billions of operations to spend where messages cannot be listed; chains and cheap samples are
            counted, not timed; what is fitted before them (tens of billions) is not, nor are bounds without chains (a
            tenth of the budget, or a few billions), which are tried where chains leave a bracket wide.
        log_decoder: `(message, z) -> log q(message | z)` of one item, nats, trained on other samples; its lower bound
            is taken where it is the higher one.
        samples: how many samples enumeration draws.
        method: "enumeration", "bracket", or "auto": enumeration wherever the messages can be listed.
        progress: called with the share of the budget that is spent, and what was just done; True shows a bar.

    Returns:
        By enumeration, if the source can be listed, the same figure twice: unbiased, with a 95 % interval for the
        sampled z.  Otherwise two bounds in expectation; the truth lies between `low` and `high` with probability 95 %
        at least: they reach three standard errors of means over many independent samples, 99.7 % where such means are
        normal.

    Raises:
        ValueError: if the budget is not positive and finite, the method is none of these, the encoder can be neither
            traced nor tabled, or a bracket is asked for under a channel that leaves some unit without any noise, or
            makes some messages impossible and no bound without chains says anything.
    """
    if method not in METHODS:
        raise ValueError(f"Expected method to be one of {', '.join(METHODS)}; got {method!r}.")
    if not (np.isfinite(budget_gflop) and budget_gflop > 0):
        raise ValueError(f"Expected a budget greater than 0, in billions of operations; got {budget_gflop}.")
    whole(samples, "samples")
    check_fits(SAMPLE_BYTES * samples, "a number of samples", "Lower samples.")
    with jax.default_matmul_precision("highest"):  # by default three digits on some GPUs, and bounds are no bounds
        return _measured(as_key(key), traceable(joint), float(budget_gflop), log_decoder, samples, method, progress)


def _measured(
    key: jax.Array,
    joint: Joint,
    budget_gflop: float,
    log_decoder: LogDecoder | None,
    samples: int,
    method: str,
    progress: Progress | Literal[True] | None,
) -> Bracket:
    if method == "enumeration" or (method == "auto" and joint.source.listable):
        exact = Enumeration(samples)(key, joint)
        return Bracket(exact, exact, "enumeration")
    if not joint.channel.full_support:
        bracket = simple_bracket(key, joint, budget_gflop)
        if bracket is not None:
            return bracket
    check_full_support(joint.channel)
    say = reporter(progress) or (lambda share, text: None)
    local = local_bracket(jax.random.fold_in(key, 2), joint, budget_gflop, log_decoder, say)
    if local is not None and (local.exact or local.bracket.width <= WIDE * local.bracket.high):
        return local.bracket
    annealed = annealed_bracket(key, joint, budget_gflop, log_decoder, say)
    if local is None:
        return annealed
    (lower, below), (upper, above) = (
        tighter_bound(getattr(annealed, side), getattr(local.bracket, side)) for side in ("lower", "upper")
    )
    sides = [side for side, taken in (("below", below), ("above", above)) if taken]
    how = "; ".join([*(f"{local.bracket.method} {side}" for side in sides), annealed.method])
    return Bracket(lower, upper, how, annealed.trace)
