"""The options of `capacity curve`, as they are typed; None where the default is another's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.catalogue import names_of


@dataclass(frozen=True)
class SourceOptions:
    """Where messages come from."""

    source: Annotated[
        str | None, typer.Option(help="Where messages come from. [default: bits]", autocompletion=names_of("source"))
    ] = None
    bits: Annotated[int | None, typer.Option(help="Bits of a message. [default: 16]")] = None
    dim: Annotated[int | None, typer.Option(help="Dimensions of the vector that carries it. [default: 32]")] = None
    data: Annotated[
        Path | None, typer.Option(help="Your own rows instead of a source: .npy, .npz, .safetensors, .csv or .parquet.")
    ] = None
    columns: Annotated[str | None, typer.Option(help="Columns of --data, 'a,b'. [default: all]")] = None
    standardize: Annotated[
        bool, typer.Option("--standardize", help="Give every column of --data mean 0 and variance 1.")
    ] = False


@dataclass(frozen=True)
class SizeOptions:
    """The networks: structure and sizes, and what drives the encoder."""

    network: Annotated[
        str,
        typer.Option(help="Structure of encoder and decoders.", autocompletion=names_of("network")),
    ] = "mlp"
    network_choices: Annotated[
        list[str] | None,
        typer.Option(
            "--set-network", help="A choice of the structure's own, NAME=VALUE, as in kernel=5; may be repeated."
        ),
    ] = None
    units: Annotated[int, typer.Option(help="Noisy units of the code.")] = 8
    width: Annotated[
        int | None, typer.Option(help="Width of a decoder's hidden layer, or its channels. [default: 112]")
    ] = None
    parameters: Annotated[
        int | None,
        typer.Option(help="Instead of --width: as many parameters as encoder and decoders of --network mlp share out."),
    ] = None
    encoder_width: Annotated[
        int | None, typer.Option(help="Width of an encoder's hidden layer. [default: two thirds of --width]")
    ] = None
    depth: Annotated[int, typer.Option(help="Number of hidden layers; 0 is linear.", min=0)] = 2
    activation: Annotated[str, typer.Option(help="Between layers.")] = "silu"
    decode: Annotated[
        str | None,
        typer.Option(help="What trains the code: bits or vector. [default: bits, where there are some]"),
    ] = None


@dataclass(frozen=True)
class RunOptions:
    """What is trained at which noise, how long, and how it is measured."""

    system: Annotated[
        list[str] | None,
        typer.Option(help="A system; may be repeated. [default: gaussian and vae]", autocompletion=names_of("system")),
    ] = None
    choices: Annotated[
        list[str] | None,
        typer.Option("--set", help="A choice of the system's own, NAME=VALUE, as in values=signs; may be repeated."),
    ] = None
    levels: Annotated[
        list[str] | None,
        typer.Option(
            help="'0.1,0.2' or, in equal ratios, 'start:stop:count'; of one of several systems 'vae=0.1,0.2', may be "
            "repeated. [default: the system's own]"
        ),
    ] = None
    target_bits: Annotated[
        str | None, typer.Option(help="Bits that the VAE shall pass, instead of levels: '1,2,4'.")
    ] = None
    seeds: Annotated[int, typer.Option(help="Trainings at each level.")] = 3
    steps: Annotated[int | None, typer.Option(help="Steps of training. [default: 1300]")] = None
    batch: Annotated[int | None, typer.Option(help="Samples a step. [default: 384]")] = None
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate. [default: 0.0175]")] = None
    products: Annotated[
        str | None,
        typer.Option(help="In training: float32, or bfloat16 between hidden layers. [default: what is faster here]"),
    ] = None
    samples: Annotated[int | None, typer.Option(help="Samples for each figure measured. [default: 1024]")] = None
    measure: Annotated[str, typer.Option(help="auto, enumeration or bracket.")] = "auto"
    budget_gflop: Annotated[
        float | None,
        typer.Option(
            "--budget-gflop",
            "--budget",
            help="Billions of operations for each lane's bracket, where messages cannot be listed. [default: 200]",
        ),
    ] = None
    seed: Annotated[int, typer.Option("--seed", help="Decides every random number.", min=0, max=2**32 - 1)] = 0

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the systems, each once; the VAE alone where it is asked for bits."""
        default = ("gaussian", "vae") if self.target_bits is None else ("vae",)
        return tuple(dict.fromkeys(self.system or default))


@dataclass(frozen=True)
class MachineOptions:
    """Where the work is done."""

    devices: Annotated[
        int | None,
        typer.Option(help="Lanes to train side by side on a CPU. [default: one a core, at most 8]", min=1),
    ] = None
    executor: Annotated[
        str | None, typer.Option(help="Where groups of lanes run: processes or dask. [default: this process]")
    ] = None
    workers: Annotated[int | None, typer.Option(help="Of --executor processes. [default: one a core]", min=1)] = None
    scheduler: Annotated[str | None, typer.Option(help="Address of --executor dask, tcp://HOST:PORT.")] = None
    together: Annotated[
        int | None, typer.Option(help="Lanes that a device runs as one batched program. [default: 1 on a CPU]", min=1)
    ] = None
    coordinator: Annotated[
        str | None, typer.Option(help="HOST:PORT of process 0, for several processes joined by jax.distributed.")
    ] = None
    processes: Annotated[int | None, typer.Option(help="How many of them there are.", min=1)] = None
    process: Annotated[int | None, typer.Option(help="Which one this is, from 0.", min=0)] = None
