"""Two hosts: one with the scheduler and the store's server, one with the workers; a site comes out as on one alone.

They are network namespaces of this machine, joined by a pair of virtual network cards. The workers' host reaches the
other by its address alone, and this process neither: the build runs on the first host, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from generator.runners import ALONE, Crew
from tests.conftest import ROOT, SmallSite
from tests.runners.sites import built, of_each_kind, pages

NAMES = tuple(f"wf-{os.getpid()}-{name}" for name in ("head", "hands"))
CARDS, ADDRESSES = ("wf0", "wf1"), ("10.87.3.1", "10.87.3.2")
S3, DASK = f"http://{ADDRESSES[0]}:8801", f"tcp://{ADDRESSES[0]}:8802"
STORE = "s3://figures/report"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": S3,
    "PYTHONPATH": str(ROOT),
}
SERVER = f"""
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
make_server("{ADDRESSES[0]}", 8801, DomainDispatcherApplication(create_backend_app), threaded=True).serve_forever()
"""
BUCKET = """
import boto3, sys
boto3.client("s3").create_bucket(Bucket="figures")
"""
COPY = """
import sys
from pathlib import Path
from generator.stores import store_at
for path in map(Path, sys.argv[1:]):
    store_at("s3://figures/report").keep(path.stem, path.read_bytes())
"""
BUILD = "from generator.cli import main; main()"
Start = Callable[..., subprocess.Popen[bytes]]


def ip(*command: str, check: bool = True) -> bool:
    done = subprocess.run(["ip", *command], capture_output=True, check=False)
    if check and done.returncode:
        raise OSError(f"ip {' '.join(command)}: {done.stderr.decode().strip()}")
    return done.returncode == 0


@pytest.fixture
def hosts() -> Iterator[None]:
    """The two namespaces; where the machine makes none, the test is skipped and says why."""
    if shutil.which("ip") is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("network namespaces need root, and the command `ip`")
    try:
        for name in NAMES:
            ip("netns", "add", name)
        ip("link", "add", CARDS[0], "netns", NAMES[0], "type", "veth", "peer", "name", CARDS[1], "netns", NAMES[1])
        for name, card, address in zip(NAMES, CARDS, ADDRESSES, strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", card)
            for one in (card, "lo"):
                ip("-n", name, "link", "set", one, "up")
        yield
    except OSError as error:
        pytest.skip(f"this machine makes no network namespaces: {error}")
    finally:
        for name in NAMES:
            ip("netns", "delete", name, check=False)


@pytest.fixture
def start(hosts: None, tmp_path: Path) -> Iterator[Start]:
    """Starts Python on one of the hosts; all that was started is ended."""
    with ExitStack() as closing:

        def run(host: int, *arguments: str) -> subprocess.Popen[bytes]:
            log = closing.enter_context((tmp_path / "hosts.log").open("ab"))
            command = ["ip", "netns", "exec", NAMES[host], sys.executable, *arguments]
            process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | ENVIRONMENT, stdout=log, stderr=log)
            closing.callback(process.wait)
            closing.callback(process.kill)
            return process

        yield run


def until_it_works(start: Start, code: str) -> None:
    """Wait for a server."""
    for _ in range(20):
        if start(0, "-c", code).wait() == 0:
            return
        time.sleep(0.5)
    raise AssertionError("the server did not come up")


def test_a_site_of_two_hosts_is_the_one_of_a_single_host(start: Start, small_site: SmallSite, tmp_path: Path) -> None:
    of_each_kind(small_site)
    alone = built(small_site, Crew(threads=1))
    before = pages(small_site)
    start(0, "-c", SERVER)
    until_it_works(start, BUCKET)
    # How a network runs fastest is measured once, and comes out otherwise now and then.
    paths = small_site.store.folder.glob("??/*.npz")
    measured = [one for one in paths if "machine" in small_site.store.provenance(one.stem).get("ingredients", {})]
    assert start(0, "-c", COPY, *map(str, measured)).wait() == 0
    start(0, "-m", "distributed.cli.dask_scheduler", "--host", ADDRESSES[0], "--port", "8802", "--no-dashboard")
    for _ in range(2):
        start(1, "-m", "distributed.cli.dask_worker", DASK, "--host", ADDRESSES[1], "--nthreads", "1", "--no-dashboard")
    crew = ["--runner", "dask", "--scheduler", DASK, "--threads", "1"]
    done = start(0, "-c", BUILD, "build", "--out", "site", "--store", STORE, *crew).wait()
    log = (tmp_path / "hosts.log").read_text()

    assert done == 0, log[-3000:]
    assert f"{alone.computed} figures computed, 0 kept" in log
    assert f"tcp://{ADDRESSES[1]}:" in log  # where the workers were
    assert pages(small_site) == before
    assert not built(small_site, ALONE).computed
