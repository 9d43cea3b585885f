"""The machine: what it has, and how this process asks to be run.

The second is set by the command line before torch is loaded, for no import may.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from generator.deferred import Deferred

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

CPUINFO = Path("/proc/cpuinfo")
# Of glibc's malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20  # that glibc takes


def settle() -> None:
    """What the environment already says stands."""
    # Read by OpenMP: threads that wait for each other sleep after a thousand turns. By default they turn for
    # milliseconds, and where another program holds a core, all work stands still for as long.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # Looks for pydantic's plug-ins, among all packages that are installed, took a tenth of a build with nothing to do.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What is imported and read stays: looking through it for garbage, each time that a little more is, took as long.
    gc.set_threshold(50_000, 20, 20)
    keep_freed_memory()


def keep_freed_memory(anyway: bool = False) -> None:
    """Let freed memory serve the next tensor instead of going back to the system, which hands it out zeroed.

    By default glibc returns each large block at once, and a network's every activation is one: a sixth of a small
    network's gradient on the CPU went into new pages. Only on Linux with glibc, and unless MALLOC_… is set, or it is to
    be so `anyway`.
    """
    if sys.platform != "linux" or (not anyway and any(name.startswith("MALLOC_") for name in os.environ)):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        mallopt(TRIM_THRESHOLD, 2**31 - 1)


@cache
def processor() -> str:
    """What processor this is, such as `x86_64 (AMD EPYC)`."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return " ".join([platform.machine(), *(f"({name})" for name in names[:1])])


def gpus() -> int:
    """The GPUs that PyTorch knows."""
    return torch.cuda.device_count()


def memory() -> int:
    """Bytes of the machine's memory; 0 where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
