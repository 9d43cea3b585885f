"""Watching: it looks, and builds when a checkpoint is whole or a post was edited, until Ctrl-C."""

from __future__ import annotations

import glob
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from generator.files import matching
from generator.looks import PATIENCE, Looks, Mark, mark_of
from generator.pipeline import Outcome, Stage
from generator.rounds import Asked, Failed, in_process
from generator.settings import Settings, read_settings
from generator.site_folder import is_page
from generator.site_swap import Swap, files_below
from generator.spec import BuildError, counted, shown
from generator.themes import theme_folders

PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two looks
SHARE = 0.02  # of the time that asking for the state of all files may take
ONCE_MORE = "once more"  # why there is a round though no file is known to have changed
NAMED = 3  # changed files that a line names


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
class InPlace:
    """A folder that each build is written to as it stands, for a reader who is told when to look again. As `Swap`."""

    out: Path

    def begin(self) -> Path:
        return self.out

    def rest(self) -> float:
        return 0.0

    def catch_up(self) -> None: ...

    def show(self) -> None: ...


@dataclass
class Watcher:
    """What is known from one look to the next."""

    asked: Asked
    swap: Swap | InPlace
    say: Callable[[str], None]
    clock: Callable[[], float]
    looks: Looks = field(default_factory=Looks)
    built: dict[Path, object] | None = None  # the state that the last round saw
    once_more: bool = False  # whether something changed while that round was at work
    waiting: float | None = None  # since when there is something to build
    pause: float = PAUSE
    lingering: frozenset[str] = frozenset()
    failed: bool = False  # whether the last round wrote nothing because of errors
    failures: Mapping[str, BuildError] = field(default_factory=dict)  # figures that the last site shows as failed
    told: frozenset[str] = frozenset()  # errors and warnings that stand
    settings: tuple[Mark | None, Settings | None] = (None, None)
    least: float = PAUSE  # seconds between two looks
    share: float = SHARE
    build: Callable[[Asked, Stage, bool], Outcome | Failed] = in_process

    def turn(self) -> None:
        """Look, and build if it is time to."""
        start = self.clock()
        files = self.files()
        self.pause = min(LONGEST_PAUSE, max(self.least, (self.clock() - start) / self.share))
        self.looks.look(*files)
        if self.looks.unsettled():  # an edit that is soon whole: its reader is not kept waiting
            self.pause = min(self.pause, self.least / 2)
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
        self.round("first build" if first else changed or ONCE_MORE, first)

    def tell(self, errors: tuple[str, ...], why: str) -> None:
        """Say what was not said already, or else that it still is so."""
        new = [error for error in errors if error not in self.told]
        for error in new:
            self.say(f"{time.strftime('%H:%M:%S')} {why}: {error}")
        if self.failed and not new and why != ONCE_MORE:
            self.say(f"{time.strftime('%H:%M:%S')} {why}: still {counted(len(errors), 'error')}")
        self.told = frozenset(errors)

    def files(self) -> tuple[set[Path], set[Path]]:
        """What is looked at: files that a build reads as they are, and checkpoints."""
        content, ours = self.asked.content, (self.asked.out, Path(self.asked.store))
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
        stage = Stage(
            self.swap.begin(),
            self.looks.sight(),
            spared,
            self.lingering,
            crew=self.asked.crew,
            keep_going=self.asked.keep_going,
            failed=self.failures,
        )
        done = self.build(self.asked, stage, first)
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
        self.failures = done.failed
        self.tell((*done.warnings, *done.failures), why)


def summary(done: Outcome) -> str:
    broken = f"; claims broken: {', '.join(done.broken)}" if done.broken else ""
    return (
        f"{counted(done.computed, 'figure')} computed, {done.reused} kept; {counted(done.written, 'file')} written, "
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
