"""What figures are computed on in tests, and kept in: a cluster of Dask, and a bucket of S3, both on this machine."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import boto3
import pytest
import s3fs
from dask import config
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.forked import started


class Cluster:
    """A scheduler and workers, which can be killed and started again. Workers that die have others in their place."""

    def __init__(self, folder: Path, failures: int = 2) -> None:
        """failures: workers that a task may end before Dask gives it up."""
        self.failures = failures
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.folder, self.address = folder, f"tcp://127.0.0.1:{self.port}"
        self.changing = threading.Lock()
        self.start()
        self.over = threading.Event()
        self.keeper = threading.Thread(target=self.keep)
        self.keeper.start()

    def start(self) -> None:
        self.scheduler = self.started("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [self.started_worker() for _ in range(2)]

    def started_worker(self, *more: str) -> tuple[BaseProcess, tuple[str, ...]]:
        """It, and what it was asked for besides."""
        asked = (self.address, "--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", *more)
        return self.started("worker", *asked), more

    def started(self, what: str, *arguments: str) -> BaseProcess:
        environment = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(self.failures)}
        return started(dask, what, [*arguments, "--no-dashboard"], folder=self.folder, environment=environment)

    def add_worker(self, *more: str) -> None:
        with self.changing:
            self.workers.append(self.started_worker(*more))

    def keep(self) -> None:
        """Dask's nannies would, each of which is one more process that loads all of Dask."""
        while not self.over.wait(0.05):
            with self.changing:
                for place, (process, more) in enumerate(self.workers):
                    if not process.is_alive():
                        self.workers[place] = self.started_worker(*more)

    def restart(self) -> None:
        """As when the machine of the scheduler dies, and its workers with it, and all are started anew."""
        with self.changing:
            self.kill()
            self.start()

    def kill_a_worker(self, chance: random.Random) -> bool:
        """Kill one, as a machine does that has no more memory."""
        with self.changing:
            living = [process for process, _ in self.workers if process.is_alive()]
            if living:
                chance.choice(living).kill()
            return bool(living)

    def kill(self) -> None:
        for process in (self.scheduler, *(process for process, _ in self.workers)):
            process.kill()
            process.join()

    def end(self) -> None:
        self.over.set()
        self.keeper.join()
        self.kill()


def dask(what: str, arguments: list[str]) -> None:
    """A command of Dask, in a process of its own."""
    config.refresh()  # with the environment of this process
    import_module(f"distributed.cli.dask_{what}").main(arguments)


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    one = Cluster(tmp_path, *getattr(request, "param", ()))
    try:
        yield one
    finally:
        one.end()


class Bucket:
    """A server of S3 on this machine, with one bucket.

    failing: the share of requests that it answers with an error; failed: how many those were. puts: by path.
    """

    def __init__(self) -> None:
        self.failing, self.failed, self.chance = 0.0, 0, random.Random(0)
        self.puts: Counter[str] = Counter()
        application = DomainDispatcherApplication(create_backend_app)

        def answer(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if self.chance.random() < self.failing:
                self.failed += 1
                start("503 Slow Down", [("Content-Type", "text/plain")])
                return [b"slow down"]
            self.puts[environment["PATH_INFO"]] += environment["REQUEST_METHOD"] == "PUT"
            return application(environment, start)

        self.server = make_server("127.0.0.1", 0, answer, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    one = Bucket()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", one.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # s3fs and we ask again, too, and sooner than after seconds
    s3_backends.reset()  # what is kept is of the process, and not of the server
    boto3.client("s3", endpoint_url=one.endpoint).create_bucket(Bucket="figures")
    s3fs.S3FileSystem.clear_instance_cache()  # of the server of another test
    yield one
    one.server.shutdown()


@pytest.fixture(autouse=True)
def _loaded(loaded: None) -> None:
    """Workers that what is tested starts are forked, too."""
