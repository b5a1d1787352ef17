"""Families of networks against perceptrons and PyTorch:  python -m tests.benchmarks.networks [--parts NAME ...]

`sizes`: parameters and multiply-adds.  `bits`: each family on its own source, at the parameters of a perceptron.
`times`: a lane and step beside a PyTorch loop of the same network.  `convolutions`: flax's layer beside windows and one
product.  Lines come as they are measured; `--report FILE`
replaces the sections of the parts that were run, and keeps what stands before the first and the others.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax

from capacity.runtime.cores import cores
from capacity.runtime.files.atomic import write_atomic
from capacity.systems import Architecture
from capacity.systems.equal import equal_to
from capacity.systems.networks import NETWORKS
from capacity.training import places_here
from synthetic import FairBits, Sprites
from tests.benchmarks.networks_bits import bits_part
from tests.benchmarks.networks_conv import convolutions_part
from tests.benchmarks.networks_peers import times_part


def sizes_part(devices: int) -> Iterator[str]:
    base = Architecture(decode="vector")
    yield f"With widths that make encoder and decoders as large as perceptrons of {base.widths}; multiply-adds of"
    yield "one vector or code, forwards."
    yield ""
    columns = " | ".join(f"{part} | parameters | multiply-adds" for part in ("encoder", "decoders"))
    yield f"| source | network | {columns} |"
    yield "| :-- | :-- |" + " --: |" * 6
    for source in (FairBits.build(jax.random.key(0), 16, 32), Sprites.build(jax.random.key(0), 12, 1024)):
        for name, kind in NETWORKS.items():
            network = equal_to(replace(base, network=kind()), base, source)
            encoder, *decoders = network.sizes(source).values()
            cells = [f"{source.name}, {source.dim} numbers", name, _widths(network.encoder_widths or ())]
            cells += [f"{encoder.parameters:,}", f"{encoder.operations:,}", _widths(network.widths)]
            cells += [f"{sum(d.parameters for d in decoders):,}", f"{sum(d.operations for d in decoders):,}"]
            yield "| " + " | ".join(cells) + " |"


def _widths(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))


PARTS = {
    "sizes": (sizes_part, "Sizes"),
    "bits": (bits_part, "Bits beside a perceptron's"),
    "times": (times_part, "Times beside PyTorch"),
    "convolutions": (convolutions_part, "Convolutions on this machine"),
}


def replaced(text: str, title: str, lines: list[str]) -> str:
    """The page with this section in its place."""
    head, *sections = text.split("\n## ")
    known = dict(section.split("\n", 1) for section in sections) | {title: "\n" + "\n".join(lines) + "\n"}
    return "\n## ".join([head, *(f"{name}\n{body.rstrip()}\n" for name, body in known.items())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    for name in asked.parts:
        part, title = PARTS[name]
        where = f"{cores()} cores, {platform.machine()}, {jax.default_backend()}, JAX {jax.__version__}"
        command = f"`python -m tests.benchmarks.networks --parts {name}`"
        lines = [f"{command}, on {where}; load before it {os.getloadavg()[0]:.1f}.", ""]
        print(f"## {title}\n\n{lines[0]}\n", flush=True)
        for line in part(places_here()):
            print(line, flush=True)
            lines.append(line)
        if asked.report:
            text = replaced(asked.report.read_text(), title, lines)
            write_atomic(asked.report, lambda target, text=text: target.write_text(text))


if __name__ == "__main__":
    main()
