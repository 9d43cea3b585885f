"""A build through a bad day: workers are killed at random, the scheduler is lost once, the store's server errs."""

from __future__ import annotations

import random
import threading
import time

import pytest

from generator.runners import Crew
from generator.stores import store_at
from tests.conftest import SmallSite
from tests.runners.conftest import Bucket, Cluster
from tests.runners.sites import HEAD, IMAGE, built, pages

FIGURES = 24
ADDRESS = "s3://figures/report"


@pytest.mark.timeout(1200)  # a minute on two idle cores
def test_a_build_comes_out_the_same_whatever_dies_meanwhile(
    bucket: Bucket,
    cluster: Cluster,
    small_site: SmallSite,  # the workers must know of the bucket
) -> None:
    images = (IMAGE.format(f"f{one}", "tiny-vision", "abcde"[one % 5]) for one in range(FIGURES))
    small_site.post(
        HEAD + "".join(one.replace("steps: 1", f"steps: 5\nseed: {number}") for number, one in enumerate(images))
    )
    store = store_at(ADDRESS)
    undisturbed = built(small_site, Crew(threads=1), ADDRESS)
    before = pages(small_site)
    keys = [path.rpartition("/")[2].removesuffix(".npz") for path in bucket.puts]
    figures = [key for key in keys if "kind" in store.provenance(key).get("ingredients", {})]
    for key in figures:
        store.drop(key)
    bucket.puts.clear()
    bucket.failing = 0.1
    over = threading.Event()
    killed, lost = 0, 0

    def trouble() -> None:
        nonlocal killed, lost
        chance = random.Random(1)
        following = 5
        while not over.wait(0.05):
            if (finished := sum(bucket.puts.values())) < following:
                continue
            # By what was finished, and not by time: on a slow machine no worker would live long enough to begin.
            following = finished + chance.randint(5, 12)
            if not lost and finished > FIGURES / 3:
                lost += 1
                cluster.restart()
            else:
                killed += cluster.kill_a_worker(chance)

    thread = threading.Thread(target=trouble)
    thread.start()
    start = time.perf_counter()
    try:
        done = built(small_site, Crew("dask", threads=1, scheduler=cluster.address), ADDRESS)
    finally:
        over.set()
        thread.join()
    puts = [bucket.puts[path] for path in bucket.puts if path.rpartition("/")[2].removesuffix(".npz") in figures]
    again = sum(puts) - len(puts)
    print(  # noqa: T201
        f"{FIGURES} jobs in {time.perf_counter() - start:.0f} s: {killed} workers killed, the scheduler lost {lost} times, "
        f"{bucket.failed} requests failed; {again} jobs done again"
    )

    assert (len(figures), undisturbed.computed, done.computed) == (FIGURES, FIGURES, FIGURES)
    assert pages(small_site) == before
    assert killed > 0
    assert lost == 1
    assert bucket.failed > 0
    # What was in flight when its worker or the scheduler died: one job of each of two workers.
    assert again <= killed + 2 * lost
