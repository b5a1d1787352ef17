"""Which way of running many lanes is fastest: one after another, batched, in several threads, or a mixture.

Map runs lanes one after another, `vmap` all of them as one batched program; side by side, a thread for each core takes
the next lanes when it is done, `together` of them at a time as a batch.
"""

from __future__ import annotations

from collections.abc import Iterator

from capacity.training import lanes_together
from tests.benchmarks.sweeps_cases import REFERENCE, SMALL, WIDE, compiled_lanes, least_in_turn

# Lanes and steps of a row: a few tenths of a second to some seconds on two cores. Several steps: with a few, a lane's
# first parameters count, and what a call costs; and of a single one XLA leaves out all that its loss does not need.
ROWS = (
    (SMALL, ((1, 2000), (16, 500), (1024, 40))),
    (REFERENCE, ((1, 200), (16, 20), (256, 8))),
    (WIDE, ((1, 30), (16, 8))),
)
TOGETHER = (1, 4, 16)


def layouts(lanes: int, devices: int) -> dict[str, tuple[int, int]]:
    """Threads and lanes together of every way that so many lanes can run."""
    found = {"map": (1, 1), "vmap": (1, lanes)} if lanes > 1 else {"map": (1, 1)}
    for together in TOGETHER if lanes % devices == 0 else ():
        if together <= lanes // devices:
            found[f"{devices} threads" + (f", {together} together" if together > 1 else "")] = (devices, together)
    if lanes % devices == 0 and lanes // devices not in TOGETHER:
        found[f"{devices} threads, vmap"] = (devices, lanes // devices)
    return found


def modes_part(devices: int) -> Iterator[str]:
    columns = list(layouts(2**20, devices))
    chosen = columns[2]
    yield "Milliseconds a lane and step, the ways of a row in turn. Map: one lane after another. Vmap: one batch."
    yield f"The library takes *{chosen}*: one a core, in each one lane after another."
    yield ""
    yield f"| network | lanes | {' | '.join(columns)} | the library's over the best |"
    yield "| :-- | --: |" + " --: |" * (len(columns) + 1)
    worst = 0.0
    for network, counts in ROWS:
        for lanes, steps in counts:
            ways = layouts(lanes, devices)
            programs = [compiled_lanes(network, steps, lanes, *way).run for way in ways.values()]
            seconds = dict(zip(ways, least_in_turn(programs), strict=True))
            ours = seconds.get(chosen, seconds["map"])
            over = ours / min(seconds.values())
            worst = max(worst, over)
            cells = [f"{1e3 * seconds[c] / lanes / steps:.3f}" if c in seconds else "" for c in columns]
            yield f"| {network.name} | {lanes} | {' | '.join(cells)} | {over:.2f} |"
    yield ""
    yield f"`lanes_together()` is {lanes_together()} here: at worst {worst:.2f} times as long as the best way of a row."
    yield "Batches of a few lanes gain on the smallest networks, and are not taken on a CPU: in a batch of four, lanes"
    yield "have other last digits than in a batch of two, while a lane by itself has the same bits in any number of"
    yield "threads. `--together 4` asks for batches where that does not matter."
