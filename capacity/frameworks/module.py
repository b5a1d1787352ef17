"""One call from a trained module and a data loader to bits, whatever the framework.

found = measure_module(0, vae, loader, encode="encode")
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from capacity.analysis.codes import Codes, measure_codes, measure_probs
from capacity.analysis.latent.latent import Latent, measure_latent
from capacity.frameworks.batches import Call, Inputs
from capacity.frameworks.choice import framework_of
from capacity.frameworks.collect import collect_rows
from capacity.frameworks.framework import Encode
from capacity.frameworks.outputs import read_output
from capacity.runtime.keys import Seed
from capacity.runtime.progress import Progress, reporter
from capacity.runtime.tables.codes import CodebookSize
from capacity.runtime.tables.posterior_arrays import CODES, NORMAL, PROBS, PosteriorArrays, check_points
from capacity.runtime.whole import whole


def measure_module(
    key: Seed,
    module: object,
    loader: Iterable[object],
    *,
    encode: str | Encode | None = None,
    inputs: Inputs | None = None,
    given: str | None = None,
    points: int | None = None,
    codebook: CodebookSize = None,
    samples: int = 4096,
    progress: Progress | Literal[True] | None = None,
) -> Latent | Codes:
    """Bits in the code of a trained module, continuous or discrete: what it says of a loader's data points, measured.

    Args:
        key: decides the samples; a whole number is taken as a seed.
        module: of PyTorch or flax nnx, or any function of a batch.  It is run in evaluation mode, without gradients, on
            its own device, and is afterwards in the mode that it was in.
        loader: any iterable of batches, in any order; or an array of all data points.
        encode: name of the method that gives the posterior, or a function of the inputs; None calls the module.  It may
            give a pair (means, log-variances); a mapping, such as {"mu": ..., "std": ...}; a distribution of PyTorch;
            integer codes; probabilities.
        inputs: which part of a batch goes in: by default the first of a tuple; a name of a mapping; several names are
            handed over as keywords.
        given: "logvar", "log_std", "variance", "std" or "precision": what is given beside the means; None goes by its
            name, and takes the second of a pair for log-variances if it looks like them.
        points: how many data points suffice; None for all.
        codebook: of codes, how many symbols there are, as in `measure_codes`.
        samples: as in `measure_latent`.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Raises:
        ValueError: for a loader without batches, outputs that are no posterior, rows or shapes that change, numbers
            that are not finite (with the batch), and a module that is random in evaluation mode (with its part's name).
    """
    report = reporter(progress)
    collect = None if report is None else lambda share, text: report(0.1 * share, text)
    found = collect_module(module, loader, encode=encode, inputs=inputs, given=given, points=points, progress=collect)
    measure = None if report is None else lambda share, text: report(0.1 + 0.9 * share, text)
    return measure_posterior(key, found, codebook=codebook, samples=samples, progress=measure)


def collect_module(
    module: object,
    loader: Iterable[object],
    *,
    encode: str | Encode | None = None,
    inputs: Inputs | None = None,
    given: str | None = None,
    points: int | None = None,
    progress: Progress | Literal[True] | None = None,
) -> PosteriorArrays:
    """The posterior, or code, of each of a loader's data points as NumPy arrays; nothing is measured.

    Args:
        module, loader, encode, inputs, given, points, progress: as in `measure_module`.

    Raises:
        ValueError: as `measure_module` does.
    """
    if points is not None and whole(points, "points", None) < 2:
        raise ValueError(f"Expected at least two points; got {points}.")
    frame = framework_of(module)
    call = frame.encoder(module, encode)
    offers: tuple[str, ...] = ()
    if encode is None and frame.home != "builtins":
        offers = tuple(name for name in frame.methods(module) if name != "forward")

    def run(given_inputs: Call) -> object:
        placed = given_inputs.placed(lambda part: frame.placed(module, part))
        return call(*placed.args, **placed.keywords)

    with frame.evaluating(module):
        found = collect_rows(
            loader,
            lambda one: read_output(run(one), given, offers),
            lambda one: frame.random_parts(module, lambda: run(one)),
            inputs,
            points,
            reporter(progress),
        )
    check_points(found)
    return found


def measure_posterior(
    key: Seed,
    posterior: PosteriorArrays,
    *,
    codebook: CodebookSize = None,
    samples: int = 4096,
    progress: Progress | Literal[True] | None = None,
) -> Latent | Codes:
    """Bits of collected or saved posteriors, by the measure of their law.

    Args:
        key: decides the samples; a whole number is taken as a seed.
        posterior: of `collect_module` or `load_posterior`.
        codebook: of codes, how many symbols there are, as in `measure_codes`.
        samples: as in `measure_latent`.
        progress: called with the share that is done, and what was just done; True shows a bar.

    Raises:
        ValueError: for a law that has no measure yet, and as `measure_latent`, `measure_codes` and `measure_probs` do.
    """
    if posterior.law == CODES:
        return measure_codes(key, posterior.arrays["codes"], codebook=codebook, progress=progress)
    if codebook is not None:
        raise ValueError(f"Expected codebook with codes alone; got it with {posterior.law}.")
    if posterior.law == PROBS:
        (probs,) = posterior.arrays.values()
        return measure_probs(key, probs, given=posterior.given, samples=samples, progress=progress)
    if posterior.law != NORMAL:
        raise ValueError(f"Expected normal posteriors with independent units, codes, or probs; got {posterior.law}.")
    means, spreads = posterior.arrays["means"], posterior.arrays[posterior.spread]
    return measure_latent(key, means, spreads, given=posterior.given, samples=samples, progress=progress)
