"""A round of a watched build, in a process of its own.

So a network that its author edits is computed with as it stands in the file, the memory of a round is free after it,
and whatever ends a round, ends no more than that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path

from generator import machine
from generator.forking import ended, warm
from generator.lock import in_use
from generator.pipeline import Outcome, Stage, build
from generator.progress import Quiet, display
from generator.runners import ALONE, Crew
from generator.spec import BuildError, BuildErrors, Changed
from generator.stopping import end_with_parent, interrupts_held, release_interrupts
from generator.stores import store_of

LOADED = ("generator.warm.figures", "generator.warm.pages")  # all that computes figures and writes pages


@dataclass(frozen=True)
class Asked:
    """What is built, as the command line says."""

    content: Path
    out: Path
    store: str | Path
    folders: tuple[Path, ...]
    drafts: bool
    again: tuple[str, ...] = ()
    crew: Crew = ALONE
    keep_going: bool = False
    cache: str | None = None  # as of `stores.store_of`


@dataclass(frozen=True)
class Failed:
    """Why a round wrote nothing. `changed`: only because something changed while it was at work."""

    errors: tuple[str, ...]
    changed: bool = False


def in_process(asked: Asked, stage: Stage, first: bool, loaded: Sequence[str] = LOADED) -> Outcome | Failed:
    """What a build in a process of its own gave. Ctrl-C is passed on to it, so that it keeps what it has.

    loaded: the modules that the process begins with.
    """
    how = warm(*loaded)
    receiver, sender = how.Pipe(duplex=False)
    process = how.Process(target=work, args=(sender, asked, stage, first))
    try:
        with interrupts_held():  # until the new process is able to take one
            process.start()
        sender.close()
        done: Outcome | Failed = receiver.recv()
    except EOFError:
        process.join()
        done = Failed((f"error: the build was ended {ended(process.exitcode)}; it is tried again when files change",))
    except KeyboardInterrupt:
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGINT)
        try:
            process.join()
        except KeyboardInterrupt:
            process.kill()
        raise
    process.join()
    return done


def work(sender: connection.Connection, asked: Asked, stage: Stage, first: bool) -> None:
    """One round; what it gave is sent."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # a terminal's Ctrl-C goes to the whole group: it is for the watching process to pass it on
    threading.Thread(target=end_with_parent, daemon=True).start()
    machine.settle()
    try:
        release_interrupts()
        sender.send(built(asked, stage, first))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # taking down all that was loaded takes a fifth of a short build, and leaves nothing that matters
    except KeyboardInterrupt:
        sys.exit(1)


def built(asked: Asked, stage: Stage, first: bool) -> Outcome | Failed:
    """One round in this process."""
    again = asked.again if first else ()
    try:
        store = store_of(asked.content, asked.store, asked.cache)
        with in_use(store.folder), display(sys.stderr) if first else nullcontext(Quiet()) as shows:
            return build(asked.content, asked.out, store, shows, asked.drafts, again, stage)
    except BuildErrors as found:
        return failed(found.errors)
    except BuildError as error:
        return failed([error])
    except OSError as error:
        return Failed(
            (f"error: {error.filename or ''}: {error.strerror or error}",), isinstance(error, FileNotFoundError)
        )
    except Exception as error:  # a template or a module that is being edited may raise anything; the watch goes on
        return Failed((f"error: {type(error).__name__}: {error}",))


def failed(errors: list[BuildError]) -> Failed:
    told = [error for error in errors if not isinstance(error, Changed)]
    return Failed(tuple(f"error: {error}" for error in told) or tuple(map(str, errors)), changed=not told)
