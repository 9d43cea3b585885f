"""Processes that tests start as copies of one in which all that they need is loaded."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

FORKED = multiprocessing.get_context("forkserver")


def started(run: Callable[..., object], *given: object, folder: Path, environment: Mapping[str, str]) -> BaseProcess:
    """A process that calls `run` in a folder, where what it says goes to `log`."""
    FORKED.set_forkserver_preload(["tests.loaded"])
    forkserver.ensure_running()  # with all these modules, and not only those that what is tested asks for later
    process = FORKED.Process(target=begin, args=(run, given, folder, {**os.environ, **environment}), daemon=True)
    process.start()
    return process


def begin(run: Callable[..., object], given: tuple[object, ...], folder: Path, environment: Mapping[str, str]) -> None:
    sys.path[:] = import_module("tests.loaded").PATH
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with (folder / "log").open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    run(*given)
