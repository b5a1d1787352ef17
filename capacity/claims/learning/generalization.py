"""Do networks that keep fewer bits generalise better? Every system at several levels, trained on some of the messages.

The source has 9 fair bits, 512 messages, all of which can be listed; training sees 96 of them.  So three figures of a
trained system are exact but for the noise that is drawn: the bits that it keeps, I(M;Z) over all messages; what its
decoder tells of messages that it was trained on; and what it tells of all others.  The gap is their difference.
Systems differ in much else: correlations are of ranks, given the system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import rankdata

from capacity.bounds.exact.enumeration import information
from capacity.bounds.exact.listing import list_codes
from capacity.claims import answers as statistics
from capacity.claims.claim import Answer, Claim, Context, Evidence, Prediction
from capacity.claims.lab.experiment import Lane, LaneFigures, grid, keys_of, labelled, run_lanes
from capacity.claims.lab.subset import Subset
from capacity.plots.style import BLACK, GREY, colour, quiet_grid
from capacity.results.estimate import NATS_PER_BIT
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Params, System, cosine_adam, fit
from synthetic import FairBits

BITS, DIM, UNITS, SEEN = 9, 18, 6, 96
NOISES = 16  # draws for every message
DRAWS = 4000  # of the bootstrap
MARKERS = "osD^v<>phX*P"


class Generalization(Claim):
    """Every system that the toolkit has, a program each, at levels spread over its own range."""

    name = "generalization"
    sentence = "more efficient compression means better generalisation at test time"
    source = (
        "Tishby & Zaslavsky (2015), Deep learning and the information bottleneck principle; Shamir, "
        "Sabato & Tishby (2010), Learning and generalization with the information bottleneck"
    )
    references = ("tishby2015deep", "shamir2010learning")
    predictions = (
        Prediction("mean gap", "there is a gap to explain", low=0.1, instrument=True),
        Prediction(
            "bits kept with gap", "the more bits kept the larger: rank correlation given the system", low=0, unit="1"
        ),
        Prediction(
            "bits kept with gap at equal fit", "the same given the bits told of training messages too", low=0, unit="1"
        ),
    )

    def run(self, key: jax.Array, context: Context) -> Evidence:
        """Train and measure; systems one after another."""
        key_source, key_lanes, key_draws = jax.random.split(key, 3)
        source = FairBits.build(key_source, BITS, DIM)
        count, seeds, steps = (4, 4, 400) if context.fast else (8, 12, 3000)
        size = Architecture(units=UNITS, widths=(40, 40))
        found: dict[str, list[np.ndarray]] = {k: [] for k in ("system", "level", "kept", "seen", "unseen")}
        for i, (name, kind) in enumerate(SYSTEMS.items()):
            levels = np.asarray(kind.default_levels)
            levels = levels[np.linspace(0, len(levels) - 1, count).round().astype(int)]
            lanes = grid(level=levels, seed=range(seeds))
            span = (i / len(SYSTEMS), (i + 1) / len(SYSTEMS))
            # Every run has training messages and a start of its own, so that runs are independent.
            keys = keys_of(jax.random.fold_in(key_lanes, i), np.arange(lanes["seed"].size))
            keyed = {"key": keys, "level": jnp.asarray(lanes["level"], jnp.float32)}
            system = kind(size).prepared(jax.random.fold_in(key_source, i), source)
            out = run_lanes(context, name, _lane(system, steps), keyed, source, span=span)
            whole = np.isfinite(np.stack(list(out.values()))).all(0)
            found["system"].append(np.full(whole.sum(), i))
            found["level"].append(lanes["level"][whole])
            for figure in ("kept", "seen", "unseen"):
                found[figure].append(out[figure][whole])
        points = {k: np.concatenate(v) for k, v in found.items()}
        gap = points["seen"] - points["unseen"]
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key_draws)))

        def correlation(given: Sequence[np.ndarray]) -> Answer:
            return partial_rank_correlation(rng, points["kept"], gap, points["system"], given, context.miss_rate)

        answers = {
            "mean gap": statistics.mean(gap, context.miss_rate),
            "bits kept with gap": correlation(()),
            "bits kept with gap at equal fit": correlation((points["seen"],)),
        }
        return Evidence(answers, _dataset(points, gap))

    def plot(self, data: xr.Dataset, figure: Figure) -> None:
        """Gap and held-out bits against bits kept, a point a run, a colour and marker a system."""
        left, right = figure.subplots(1, 2)
        for i, name in enumerate(str(data.attrs["systems"]).split()):
            here = data.isel(run=np.flatnonzero(data.system.values == i))
            style: dict[str, Any] = {"ms": 5, "mfc": "white", "color": colour(name), "label": name}
            left.plot(here.kept, here.gap, MARKERS[i % len(MARKERS)], **style)
            right.plot(here.kept, here.unseen, MARKERS[i % len(MARKERS)], **style)
        right.plot([0, BITS], [0, BITS], color=GREY, lw=1.2, ls=(0, (6, 3)), label="all that is kept")
        left.set_ylabel("gap: bits told of training less other messages")
        left.set_title("Generalisation gap")
        right.set_ylabel("bits told of messages not trained on")
        right.set_title("At test time")
        # A decoder that is sure of the wrong can lose any number of bits: past the source's own they leave the axis.
        lost = int((data.unseen < -BITS).sum())
        left.set_ylim(min(0.0, float(data.gap.min())) - 0.5, 2 * BITS)
        right.set_ylim(-BITS, BITS + 0.5)
        for axes in (left, right):
            axes.axhline(0, color=BLACK, lw=0.8, label="_none")
            if lost:
                axes.set_title(f"{axes.get_title()} ({lost} runs leave the axis)")
            axes.set_xlabel("bits kept, I(M;Z) over all messages")
            quiet_grid(axes)
        handles, names = right.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=6, fontsize="small", frameon=False)


def partial_rank_correlation(
    rng: np.random.Generator,
    x: np.ndarray,
    y: np.ndarray,
    group: np.ndarray,
    given: Sequence[np.ndarray],
    miss_rate: float,
) -> Answer:
    """Spearman's correlation of independent runs' x and y given the group and other variables.

    Ranks are regressed on group means and the ranks of `given`; what is left is correlated (Conover 1999, section 5.4).
    The interval is the bootstrap's, runs being drawn again within their groups.

    Args:
        rng: decides the bootstrap's draws.
        x, y: (runs,).
        group: (runs,), a number for each group.
        given: other variables (runs,) to hold constant.
        miss_rate: of the interval.
    """

    def value(rows: np.ndarray) -> float:
        dummies = (group[rows][:, None] == np.unique(group)[None]).astype(float)
        design = np.column_stack([dummies, *(rankdata(g[rows]) for g in given)])
        both = np.column_stack([rankdata(x[rows]), rankdata(y[rows])])
        rest = both - design @ np.linalg.lstsq(design, both, rcond=None)[0]
        spread = np.sqrt((rest**2).sum(0).prod())
        return float(rest[:, 0] @ rest[:, 1] / spread) if spread > 0 else 0.0

    members = [np.flatnonzero(group == g) for g in np.unique(group)]
    draws = [value(np.concatenate([rng.choice(m, m.size) for m in members])) for _ in range(DRAWS)]
    return statistics.bootstrap(draws, value(np.arange(x.size)), x.size, miss_rate)


def _lane(system: System, steps: int) -> Callable[[Lane, FairBits], LaneFigures]:
    """Bits kept, and bits told of messages trained on and of others, per vector."""

    def lane(one: Lane, source: FairBits) -> LaneFigures:
        key_seen, key_init, key_fit, key_settle, key_joint, key_bits, key_noise = jax.random.split(one["key"], 7)
        messages = source.messages()
        order = jax.random.permutation(key_seen, messages.shape[0])
        few = Subset(source, messages[order[:SEEN]])

        def loss(params: Params, key: jax.Array, progress: jax.Array) -> jax.Array:
            return system.loss(params, key, few, one["level"], 64, progress)

        params, _ = fit(key_fit, loss, system.init(key_init, source), cosine_adam(1e-2, steps), steps)
        params = system.settle(params, key_settle, few, one["level"])
        joint = system.joint(params, key_joint, source, one["level"])
        listed = list_codes(joint)
        log_decoder = system.log_decoder(params, source)

        def told(key: jax.Array) -> jax.Array:
            z = jax.vmap(joint.channel)(jax.random.split(key, messages.shape[0]), listed.codes)
            return jax.vmap(log_decoder)(messages, z)

        nats = jax.lax.map(told, jax.random.split(key_noise, NOISES)).mean(0)[order]
        return {
            "kept": information(key_bits, joint, listed, 512).bits,
            "seen": BITS + nats[:SEEN].mean() / NATS_PER_BIT,
            "unseen": BITS + nats[SEEN:].mean() / NATS_PER_BIT,
        }

    return lane


def _dataset(points: dict[str, np.ndarray], gap: np.ndarray) -> xr.Dataset:
    words = {
        "kept": "information kept, I(M;Z)",
        "seen": "bits told of messages trained on",
        "unseen": "bits told of other messages",
    }
    variables = {name: labelled("run", points[name], long_name) for name, long_name in words.items()}
    variables["gap"] = labelled("run", gap, "generalisation gap")
    variables["level"] = labelled("run", points["level"], "level of the system", "1")
    variables["system"] = labelled("run", points["system"], "number of the system", "1")
    return xr.Dataset(variables, attrs={"systems": " ".join(SYSTEMS)})
