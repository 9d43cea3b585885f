"""How the process runs: what is set, and that the environment comes first."""

import os
import subprocess
import sys

import pytest

from generator import machine

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only glibc has mallopt")


def pages_taken(again: str, **environment: str) -> int:
    """New pages that allocating and freeing 20 MB ten times took from the system."""
    code = f"""
import resource
{again}
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for turn in range(11):
    if turn == 1:
        before = faults()
    bytearray(20 * 2**20)
print(faults() - before)
"""
    found = subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, check=True)
    return int(found.stdout)


def test_threads_that_wait_sleep_soon_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.setattr(machine, "keep_freed_memory", lambda: None)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)

    machine.settle()
    assert os.environ["GOMP_SPINCOUNT"] == "1000"

    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    machine.settle()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


@LINUX
def test_freed_memory_is_taken_again_without_new_pages():
    settle = "from generator import machine; machine.keep_freed_memory()"

    assert pages_taken(settle) < 100
    assert pages_taken(settle, MALLOC_MMAP_THRESHOLD_="131072") > 1000  # what the environment says stands
