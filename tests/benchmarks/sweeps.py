"""Lanes against peers, in one run:  python -m tests.benchmarks.sweeps [--parts peers modes lanes memory precision]

`peers`: the same network, data and optimiser as lanes of one program, as a PyTorch loop, and as an `nnx.jit` loop, and
the share that the lanes reach of this machine's own matrix products.  `modes`: lanes one after another, batched, side
by side, or several of these, over widths and numbers of lanes.  `lanes`: what a lane costs, and how long it takes to
compile, with 16 lanes and with 256.  `memory`: what memory grows by with a lane.  `precision`: products in bfloat16.
Times are the least of several runs, wall time of all cores together.  Other work on the machine counts: only figures of
one table are to be compared.  Lines come as they are measured; `--report FILE` replaces the sections of the parts that
were run and keeps the others.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import jax

from capacity.runtime.cores import cores
from capacity.runtime.files.atomic import write_atomic
from capacity.training import places_here
from tests.benchmarks.sweeps_cases import REFERENCE, lanes_time
from tests.benchmarks.sweeps_memory import memory_part
from tests.benchmarks.sweeps_modes import modes_part
from tests.benchmarks.sweeps_peers import peers_part
from tests.benchmarks.sweeps_precision import precision_part

HEAD = """# Speed of a sweep

`python -m tests.benchmarks.sweeps`. A section is one run on a machine that did other work beside it: compare within it.
"""


def lanes_part(devices: int) -> Iterator[str]:
    yield "| lanes | ms a lane and step | compile s |"
    yield "| --: | --: | --: |"
    for lanes in (16, 64, 256):
        seconds, compilation = lanes_time(REFERENCE, 20, lanes, devices)
        yield f"| {lanes} | {1e3 * seconds:.3f} | {compilation:.1f} |"


PARTS = {
    "peers": (peers_part, "Against peers"),
    "modes": (modes_part, "One after another, side by side or batched"),
    "lanes": (lanes_part, "More lanes"),
    "memory": (memory_part, "Memory of a lane"),
    "precision": (precision_part, "Products in bfloat16"),
}


def replaced(text: str, title: str, lines: list[str]) -> str:
    """The report with this section in its place, in the order of `PARTS`."""
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    sections[title] = "\n" + "\n".join(lines) + "\n"
    known = [title for _, title in PARTS.values()]
    ordered = sorted(sections, key=lambda title: known.index(title) if title in known else len(known))
    return HEAD + "".join(f"\n## {title}\n{sections[title].rstrip()}\n" for title in ordered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    jax.config.update("jax_enable_compilation_cache", False)
    for name in asked.parts:
        part, title = PARTS[name]
        where = f"{cores()} cores, {platform.machine()}, {jax.default_backend()}, JAX {jax.__version__}"
        lines = [f"On {where}; load before it {os.getloadavg()[0]:.1f}.", ""]
        print(f"## {title}\n\n{lines[0]}\n", flush=True)
        for line in part(places_here()):
            print(line, flush=True)
            lines.append(line)
        print()
        if asked.report:
            before = asked.report.read_text() if asked.report.exists() else ""
            text = replaced(before, title, lines)
            write_atomic(asked.report, lambda path, text=text: _write(path, text))


def _write(path: Path, text: str) -> None:
    path.write_text(text)


if __name__ == "__main__":
    main()
