"""On a cluster of Dask: a scheduler that is there, or one that is started here for this build.

What is computed goes to the store, which all workers reach; the scheduler is told names and errors. Of each network
there is a token whose size is the network's, so that Dask gives its jobs to workers that hold it. Where a worker dies
its jobs are done elsewhere, and where the scheduler does, those that the store has not are asked for again.

Dask: https://distributed.dask.org
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

from generator import machine
from generator.artifact import on_stderr
from generator.computing import Done, Worksite, done
from generator.deferred import Deferred
from generator.forking import warm
from generator.machine import cores
from generator.progress import Display
from generator.runners import Work, capacity, largest
from generator.spec import BuildError, Job
from generator.stopping import interrupts_ignored

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")
dask, distributed, comm = Deferred("dask"), Deferred("distributed"), Deferred("distributed.comm")

# How Dask says that its scheduler is gone; a closed connection is an OSError.
GONE = (OSError, CancelledError, asyncio.CancelledError, asyncio.TimeoutError)
AHEAD = 3  # jobs that wait at each worker: it never stands still, and no scheduler holds ten thousand
PATIENCE = 120.0  # seconds in which a scheduler that is gone may come back
FIRST = 20.0  # seconds in which one must answer at all
ANSWER = 10.0  # seconds in which a scheduler takes a connection
PAUSE = 30.0  # seconds without news after which is asked whether anybody works
# States of tasks of which a worker does something.
BUSY = ("executing", "long-running", "flight", "cancelled", "resumed")
STILL = 2  # such pauses in a row in which nobody did
TRIES = 3  # of a job whose worker dies, at a scheduler of ours


class Stalled(Exception):
    """Dask waits for what will never come: what is missing is asked for again."""


class Place:
    """A site in the process of a worker: its library, with the networks that were loaded. Sent as what it is of."""

    def __init__(self, site: Worksite) -> None:
        machine.keep_freed_memory(anyway=True)  # Dask starts its workers so that they give all of it back
        torch.set_num_threads(site.threads)
        self.site, self.library = site, site.library(lambda what, done, total: None)
        self.lock = threading.Lock()  # a worker with several threads still computes one figure at a time

    def __reduce__(self) -> tuple[type[Place], tuple[Worksite]]:
        return Place, (self.site,)

    def held(self, model: str) -> Held:
        """Load a network, or train it; what is wrong with it is told by the figures that need it."""
        with self.lock, suppress(Exception):
            tensors = self.library.model(model).network.state_dict().values()
            return Held(sum(one.numel() * one.element_size() for one in tensors))
        return Held(0)

    def done(self, job: Job, anew: bool) -> Done:
        with self.lock:
            if not anew and self.library.store.whole(job.key):  # by a worker that died before it could tell
                return Done(None, 0.0, frozenset(), frozenset())
            return done(job, self.library, lambda done, total: None)


class Held:
    """Says that a worker holds a network of so many bytes: to have it elsewhere takes as long as to send them."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.size


def hold(place: Place, model: str) -> Held:
    return place.held(model)


def do(place: Place, job: Job, anew: bool, held: Held | None) -> Done:
    return place.done(job, anew)


@contextmanager
def environment_kept() -> Iterator[None]:
    """Dask sets variables for its workers in our own environment, and leaves them there; here they are taken back."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def scheduler(work: Work, jobs: Sequence[Job]) -> Iterator[str]:
    """The address of the scheduler: the crew's, or that of one which is there as long as this is."""
    if work.crew.scheduler:
        try:
            comm.get_address_host_port(work.crew.scheduler)
        except ValueError as error:
            reason = f"--scheduler {work.crew.scheduler}: {error}; it is like tcp://host:8786"
            raise BuildError(reason) from error
        yield work.crew.scheduler
        return
    workers = min(work.crew.workers or cores(), len(jobs))
    with ExitStack() as closing:
        closing.enter_context(environment_kept())
        method = warm("generator.warm.figures").get_start_method()
        asked = {
            "distributed.scheduler.allowed-failures": TRIES - 1,
            "distributed.worker.multiprocessing-method": method,
        }
        closing.enter_context(dask.config.set(asked))
        with interrupts_ignored():  # by the processes that are started here, too: Ctrl-C is for us, who end them
            if method == "forkserver":
                forkserver.ensure_running()  # before Dask asks for other modules
            own = closing.enter_context(
                distributed.LocalCluster(
                    n_workers=0,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",  # any port: with None it is 8787, and another build's warns of it
                    silence_logs=logging.CRITICAL,
                )
            )
            having = {**own.new_spec["options"], "resources": capacity(map(work.library.needs, jobs))}
            own.worker_spec[0] = {**own.new_spec, "options": having}  # it has all that this machine has
            own.scale(workers)
            own.wait_for_workers(workers)
        yield own.scheduler_address


def run(jobs: Sequence[Job], work: Work, display: Display) -> Iterator[tuple[Job, BuildError | None]]:
    if find_spec("distributed") is None:
        raise BuildError("--runner dask needs Dask: pip install 'whatfires[dask]'")
    # Jobs of one network stand together, so that few workers load it.
    left = {job.key: job for job in sorted(jobs, key=lambda job: job.model or "")}
    begun = False
    with scheduler(work, jobs) as address:
        since = time.monotonic()
        while left:
            try:
                with distributed.Client(address, timeout=ANSWER, set_as_default=False) as client:
                    if not begun:
                        display.begin(len(left), max(1, len(client.scheduler_info()["workers"])))
                        begun = True
                        tell_missing(client, jobs, work)
                    for job, error in ended(client, list(left.values()), work, display):
                        since = time.monotonic()
                        del left[job.key]
                        yield job, error
            except Stalled:
                since = time.monotonic()  # the scheduler is there, and is asked anew
            except GONE as problem:
                if time.monotonic() - since > (PATIENCE if begun else FIRST):
                    reason = f"Dask's scheduler {address} does not answer ({type(problem).__name__}: {problem})"
                    raise BuildError(f"{reason}; what was computed is kept") from problem
                time.sleep(1)
            # A worker may have finished a job, and could not tell.
            for job in [job for job in left.values() if begun and work.finished(job)]:
                del left[job.key]
                display.start(job.id)
                display.finish(job.id, 0.0)
                yield job, None


def tell_missing(client: Any, jobs: Sequence[Job], work: Work) -> None:
    """Say of what no worker has enough: Dask lets such jobs wait for one that has, and says nothing."""
    workers = client.scheduler_info()["workers"].values()
    for name, amount in largest(map(work.library.needs, jobs)).items():
        if not any(one["resources"].get(name, 0.0) >= amount for one in workers):
            wanted = f'dask worker {work.crew.scheduler} --resources "{name}={amount:g}"'
            on_stderr(f"no worker has {name} = {amount:g}, and figures wait for one: {wanted}")


def ended(client: Any, jobs: list[Job], work: Work, display: Display) -> Iterator[tuple[Job, BuildError | None]]:
    """Each job when it has ended. Dask's errors where the scheduler goes.

    Where workers die, Dask blames all jobs that were given to them. So these are done again, each alone: then it is
    known which of them it was.
    """
    suspects = []
    for job, said in together(client, jobs, work):
        if said is None:
            suspects.append(job)
        else:
            yield told(job, said, work, display)
    for job in suspects:
        (said,) = [said for _, said in together(client, [job], work, tokens=False)]
        if said is None:
            reason = f"figure {job.id}: it ended its workers again and again, also alone; is there too little memory?"
            said = Done(BuildError(reason, job.place), 0.0, frozenset(), frozenset())
        yield told(job, said, work, display)


def together(client: Any, jobs: list[Job], work: Work, tokens: bool = True) -> Iterator[tuple[Job, Done | None]]:
    """Each job when it has ended, and what its worker told, None where workers died of it, or beside it."""
    place = client.submit(Place, work.site, pure=False)
    needs = {job.key: dict(work.library.needs(job)) for job in jobs}
    models = {job.model: needs[job.key] for job in jobs if job.model} if tokens else {}
    held = {name: client.submit(hold, place, name, pure=False, resources=need) for name, need in models.items()}
    waiting = enumerate(jobs)
    asked: dict[Any, Job] = {}
    queue = distributed.as_completed(loop=client.loop, timeout=PAUSE)
    still = 0

    def ask(count: int) -> None:
        for _, (number, job) in zip(range(count), waiting, strict=False):
            future = client.submit(
                do,
                place,
                job,
                job.key in work.anew,
                held.get(job.model or ""),
                pure=False,
                resources=needs[job.key],
                priority=-number,  # else those that a worker has at once are done in any order
            )
            asked[future] = job
            queue.add(future)

    ask(AHEAD * max(1, len(client.scheduler_info()["workers"])))
    while asked:
        said: Done | None = None
        try:
            future = next(queue)
            said = future.result(timeout=PAUSE)  # a worker that died may have taken it along
        except TimeoutError as error:
            still = still + 1 if stalled(client) else 0
            if still == STILL:
                raise Stalled from error
            queue = distributed.as_completed(asked, loop=client.loop, timeout=PAUSE)
            continue
        except distributed.KilledWorker:
            pass
        still = 0
        job = asked.pop(future)
        ask(1)
        yield job, said


def stalled(client: Any) -> bool:
    """Whether tasks are at workers, and none of these computes: where others die, a worker may lose what it was given.

    Tasks that wait for a worker which has what they need are at none.
    """
    workers = client.scheduler_info()["workers"].values()
    busy = any(one["metrics"]["task_counts"].get(state) for one in workers for state in BUSY)
    return any(client.processing().values()) and not busy


def told(job: Job, said: Done, work: Work, display: Display) -> tuple[Job, BuildError | None]:
    work.library.opened |= said.opened
    work.store.added |= said.added
    work.store.say_damaged(said.damaged)
    display.start(job.id)
    display.finish(job.id, said.seconds, str(said.error or ""))
    return job, said.error
