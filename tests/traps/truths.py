"""Compute every truth again and keep it in `truths.json`: some minutes.

python -m tests.traps.truths [PATTERN ...]
"""

from __future__ import annotations

import fnmatch
import json
import sys
import time

from tests.traps import tasks
from tests.traps.task import TABLE


def main(patterns: list[str]) -> None:
    """Truths of the tasks that fit a pattern, or of all."""
    all_tasks = tasks()
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for name, task in all_tasks.items():
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns or ["*"]):
            start = time.perf_counter()
            truth = task.law.truth()
            table[name] = [round(truth.bits, 10), float(f"{truth.stderr:.3g}"), truth.how]
            print(
                f"{name}: {truth.bits:.6f} ± {truth.stderr:.2g}, {truth.how}, {time.perf_counter() - start:.1f} s",
                flush=True,
            )
    rows = [f'  "{name}": {json.dumps(table[name])}' for name in sorted(table) if name in all_tasks]
    TABLE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
