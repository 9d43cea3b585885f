"""What is said while a build works: a line for each figure under way, and an estimate of the whole.

On a terminal the lines move (rich, which is loaded when there is something to tell); elsewhere each figure has one
plain line when it is done, and one now and then while it is not, so that a log shows that the build lives.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TextIO

from generator.deferred import Deferred
from generator.spec import printable

if TYPE_CHECKING:
    from rich import console as rich_console
    from rich import progress as rich_progress
    from rich import text as rich_text
else:
    rich_console, rich_progress = Deferred("rich.console"), Deferred("rich.progress")
    rich_text = Deferred("rich.text")


class Display(Protocol):
    """Where figures and their advance are told. worker: which of several works on the figure."""

    def begin(self, total: int, workers: int = 1) -> None: ...

    def start(self, name: str, worker: int = 0) -> None: ...

    def advance(self, done: int, total: int, what: str = "", worker: int = 0) -> None: ...

    def finish(self, name: str, seconds: float, error: str = "", worker: int = 0) -> None: ...


class Quiet:
    """Says nothing."""

    def begin(self, total: int, workers: int = 1) -> None: ...

    def start(self, name: str, worker: int = 0) -> None: ...

    def advance(self, done: int, total: int, what: str = "", worker: int = 0) -> None: ...

    def finish(self, name: str, seconds: float, error: str = "", worker: int = 0) -> None: ...


@dataclass
class Pace:
    """How fast figures are done, by so many workers."""

    total: int
    workers: int
    done: int = 0
    began: float = field(default_factory=lambda: time.monotonic())

    def left(self) -> float:
        """Seconds until all are done, at the pace so far."""
        return (time.monotonic() - self.began) / max(self.done, 1) * (self.total - self.done)

    def crew(self) -> str:
        """The workers and their rate; nothing of a single one.

        >>> Pace(9, 1).crew(), Pace(9, 2, 4, time.monotonic() - 60).crew()
        ('', '2 workers, 4 a minute')
        """
        if self.workers == 1:
            return ""
        rate = 60 * self.done / max(time.monotonic() - self.began, 1e-9)
        return f"{self.workers} workers, {rate:.{0 if rate >= 3 else 1}f} a minute"


class Plain:
    """One line for each figure when it is done, with the time that is left at the pace so far."""

    PAUSE = 30.0  # seconds between lines about the same figure

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.under_way: dict[int, tuple[str, float]] = {}  # by worker: the figure, and when it was told of last

    def begin(self, total: int, workers: int = 1) -> None:
        self.pace = Pace(total, workers)

    def start(self, name: str, worker: int = 0) -> None:
        self.under_way[worker] = name, time.monotonic()

    def advance(self, done: int, total: int, what: str = "", worker: int = 0) -> None:
        (name, told), now = self.under_way[worker], time.monotonic()
        if now - told >= self.PAUSE:
            self.under_way[worker] = name, now
            self.print(self.pace.done + 1, f"{name}: {what + ', ' if what else ''}{done / max(total, 1):.0%} done")

    def finish(self, name: str, seconds: float, error: str = "", worker: int = 0) -> None:
        self.pace.done += 1
        rest = f"about {self.pace.left():.0f} s left" if self.pace.done < self.pace.total else ""
        more = ", ".join(filter(None, [rest, self.pace.crew()]))
        state = "failed" if error else "computed"
        self.print(self.pace.done, f"{name}: {state} in {seconds:.1f} s{', ' if more else ''}{more}")

    def print(self, number: int, line: str) -> None:
        self.stream.write(f"[{number}/{self.pace.total}] {printable(line)}\n")
        self.stream.flush()


class Live:
    """A bar for the whole, and a bar for each figure under way."""

    def __init__(self, stream: TextIO, closing: ExitStack) -> None:
        self.stream, self.closing = stream, closing
        self.tasks: dict[
            int, tuple[str, rich_progress.TaskID, float]
        ] = {}  # by worker: figure, its bar, its share done

    @cached_property
    def progress(self) -> rich_progress.Progress:
        """The moving lines, from when there is something to tell until `closing` is left."""
        columns = (
            rich_progress.TextColumn("{task.description}", markup=False),
            rich_progress.BarColumn(),
            rich_progress.TaskProgressColumn(),
            rich_progress.TimeElapsedColumn(),
            rich_progress.TimeRemainingColumn(),
        )
        lines = rich_progress.Progress(*columns, console=rich_console.Console(file=self.stream), transient=True)
        return self.closing.enter_context(lines)

    def begin(self, total: int, workers: int = 1) -> None:
        self.pace = Pace(total, workers)
        self.whole = self.progress.add_task("all figures", total=total)

    def start(self, name: str, worker: int = 0) -> None:
        if worker in self.tasks:  # it died, and its job waits
            self.progress.remove_task(self.tasks[worker][1])
        self.tasks[worker] = printable(name), self.progress.add_task(printable(name), total=1.0), 0.0

    def advance(self, done: int, total: int, what: str = "", worker: int = 0) -> None:
        (name, task, _), share = self.tasks[worker], done / max(total, 1)
        self.progress.update(task, completed=share, description=f"{name} ({printable(what)})" if what else name)
        if not what:
            self.tasks[worker] = name, task, share
            self.tell()

    def finish(self, name: str, seconds: float, error: str = "", worker: int = 0) -> None:
        self.pace.done += 1
        self.progress.remove_task(self.tasks.pop(worker)[1])
        self.tell()
        state, style = ("failed", "red") if error else ("computed", "")
        line = rich_text.Text.assemble(f"{printable(name)}: ", (state, style), f" in {seconds:.1f} s")
        self.progress.console.print(line, highlight=False)

    def tell(self) -> None:
        crew = self.pace.crew()
        done = self.pace.done + sum(share for _, _, share in self.tasks.values())
        self.progress.update(self.whole, completed=done, description=f"all figures{', ' if crew else ''}{crew}")


@contextmanager
def display(stream: TextIO) -> Iterator[Display]:
    """The display that fits where the output goes."""
    if not stream.isatty():
        yield Plain(stream)
        return
    with ExitStack() as closing:
        yield Live(stream, closing)
