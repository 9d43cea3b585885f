"""Processes that tests start as copies of one in which all that they need is loaded."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

from generator.stopping import release_interrupts

FORKED = multiprocessing.get_context("forkserver")
PATH = list(sys.path)  # before any test adds the folder of its report


def started(
    run: Callable[..., object],
    *given: object,
    folder: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    daemon: bool = True,
) -> BaseProcess:
    """A process that calls `run` in a folder, where what it says goes to `log`; daemons may start no others."""
    be_ready()
    place = (PATH, folder, {**os.environ, **environment})
    process = FORKED.Process(target=begin, args=(run, given, *place), daemon=daemon)
    process.start()
    return process


def wait_for(file: Path, process: BaseProcess) -> None:
    """Until there is something in a file that a living process writes to the folder that it works in."""
    while not (file.exists() and file.stat().st_size):
        assert process.is_alive(), (file.parent / "log").read_text()
        time.sleep(0.001)


def be_ready() -> None:
    """Load all, and not only what the first that is tested asks for."""
    FORKED.set_forkserver_preload(["tests.loaded"])
    forkserver.ensure_running()


def command(*arguments: str) -> None:
    """`whatfires`, as on a command line."""
    import_module("generator.cli").main(arguments)


def begin(
    run: Callable[..., object],
    given: tuple[object, ...],
    path: list[str],
    folder: Path,
    environment: Mapping[str, str],
) -> None:
    sys.path[:] = path
    release_interrupts()  # those that were held while what we are a copy of began
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with (folder / "log").open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    run(*given)
