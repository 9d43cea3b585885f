"""Rounds of a watched build: it looks, and builds when a checkpoint is whole or a post was edited, until Ctrl-C.

Each round is a process of its own. So a network that its author edits is computed with as it stands in the file, the
memory of a round is free after it, and whatever ends a round, ends no more than that.
"""

from __future__ import annotations

import glob
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from multiprocessing import connection
from pathlib import Path

from generator import machine
from generator.artifact import ArtifactStore, matching
from generator.looks import PATIENCE, Looks, Mark, mark_of
from generator.pipeline import Outcome, Stage, build
from generator.progress import Quiet, display
from generator.render import theme_folders
from generator.settings import Settings, read_settings
from generator.site_folder import is_page
from generator.site_swap import Swap, files_below
from generator.spec import BuildError, BuildErrors, Changed, shown

PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two looks
SHARE = 0.02  # of the time that asking for the state of all files may take
NAMED = 3  # changed files that a line names


@dataclass(frozen=True)
class Asked:
    """What is built, as the command line says."""

    content: Path
    out: Path
    store: Path
    folders: tuple[Path, ...]
    drafts: bool
    again: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """Why a round wrote nothing. `changed`: only because something changed while it was at work."""

    errors: tuple[str, ...]
    changed: bool = False


def watch(asked: Asked, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
    """Build, and again whenever something changed, until Ctrl-C. BuildError where `out` is no place for a site."""
    swap = Swap(asked.out, asked.content)
    watcher = Watcher(asked, swap, say, clock)
    say(f"watching {', '.join(map(shown, (asked.content, *asked.folders)))}; Ctrl-C stops.")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell has those ignore Ctrl-C that it starts in the background
        signal.signal(number, signal.default_int_handler)
    try:
        while True:
            try:
                watcher.turn()
            except OSError as problem:  # such as a disk that is full
                watcher.tell((f"error: {problem.filename or ''}: {problem.strerror or problem}",), "watching")
            time.sleep(watcher.pause)
    except KeyboardInterrupt:
        say("stopping; a second Ctrl-C stops at once.")
        with suppress(KeyboardInterrupt):
            swap.close()


@dataclass
class Watcher:
    """What is known from one look to the next."""

    asked: Asked
    swap: Swap
    say: Callable[[str], None]
    clock: Callable[[], float]
    looks: Looks = field(default_factory=Looks)
    built: dict[Path, object] | None = None  # the state that the last round saw
    once_more: bool = False  # whether something changed while that round was at work
    waiting: float | None = None  # since when there is something to build
    pause: float = PAUSE
    lingering: frozenset[str] = frozenset()
    failed: bool = False  # whether the last round wrote nothing because of errors
    told: frozenset[str] = frozenset()  # errors that stand, and gaps in timelines
    settings: tuple[Mark | None, Settings | None] = (None, None)

    def turn(self) -> None:
        """Look, and build if it is time to."""
        start = self.clock()
        files = self.files()
        self.pause = min(LONGEST_PAUSE, max(PAUSE, (self.clock() - start) / SHARE))
        self.looks.look(*files)
        if self.swap.rest():
            return
        self.swap.catch_up()
        state, now = self.looks.state(self.built or {}), self.clock()
        if state == self.built and not self.once_more:
            self.waiting = None
            return
        self.waiting = now if self.waiting is None else self.waiting
        if self.looks.unsettled() and now - self.waiting < PATIENCE:
            return
        first, changed = self.built is None, changed_names(self.built or {}, state)
        self.built, self.waiting, self.once_more = state, None, False
        self.round("first build" if first else changed or "once more", first)

    def tell(self, errors: tuple[str, ...], why: str) -> None:
        """Say what was not said already."""
        for error in errors:
            if error not in self.told:
                self.say(f"{time.strftime('%H:%M:%S')} {why}: {error}")
        self.told = frozenset(errors)

    def files(self) -> tuple[set[Path], set[Path]]:
        """What is looked at: files that a build reads as they are, and checkpoints."""
        content, ours = self.asked.content, (self.asked.out, self.asked.store)
        toml = mark_of(content / "site.toml")
        if toml != self.settings[0]:
            with suppress(BuildError):  # told by the round that it makes; until it is put right, what was named stands
                self.settings = toml, read_settings(content, "site.toml")
        settings = self.settings[1]
        plain = set(files_in(content, ours))
        if settings is None:
            return plain, set()
        theme = str(content / settings.theme) if settings.theme else ""
        plain |= {path for folder in theme_folders(theme) for path in files_in(Path(folder), ours)}
        checkpoints = {path for row in settings.models.values() for path in named(content, row.get("checkpoints"))}
        plain |= {card for path in checkpoints if (card := path.with_suffix(".json")).exists()}
        for folder in self.asked.folders:
            plain |= {path for path in files_in(folder, ours) if path.suffix == ".py"}
            for row in settings.datasets.values():
                plain |= set(named(content, row.get("path"), row.get("masks"), within=folder))
        return plain - checkpoints, checkpoints

    def round(self, why: str, first: bool) -> None:
        """Build in a process of its own, show what it wrote, and say so in a line."""
        start = time.perf_counter()
        pages = {path.relative_to(self.swap.out).as_posix() for path in files_below(self.swap.out)}
        spared = frozenset(name for name in pages - self.lingering if not is_page(name))
        stage = Stage(self.swap.begin(), self.looks.sight(), spared, self.lingering)
        done = in_process(self.asked, stage, first)
        well_again, self.failed = self.failed, isinstance(done, Failed)
        if isinstance(done, Failed):
            self.once_more = done.changed and not self.told.issuperset(done.errors)
            self.tell(done.errors, why)
            return
        if done.written or done.removed:
            self.swap.show()
            self.lingering = done.lingering
        if first or done.computed or done.written or done.removed or well_again:
            took = time.perf_counter() - start
            self.say(f"{time.strftime('%H:%M:%S')} {why}: {summary(done)}, in {took:.1f} s")
        self.tell(tuple(f"warning: {gap}" for gap in done.gaps), why)


def summary(done: Outcome) -> str:
    broken = f"; claims broken: {', '.join(done.broken)}" if done.broken else ""
    return (
        f"{done.computed} figures computed, {done.reused} kept; {done.written} files written, "
        f"{done.removed} removed{broken}"
    )


def changed_names(before: Mapping[Path, object], after: Mapping[Path, object]) -> str:
    """The names of the files that changed, or some of them."""
    names = sorted({path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)})
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def files_in(folder: Path, ours: Iterable[Path] = ()) -> Iterator[Path]:
    """All files below a folder, each once, less what is hidden, and less folders of ours, should they lie there."""
    passed = {one.resolve() for one in ours}
    for root, folders, files in os.walk(folder, followlinks=True):
        here = Path(root)
        folders[:] = [one for one in folders if not one.startswith(".") and (here / one).resolve() not in passed]
        passed |= {(here / one).resolve() for one in folders}
        yield from (here / file for file in files if not file.startswith("."))


def named(content: Path, *patterns: object, within: Path | None = None) -> Iterator[Path]:
    """The files that globs or folders of site.toml name; a folder stands for all that is in it.

    within: a folder that they must lie in; others are not looked for.
    """
    for pattern in patterns:
        for one in pattern if isinstance(pattern, list | tuple) else (pattern,):
            if not isinstance(one, str) or not one or (within is not None and not meets(content / one, within)):
                continue
            if (content / one).is_dir():
                yield from files_in(content / one)
            else:
                yield from matching(content, one)


def meets(pattern: Path, folder: Path) -> bool:
    """Whether a glob may name files of a folder: up to its first wildcard, one of the two lies in the other."""
    parts = takewhile(lambda part: not glob.has_magic(part), pattern.parts)
    start, folder = Path(*parts).resolve(), folder.resolve()
    return start.is_relative_to(folder) or folder.is_relative_to(start)


def in_process(asked: Asked, stage: Stage, first: bool) -> Outcome | Failed:
    """What a build in a process of its own gave. Ctrl-C is passed on to it, so that it keeps what it has."""
    spawn = multiprocessing.get_context("spawn")  # so that nothing that was imported is older than its file
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=work, args=(sender, asked, stage, first))
    try:
        with interrupts_held():  # until the new process is able to take one
            process.start()
        sender.close()
        done: Outcome | Failed = receiver.recv()
    except EOFError:
        process.join()
        done = Failed((f"error: the build was ended ({ended(process.exitcode)}); it is tried again when files change",))
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


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Inside, Ctrl-C waits, also in processes that are started here."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        release_interrupts()


def release_interrupts() -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def ended(code: int | None) -> str:
    return f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"


def work(sender: connection.Connection, asked: Asked, stage: Stage, first: bool) -> None:
    """One round; what it gave is sent."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # a terminal's Ctrl-C goes to the whole group: it is for the watching process to pass it on
    threading.Thread(target=end_with_parent, daemon=True).start()
    machine.settle()
    try:
        release_interrupts()
        sender.send(built(asked, stage, first))
    except KeyboardInterrupt:
        sys.exit(1)


def end_with_parent() -> None:
    """Who was ended in the middle of a round shows nothing of it; so the round ends, too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def built(asked: Asked, stage: Stage, first: bool) -> Outcome | Failed:
    """One round in this process."""
    store, again = ArtifactStore(asked.store), asked.again if first else ()
    try:
        if not first:
            return build(asked.content, asked.out, store, Quiet(), asked.drafts, again, stage)
        with display(sys.stderr) as shows:
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
