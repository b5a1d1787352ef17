"""Worker processes end with the one that started them, and are deaf to Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PARENT = """
import os, time
from capacity.runtime.executors import executor_pool

if __name__ == "__main__":
    with executor_pool("processes", 1).open() as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        executor.submit(time.sleep, 600)
        time.sleep(600)
"""


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: object, sent: signal.Signals) -> None:
    script = f"{tmp_path}/parent.py"
    with open(script, "w") as file:
        file.write(PARENT)
    words = [sys.executable, script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, signal.SIGINT)  # as a terminal would
        time.sleep(0.5)
        assert lives(worker)
        parent.send_signal(sent)
        said = parent.communicate(timeout=60)[1]
    for _ in range(200):
        if not lives(worker):
            break
        time.sleep(0.05)
    assert not lives(worker) and "SpawnProcess" not in said and "_Worker" not in said
