"""Processes of our own: what they begin with, and what is told of how they ended."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.context import ForkServerContext, SpawnContext

Start = SpawnContext | ForkServerContext


def warm(*modules: str) -> Start:
    """Processes that begin with these modules loaded, as copies of one that has nothing else and no threads.

    What they have loaded of ours stays as it is while we run, and the first modules that were asked for stand; where
    a system cannot copy processes, each loads for itself.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(modules))
    return found


def ended(code: int | None) -> str:
    """How a process ended."""
    return f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"
