"""In a child process: reads requests as lines of JSON, runs the method on the task's rows, and writes what came of it.

It is also run by the Python of the peers, which has neither JAX nor this project's packages installed.
"""

from __future__ import annotations

import inspect
import json
import math
import os
import resource
import sys
import time
import warnings
from typing import Any

import numpy as np

from tests.benchmarks.traps_peers import PEERS
from tests.traps import tasks
from tests.traps.task import Task

Record = dict[str, Any]
MAX_WORDS = 400


def answer(request: Record) -> Record:
    """The figure in bits (None where infinite), a refusal, or what was raised; seconds with all compilation."""
    task = tasks()[request["task"]]
    x, y = task.rows(request["seed"], request["n"])
    ask = _peer if request["method"] in PEERS else _permutation if request["method"] == "permutation" else _own
    start, worked = time.perf_counter(), time.process_time()
    try:
        found = ask(request["method"], task, request["seed"], x, y)
    except ValueError as refusal:
        found = {"refused": str(refusal)[:MAX_WORDS]}
    except Exception as error:  # whatever it is, it is counted
        found = {"crashed": f"{type(error).__name__}: {error}"[:MAX_WORDS]}
    found |= {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - worked}
    return found | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def _own(method: str, task: Task, seed: int, x: np.ndarray, y: np.ndarray) -> Record:
    """A method of this project; the automatic choice says what it chose."""
    import capacity

    asked = capacity.choose if method == "auto" else capacity.estimate
    options = {} if method == "auto" else {"method": method}
    told = task.order is not None and "order" in inspect.signature(asked).parameters
    if told:
        options["order"] = task.order
    found = asked(seed, x, y, **options)
    estimate = found.estimate if method == "auto" else found
    record = {part: _finite(getattr(estimate, part)) for part in ("bits", "low", "high", "limit")}
    record |= {"kind": estimate.kind, "saturated": bool(estimate.saturated), "told_order": told}
    return record | ({"chosen": found.method, "why": found.why[:MAX_WORDS]} if method == "auto" else {})


def _permutation(_: str, task: Task, seed: int, x: np.ndarray, y: np.ndarray) -> Record:
    """The p-value of independence."""
    import capacity

    return {"p_value": float(capacity.permutation_test(seed, x, y, order=task.order).p_value)}


def _peer(method: str, _: Task, seed: int, x: np.ndarray, y: np.ndarray) -> Record:
    """Another tool's figure; most have no interval."""
    figures = PEERS[method](seed, x, y)
    return {part: _finite(figure) for part, figure in zip(("bits", "low", "high"), figures, strict=False)}


def _finite(figure: Any) -> float | None:
    """JSON has no infinities."""
    return float(figure) if math.isfinite(float(figure)) else None


def main() -> None:
    """Answer line by line; what libraries print goes elsewhere."""
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    said.write("ready\n")
    said.flush()
    for line in sys.stdin:
        said.write(json.dumps(answer(json.loads(line))) + "\n")
        said.flush()


if __name__ == "__main__":
    main()
