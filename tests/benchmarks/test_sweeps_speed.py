"""A hundred steps of one network in every way, in one run: `make bench` prints the times and their ratios.

The longer tables, in `docs/speed.md`, are `python -m tests.benchmarks.sweeps`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from capacity import Training
from capacity.training import places_here
from capacity.training.precision import PRODUCTS, fast_products
from tests.benchmarks.sweeps_cases import REFERENCE, SMALL, Network, compiled_lanes
from tests.benchmarks.sweeps_memory import plan, program_bytes, state_bytes
from tests.benchmarks.sweeps_peers import nnx_loop, products, torch_loop
from tests.benchmarks.sweeps_precision import trainer

STEPS = 96  # of one lane; shared out over as many lanes as there are devices


def timed(benchmark: Any, work: Callable[[], Any]) -> None:
    """A few rounds: a loop in Python is slow, and much slower beside other work."""
    benchmark.pedantic(work, rounds=4, warmup_rounds=1)


@pytest.fixture(params=[REFERENCE, SMALL], ids=["reference", "small"])
def network(request: pytest.FixtureRequest, benchmark: Any) -> Network:
    benchmark.group = f"{STEPS} steps of {request.param.name}"
    return request.param


def test_lanes(benchmark: Any, network: Network) -> None:
    devices = places_here()
    timed(benchmark, compiled_lanes(network, STEPS // devices, devices, devices, products=fast_products()).run)


def test_lanes_in_one_batch(benchmark: Any, network: Network) -> None:
    timed(benchmark, compiled_lanes(network, STEPS // 8, 8, 1, 8).run)


def test_nnx_loop(benchmark: Any, network: Network) -> None:
    timed(benchmark, nnx_loop(network, STEPS))


def test_torch_loop(benchmark: Any, network: Network) -> None:
    pytest.importorskip("torch")
    timed(benchmark, torch_loop(network, STEPS))


def test_share_of_the_matrix_products(benchmark: Any) -> None:
    devices = places_here()
    benchmark.group = "matrix products of this machine"
    work, operations = products(devices)
    timed(benchmark, work)
    lanes = compiled_lanes(REFERENCE, 50, devices, devices, products=fast_products()).run
    lanes()
    started = benchmark._timer()
    lanes()
    spent = benchmark._timer() - started
    best = operations / benchmark.stats.stats.min
    print(f"lanes reach {100 * devices * 50 * REFERENCE.products / spent / best:.0f} % of {best / 1e9:.0f} Gflop/s")


@pytest.mark.parametrize("products", PRODUCTS)
def test_products_in_bfloat16(benchmark: Any, products: str) -> None:
    benchmark.group = f"8 lanes, 12 steps each, of {REFERENCE.name}"
    timed(benchmark, trainer(REFERENCE, 12, places_here(), products))


@pytest.mark.parametrize("batched", [False, True], ids=["map", "vmap"])
def test_memory_of_a_further_lane(batched: bool) -> None:
    """Its state before and after, and what its step needs: no more than that, however many lanes there are."""
    curve = plan(Training(steps=100, receiver_steps=50), 8)
    sizes = [program_bytes(curve, lanes, lanes if batched else 1) for lanes in (4, 8, 16)]
    first, second = (sizes[1] - sizes[0]) / 4, (sizes[2] - sizes[1]) / 8
    state = state_bytes(curve)
    print(f"a further lane: {second / 1024:.0f} KiB, {second / state:.1f} times its state")
    assert second <= 1.1 * first
    assert batched or second <= 2.1 * state
