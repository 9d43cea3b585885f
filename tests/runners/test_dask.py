"""Figures computed on a cluster of Dask: a scheduler and workers in processes of their own, on this machine."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import distributed
import pytest
from distributed.worker_state_machine import FreeKeysEvent

from generator.runners import Crew
from generator.spec import BuildErrors
from tests.conftest import SITE_TOML, SmallSite
from tests.runners.conftest import Cluster
from tests.runners.sites import HEAD, IMAGE, NETWORK, built, of_each_kind, pages, with_deadly, without_figures


def crew(cluster: Cluster) -> Crew:
    return Crew("dask", threads=1, scheduler=cluster.address)


def test_a_site_is_the_same_to_the_byte_on_a_cluster(cluster: Cluster, small_site: SmallSite, tmp_path: Path) -> None:
    of_each_kind(small_site)
    alone = built(small_site, Crew(threads=1), out=tmp_path / "site")
    before = pages(small_site)
    done = built(small_site, crew(cluster), without_figures(small_site.store), tmp_path / "site")

    assert (done.computed, done.reused) == (alone.computed, 0)
    assert pages(small_site) == before


def test_the_jobs_of_a_worker_that_dies_are_done_elsewhere(cluster: Cluster, small_site: SmallSite) -> None:
    with_deadly(small_site, left=1)

    assert built(small_site, crew(cluster)).computed == 5


@pytest.mark.parametrize("cluster", [(0,)], indirect=True)
def test_a_job_that_ends_its_workers_is_named_and_the_others_are_done(cluster: Cluster, small_site: SmallSite) -> None:
    with_deadly(small_site, left=99)
    with pytest.raises(BuildErrors) as found:
        built(small_site, crew(cluster))

    assert "figure doomed: it ended its workers again and again" in str(found.value)
    (small_site.content / "left").write_text("0")
    again = built(small_site, crew(cluster))
    assert (again.computed, again.reused) == (1, 4)


def test_a_scheduler_that_is_started_again_is_asked_for_what_is_missing(
    cluster: Cluster, small_site: SmallSite
) -> None:
    images = "".join(
        IMAGE.format(f"image-{number}", "tiny-vision", "abcde"[number % 5]).replace(
            "steps: 1", f"steps: {100 + number}"
        )
        for number in range(8)
    )
    small_site.post(HEAD + images)
    kept: list[set[str]] = []

    def restart() -> None:
        while len(now := {path.name for path in small_site.store.folder.glob("*/*.npz")}) < 4:
            time.sleep(0.05)
        kept.append(now)
        cluster.restart()

    thread = threading.Thread(target=restart)
    thread.start()
    done = built(small_site, crew(cluster))
    thread.join()

    assert done.computed == 8
    assert kept


def test_dask_that_does_not_answer_is_told(
    small_site: SmallSite, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.runners.dask.FIRST", 0.0)
    monkeypatch.setattr("generator.runners.dask.ANSWER", 1.0)
    cluster.scheduler.kill()
    cluster.scheduler.join()
    small_site.post(HEAD + IMAGE.format("one", "tiny-vision", "a"))

    with pytest.raises(Exception, match=r"Dask's scheduler tcp://127.0.0.1:\d+ does not answer"):
        built(small_site, crew(cluster))


@pytest.mark.parametrize("address", ["nonsense:/", "host-without-port"])
def test_an_address_that_is_none_is_told_at_once(small_site: SmallSite, address: str) -> None:
    small_site.post(HEAD + IMAGE.format("one", "tiny-vision", "a"))

    with pytest.raises(Exception, match=f"--scheduler {address}: .* it is like tcp://host:8786"):
        built(small_site, Crew("dask", scheduler=address))


def test_figures_go_to_workers_that_have_what_their_network_needs(
    cluster: Cluster, small_site: SmallSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until there is one that has, they wait, and it is said."""
    small_site.toml(SITE_TOML + NETWORK.format("big", "tests.nets:vision") + "resources = { GPU = 1 }\n")
    small_site.post(HEAD + IMAGE.format("one", "big", "a") + IMAGE.format("two", "tiny-vision", "b"))
    late = threading.Timer(3.0, cluster.add_worker, ["--resources", "GPU=1"])
    late.start()

    done = built(small_site, crew(cluster))

    assert done.computed == 2
    assert late.finished.is_set()
    assert f'figures wait for one: dask worker {cluster.address} --resources "GPU=1"' in capsys.readouterr().err


@pytest.mark.usefixtures("served")  # it may talk to this machine
def test_of_workers_of_our_own_one_has_what_a_network_needs(small_site: SmallSite) -> None:
    small_site.toml(SITE_TOML + NETWORK.format("big", "tests.nets:vision") + "resources = { GPU = 1 }\n")
    images = "".join(IMAGE.format(f"image-{one}", "big", one) for one in "abc")
    small_site.post(HEAD + images + IMAGE.format("two", "tiny-vision", "d"))

    before = dict(os.environ)

    assert built(small_site, Crew("dask", 2)).computed == 4
    assert dict(os.environ) == before


@pytest.mark.usefixtures("served")  # it may talk to this machine
def test_a_scheduler_of_our_own_warns_of_no_port_that_is_taken(small_site: SmallSite) -> None:
    """Dask has one port for its pages; a warning would be an error here."""
    small_site.post(HEAD + IMAGE.format("one", "tiny-vision", "a"))
    with socket.socket() as taken:
        with suppress(OSError):  # it is taken already
            taken.bind(("127.0.0.1", 8787))
            taken.listen()

        assert built(small_site, Crew("dask", 1)).computed == 1


def lose(dask_worker: distributed.Worker) -> int:
    """What Dask's scheduler gave to a worker is gone there, as it may be after another has died."""
    keys = list(dask_worker.state.tasks)
    if len(keys) > 1:
        dask_worker.handle_stimulus(FreeKeysEvent(keys=keys, stimulus_id="lost"))
    return len(keys)


def test_what_a_worker_lost_is_asked_for_again(
    cluster: Cluster, small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.runners.dask.PAUSE", 1.0)
    images = (
        IMAGE.format(f"f{one}", "tiny-vision", "abcde"[one]).replace("steps: 1", "steps: 300") for one in range(5)
    )
    small_site.post(HEAD + "".join(images))
    lost: list[int] = []
    over = threading.Event()

    def trouble() -> None:
        with distributed.Client(cluster.address, set_as_default=False) as client:
            while not over.is_set() and max(lost, default=0) < 2:
                lost.extend(client.run(lose).values())

    thread = threading.Thread(target=trouble)
    thread.start()
    try:
        done = built(small_site, crew(cluster))
    finally:
        over.set()
        thread.join()

    assert max(lost) > 1
    assert done.computed == 5
