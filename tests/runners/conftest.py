"""What figures are computed on in tests, and kept in: a cluster of Dask, and a bucket of S3, both on this machine."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
import s3fs
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.conftest import ROOT


class Cluster:
    """A scheduler and workers, which can be killed and started again."""

    def __init__(self, folder: Path, failures: int = 2) -> None:
        """failures: workers that a task may end before Dask gives it up."""
        self.failures = failures
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.folder, self.address = folder, f"tcp://127.0.0.1:{self.port}"
        self.scheduler, self.workers = self.start_scheduler(), [self.start_worker() for _ in range(2)]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(self.failures),
        }
        with (self.folder / "cluster.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        return self.start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def start_worker(self, *more: str) -> subprocess.Popen[bytes]:
        asked = ("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", *more)
        return self.start("dask_worker", self.address, *asked)

    def restart(self) -> None:
        """As when the machine of the scheduler dies, and its workers with it, and all are started anew."""
        self.end()
        self.scheduler, self.workers = self.start_scheduler(), [self.start_worker() for _ in range(2)]

    def kill_a_worker(self, chance: random.Random) -> bool:
        """Kill one that is at work, as a machine does that has no more memory; its nanny starts another."""
        found = [
            one
            for nanny in self.workers
            for one in children(nanny.pid)
            if "resource_tracker" not in " ".join(one.cmdline())
        ]
        if found:
            chance.choice(found).kill()
        return bool(found)

    def end(self) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    one = Cluster(tmp_path, *getattr(request, "param", ()))
    try:
        yield one
    finally:
        one.end()


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


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
    s3_backends.reset()  # what is kept is of the process, and not of the server
    boto3.client("s3", endpoint_url=one.endpoint).create_bucket(Bucket="figures")
    s3fs.S3FileSystem.clear_instance_cache()  # of the server of another test
    yield one
    one.server.shutdown()
