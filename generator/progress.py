"""What is said while a build works: a line for each figure under way, and an estimate of the whole.

On a terminal the lines move (rich, which is loaded when there is something to tell); elsewhere each figure has one
plain line when it is done, and one now and then while it is not, so that a log shows that the build lives.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TextIO

from generator.deferred import Deferred

if TYPE_CHECKING:
    from rich import console as rich_console
    from rich import progress as rich_progress
else:
    rich_console, rich_progress = Deferred("rich.console"), Deferred("rich.progress")


class Display(Protocol):
    """Where figures and their advance are told."""

    def begin(self, total: int) -> None: ...

    def start(self, name: str) -> None: ...

    def advance(self, done: int, total: int, what: str = "") -> None: ...

    def finish(self, name: str, seconds: float, error: str = "") -> None: ...


class Quiet:
    """Says nothing."""

    def begin(self, total: int) -> None: ...

    def start(self, name: str) -> None: ...

    def advance(self, done: int, total: int, what: str = "") -> None: ...

    def finish(self, name: str, seconds: float, error: str = "") -> None: ...


class Plain:
    """One line for each figure when it is done, with the time that is left at the pace so far."""

    PAUSE = 30.0  # seconds between lines about the same figure

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def begin(self, total: int) -> None:
        self.total, self.done, self.began = total, 0, time.monotonic()

    def start(self, name: str) -> None:
        self.name, self.told = name, time.monotonic()

    def advance(self, done: int, total: int, what: str = "") -> None:
        now = time.monotonic()
        if now - self.told >= self.PAUSE:
            self.told = now
            self.print(self.done + 1, f"{self.name}: {what + ', ' if what else ''}{done / max(total, 1):.0%} done")

    def finish(self, name: str, seconds: float, error: str = "") -> None:
        self.done += 1
        left = (time.monotonic() - self.began) / self.done * (self.total - self.done)
        rest = f", about {left:.0f} s left" if self.done < self.total else ""
        self.print(self.done, f"{name}: {'failed' if error else 'computed'} in {seconds:.1f} s{rest}")

    def print(self, number: int, line: str) -> None:
        self.stream.write(f"[{number}/{self.total}] {line}\n")
        self.stream.flush()


class Live:
    """A bar for the whole, and a bar for the figure under way."""

    def __init__(self, stream: TextIO, closing: ExitStack) -> None:
        self.stream, self.closing = stream, closing

    @cached_property
    def progress(self) -> rich_progress.Progress:
        """The moving lines, from when there is something to tell until `closing` is left."""
        columns = (
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(),
            rich_progress.TaskProgressColumn(),
            rich_progress.TimeElapsedColumn(),
            rich_progress.TimeRemainingColumn(),
        )
        lines = rich_progress.Progress(*columns, console=rich_console.Console(file=self.stream), transient=True)
        return self.closing.enter_context(lines)

    def begin(self, total: int) -> None:
        self.whole = self.progress.add_task("all figures", total=total)
        self.done = 0

    def start(self, name: str) -> None:
        self.name = name
        self.task = self.progress.add_task(name, total=1.0)

    def advance(self, done: int, total: int, what: str = "") -> None:
        share = done / max(total, 1)
        self.progress.update(self.task, completed=share, description=f"{self.name} ({what})" if what else self.name)
        if not what:
            self.progress.update(self.whole, completed=self.done + share)

    def finish(self, name: str, seconds: float, error: str = "") -> None:
        self.done += 1
        self.progress.update(self.whole, completed=self.done)
        self.progress.remove_task(self.task)
        state = "[red]failed[/]" if error else "computed"
        self.progress.console.print(f"{name}: {state} in {seconds:.1f} s", highlight=False)


@contextmanager
def display(stream: TextIO) -> Iterator[Display]:
    """The display that fits where the output goes."""
    if not stream.isatty():
        yield Plain(stream)
        return
    with ExitStack() as closing:
        yield Live(stream, closing)
