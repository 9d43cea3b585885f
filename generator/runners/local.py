"""In processes of this machine, which share its cores.

Each worker has a network that it loaded once, and is given jobs of that network as long as there are some. A worker
that dies takes nothing with it but the job that it was at, which is done elsewhere; a job that ends its worker three
times is told as failed, and the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING

from generator import machine
from generator.computing import Done, Worksite, done
from generator.deferred import Deferred
from generator.forking import ended, warm
from generator.library import Library
from generator.machine import cores
from generator.progress import Display
from generator.runners import Work, capacity
from generator.spec import BuildError, Job
from generator.stopping import end_with_parent, interrupts_held, release_interrupts

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

TRIES = 3  # of a job whose worker dies
GRACE = 20.0  # seconds in which a worker that is stopped keeps what it has
PAUSE = 0.1  # seconds between two words about the same job


def run(jobs: Sequence[Job], work: Work, display: Display) -> Iterator[tuple[Job, BuildError | None]]:
    workers = min(work.crew.workers or cores(), len(jobs))
    queue = Queue(list(jobs), work.library)
    crew = [Worker(number, work.site) for number in range(workers)]
    display.begin(len(jobs), workers)
    try:
        while True:
            for worker in crew:
                if worker.job is None and (job := queue.next(worker.held)) is not None:
                    worker.give(job)
                    display.start(job.id, worker.number)
            busy = {worker.pipe: worker for worker in crew if worker.job is not None}
            if not busy:
                return
            for pipe in connection.wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                if (ended := heard(worker, queue, work, display)) is not None:
                    yield ended
    finally:
        dismiss(crew)


def dismiss(crew: Sequence[Worker]) -> None:
    """Let all workers end; on another Ctrl-C, at once."""
    grace = GRACE
    for worker in crew:
        worker.stop()
    for worker in crew:
        try:
            worker.end(grace)
        except KeyboardInterrupt:
            grace = 0.0
            worker.end(grace)


@dataclass
class Queue:
    """The jobs that wait. While a network is being trained for one of them, the others that need it wait for it."""

    waiting: list[Job]
    library: Library
    tries: dict[str, int] = field(default_factory=dict)  # by key, of jobs whose workers died
    training: set[str] = field(default_factory=set)  # networks, by name
    needs: dict[str, Mapping[str, float]] = field(init=False)  # by key: what a job needs of GPUs and the like, by name
    free: dict[str, float] = field(init=False)  # what there is of these for more jobs

    def __post_init__(self) -> None:
        self.needs = {job.key: self.library.needs(job) for job in self.waiting}
        self.free = capacity(self.needs.values())

    def next(self, held: set[str]) -> Job | None:
        """A job for a worker that holds these networks; None where there is none for now."""
        chosen = next((job for job in self.waiting if job.model in held and self.ready(job)), None)
        chosen = chosen or next(filter(self.ready, self.waiting), None)
        if chosen is not None:
            self.waiting.remove(chosen)
            self.take(chosen, 1)
            if chosen.model is not None and self.library.untaught(chosen.model):
                self.training.add(chosen.model)
        return chosen

    def ready(self, job: Job) -> bool:
        """Whether its network is not being trained, and what it needs is free."""
        needs = self.needs[job.key].items()
        return job.model not in self.training and all(self.free[name] >= amount for name, amount in needs)

    def take(self, job: Job, sign: int) -> None:
        for name, amount in self.needs[job.key].items():
            self.free[name] -= sign * amount

    def leave(self, job: Job) -> None:
        """It has ended; with it the training of its network."""
        self.take(job, -1)
        self.training.discard(job.model or "")

    def again(self, job: Job) -> bool:
        """Put a job back whose worker died, unless it did so too often."""
        self.leave(job)
        self.tries[job.key] = self.tries.get(job.key, 0) + 1
        if self.tries[job.key] < TRIES:
            self.waiting.insert(0, job)
            return True
        return False


class Worker:
    """A process that computes one job at a time, started when it is given the first."""

    def __init__(self, number: int, site: Worksite) -> None:
        self.number, self.site = number, site
        self.job: Job | None = None
        self.held: set[str] = set()  # networks that it has loaded
        self.process: multiprocessing.process.BaseProcess | None = None
        self.pipe: connection.Connection

    def give(self, job: Job) -> None:
        if self.process is None:
            start = warm("generator.warm.figures")
            self.pipe, theirs = start.Pipe()
            process = start.Process(target=serve, args=(theirs, self.site, dict(os.environ)), daemon=True)
            with interrupts_held():  # until the new process is able to take one
                process.start()
                self.process = process
            theirs.close()
            self.held = set()
        self.job = job
        self.held |= {job.model} if job.model else set()
        with suppress(OSError):  # it died just now, which is heard next
            self.pipe.send(job)

    def died(self) -> str:
        """How it ended."""
        assert self.process is not None
        self.process.join()
        how = ended(self.process.exitcode)
        self.process, self.held = None, set()
        return how

    def stop(self) -> None:
        """Let it end: it keeps what it has of a training."""
        if self.process is not None and self.process.pid is not None and self.process.is_alive():
            with suppress(OSError):
                if self.job is None:
                    self.pipe.send(None)
                else:
                    os.kill(self.process.pid, signal.SIGINT)

    def end(self, grace: float) -> None:
        """Wait for so many seconds until it has, and end it if it does not."""
        if self.process is not None:
            self.process.join(grace)
            self.process.kill()
            self.pipe.close()


def heard(worker: Worker, queue: Queue, work: Work, display: Display) -> tuple[Job, BuildError | None] | None:
    """What a worker says, or that it died; the job that has ended with it, if one has."""
    job = worker.job
    assert job is not None
    try:
        said = worker.pipe.recv()
    except (EOFError, OSError):
        how = worker.died()
        worker.job = None
        if work.finished(job):
            queue.leave(job)
            display.finish(job.id, 0.0, "", worker.number)
            return job, None
        if queue.again(job):
            return None
        error = BuildError(
            f"figure {job.id}: its worker was ended {TRIES} times ({how}); is there too little memory?", job.place
        )
        display.finish(job.id, 0.0, str(error), worker.number)
        return job, error
    if isinstance(said, tuple):
        display.advance(said[0], said[1], said[2], worker.number)
        return None
    assert isinstance(said, Done)
    worker.job = None
    queue.leave(job)
    work.library.opened |= said.opened
    work.store.added |= said.added
    work.store.say_damaged(said.damaged)
    display.finish(job.id, said.seconds, str(said.error or ""), worker.number)
    return job, said.error


def serve(pipe: connection.Connection, site: Worksite, environment: Mapping[str, str]) -> None:
    """A worker: jobs come, and what became of them is told, until there are no more or who asked is gone.

    What it is a copy of began with the environment of then; this is that of who asks.
    """
    os.environ.clear()
    os.environ.update(environment)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        work(pipe, site)


def work(pipe: connection.Connection, site: Worksite) -> None:
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # Ctrl-C goes to who started us, who passes it on once
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one that came before is forgotten
    release_interrupts()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends us, who have begun nothing, without a word
    threading.Thread(target=end_with_parent, daemon=True).start()
    machine.settle()
    torch.set_num_threads(site.threads)
    last = 0.0

    def tell(done: int, total: int, what: str = "") -> None:
        nonlocal last
        if time.monotonic() - last > PAUSE:
            last = time.monotonic()
            pipe.send((done, total, what))

    library = site.library(lambda what, done, total: tell(done, total, what))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # stops a training where it can keep what it has
    while (job := pipe.recv()) is not None:
        pipe.send(done(job, library, tell))
