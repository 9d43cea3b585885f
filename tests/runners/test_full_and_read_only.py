"""Disks that are full or read only, memory that runs out, and clocks that are wrong: nothing half written is served."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.artifact import ArtifactStore
from generator.cli import main
from generator.computing import Worksite
from generator.folders import WRITING
from generator.models import char_rnn
from generator.runners import ALONE, Crew
from generator.settings import read_settings
from generator.spec import BuildError, BuildErrors, DiskFull
from generator.spilling import Files
from generator.stores import store_at
from generator.weights import AS_THEY_ARE
from tests.conftest import POST, SITE_TOML, SmallSite
from tests.forked import command, started, wait_for
from tests.runners.conftest import Bucket
from tests.runners.sites import HEAD, IMAGE, NETWORK, built, pages

SAMPLE = "\n```figure\nid: {0}\nkind: sample\nmodel: tiny-text\nlength: {1}\ntemperatures: [1.0]\n```\n"
ADDRESS = "s3://figures/report"
LOCAL = Crew("local", workers=2, threads=1)


def mounted(options: str, source: str, folder: Path) -> bool:
    folder.mkdir(exist_ok=True)
    command = ["mount", *options.split(), source, str(folder)]
    return sys.platform == "linux" and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many kilobytes."""
    folder = tmp_path / "disk"

    def disk(kilobytes: int) -> Path:
        if not mounted(f"-t tmpfs -o size={kilobytes}k", "none", folder):
            pytest.skip("this machine lets nobody mount a tmpfs")
        return folder

    yield disk
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Shows a folder under another path, where nothing can be written, not even by root."""
    folder = tmp_path / "read-only"

    def shown(source: Path) -> Path:
        if not mounted("--bind", str(source), folder):
            pytest.skip("this machine lets nobody mount")
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        return folder

    yield shown
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def test_pages_that_wait_on_a_full_disk_are_told(
    small_disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_disk(64)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    with pytest.raises(DiskFull, match=f"the disk of {folder}, where pages wait, is full"):
        Files(most=0)["page"] = bytes(100_000)


def half_written(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{WRITING}*"))


@pytest.mark.parametrize("crew", [ALONE, LOCAL], ids=["here", "local"])
def test_a_full_disk_of_the_store_is_named_and_what_fits_is_kept(
    small_site: SmallSite, small_disk: Callable[[int], Path], crew: Crew
) -> None:
    """The site of before stands, and with room the next build goes on."""
    small_site.store = ArtifactStore(small_disk(400) / "store")
    built(small_site, ALONE)
    before = small_site.files()
    filler = small_site.store.folder.parent / "filler"
    small_site.post(POST + "".join(SAMPLE.format(f"f{number}", 40 + number) for number in range(30)))
    free = os.statvfs(filler.parent)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - 60_000))
    with pytest.raises(
        BuildError, match=r"the disk .*/disk is full: .* needs [\d,]+ bytes, and [\d,]+ are free"
    ) as told:
        built(small_site, crew)
    kept, halves = len(list(small_site.store.folder.glob("??/*.npz"))), half_written(small_site.folder)
    stands = small_site.files()
    filler.unlink()
    done = built(small_site, crew)

    assert "make room" in str(told.value)
    assert str(told.value).count("is full") == 1
    assert (halves, stands) == ([], before)
    assert kept > 3
    assert 0 < done.computed < 30


def test_a_full_disk_of_the_site_leaves_pages_whole_and_the_next_build_goes_on(
    small_site: SmallSite, small_disk: Callable[[int], Path]
) -> None:
    small_site.out = small_disk(1200) / "site"
    small_site.build()
    before = small_site.files()
    filler = small_site.out.parent / "filler"
    free = os.statvfs(filler.parent)
    small_site.post(POST.replace("Words", "More words") + IMAGE.format("shown", "tiny-vision", "a"))
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize))
    with pytest.raises(BuildError, match="the disk .*/disk is full: "):
        small_site.build()
    during = small_site.files()
    filler.unlink()
    done = small_site.build()

    assert before.keys() <= during.keys()
    assert during["posts/a.html"] in (before["posts/a.html"], small_site.files()["posts/a.html"])
    assert half_written(small_site.out) == []
    assert (done.computed, "More words" in small_site.read()) == (0, True)


HUNGRY = """
import torch
from tests import nets


class Hungry(torch.nn.Module):
    def forward(self, images):
        return images + torch.ones(30_000_000_000).sum()


def make():
    return torch.nn.Sequential(Hungry(), *nets.vision())
"""


def limited(*arguments: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (20 * 2**30, 20 * 2**30))
    command(*arguments)


@pytest.mark.parametrize("more", [[], ["--runner", "local", "--workers", "2"]], ids=["here", "local"])
def test_a_figure_that_needs_more_memory_than_there_is_is_named_and_the_others_are_kept(
    small_site: SmallSite, more: list[str]
) -> None:
    (small_site.content / "hungry.py").write_text(HUNGRY)
    small_site.toml(SITE_TOML + NETWORK.format("hungry", "hungry:make"))
    small_site.post(HEAD + IMAGE.format("large", "hungry", "a") + IMAGE.format("small", "tiny-vision", "a"))
    done = started(limited, "build", "--store", "store", *more, folder=small_site.folder, daemon=False)
    done.join()
    told = (small_site.folder / "log").read_text()
    (small_site.content / "hungry.py").write_text(HUNGRY.replace("30_000_000_000", "3"))

    assert done.exitcode == 1
    assert "figure large: RuntimeError: out of memory (" in told
    assert "fewer --workers at once, or a smaller figure, take less" in told
    assert "Traceback" not in told
    assert half_written(small_site.folder) == []
    assert built(small_site, ALONE).computed == 1


FAILING = """
import weakref
import torch
from tests import nets

torch.once_held = weakref.WeakSet()


class Failing(torch.nn.Module):
    def forward(self, images):
        held = torch.ones(77, 77)
        torch.once_held.add(held)
        raise ValueError("no")


class Counting(torch.nn.Module):
    def forward(self, images):
        assert not torch.once_held, "held"
        return images


def failing():
    return torch.nn.Sequential(Failing(), *nets.vision())


def counting():
    return torch.nn.Sequential(Counting(), *nets.vision())
"""


def test_what_a_failed_figure_held_is_free_for_the_others(small_site: SmallSite) -> None:
    """Its error is told when all have ended; it must not hold the tensors of the code that raised it."""
    (small_site.content / "failing.py").write_text(FAILING)
    small_site.toml(SITE_TOML + NETWORK.format("one", "failing:failing") + NETWORK.format("other", "failing:counting"))
    small_site.post(HEAD + IMAGE.format("first", "one", "a") + IMAGE.format("second", "other", "a"))
    with pytest.raises(BuildErrors) as found:
        built(small_site, ALONE)

    assert "figure first: ValueError: no" in str(found.value)
    assert "figure second" not in str(found.value)


def test_a_read_only_store_is_a_cache_and_what_is_new_goes_to_the_own_one(
    small_site: SmallSite, read_only: Callable[[Path], Path]
) -> None:
    built(small_site, ALONE)
    before = pages(small_site)
    shared = read_only(small_site.store.folder)
    small_site.store = store_at("own", str(shared))
    first = small_site.build()
    assert pages(small_site) == before
    small_site.post(POST + SAMPLE.format("more", 40))
    then = small_site.build()
    alone = built(small_site, ALONE, "own")

    assert (first.computed, then.computed, alone.computed) == (0, 1, 0)


def test_a_store_that_cannot_be_written_to_is_told_to_be_given_as_a_cache(
    small_site: SmallSite, read_only: Callable[[Path], Path]
) -> None:
    built(small_site, ALONE)
    shared = read_only(small_site.store.folder)
    small_site.post(POST + SAMPLE.format("more", 40))

    told = CliRunner().invoke(main, ["build", "--store", str(shared)])
    done = CliRunner().invoke(main, ["build", "--store", "own", "--cache", str(shared)])

    assert told.exit_code == 1
    assert "cannot be written to; to read what it has, give it as --cache" in told.output
    assert "1 figure computed, 1 kept" in done.output


def test_a_disk_that_fills_while_a_model_is_trained_stops_the_build(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*given: object) -> Iterator[object]:
        raise DiskFull("the disk / is full")
        yield

    monkeypatch.setattr(char_rnn, "train", train)
    small_site.post(POST + SAMPLE.format("more", 40))

    with pytest.raises(DiskFull, match="the disk / is full"):
        built(small_site, ALONE)


def test_a_report_may_name_its_cache(small_site: SmallSite) -> None:
    built(small_site, ALONE)
    cache = small_site.store.folder.rename(small_site.content / "shared")
    before = sorted(cache.rglob("*"))
    small_site.toml(SITE_TOML + '\n[store]\ncache = "shared"\n')
    with_it = CliRunner().invoke(main, ["build", "--store", "own"])
    without = CliRunner().invoke(main, ["build", "--store", "other", "--cache", ""])

    assert "0 figures computed, 1 kept" in with_it.output
    assert "1 figure computed, 0 kept" in without.output
    assert sorted(cache.rglob("*")) == before


def test_workers_read_the_cache_too(small_site: SmallSite) -> None:
    built(small_site, ALONE)
    cache = small_site.store.folder
    small_site.store = store_at("own", str(cache))
    settings = read_settings(small_site.content, "site.toml")
    site = Worksite(
        small_site.content, settings, small_site.store.address, small_site.store.cache, AS_THEY_ARE, threads=1
    )
    store = site.library(lambda what, done, total: None).store

    assert all(store.has(path.stem) for path in cache.glob("??/*.npz"))


def test_a_bucket_is_a_cache(bucket: Bucket, small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    built(small_site, ALONE, ADDRESS)
    puts = sum(bucket.puts.values())
    small_site.post(POST + SAMPLE.format("more", 40))
    small_site.store = store_at("own", ADDRESS)
    done = small_site.build()

    assert (done.computed, done.reused) == (1, 1)
    assert sum(bucket.puts.values()) == puts


def test_damage_in_a_cache_is_said_and_computed_into_the_own_store(
    small_site: SmallSite, capfd: pytest.CaptureFixture[str]
) -> None:
    built(small_site, ALONE)
    cache = small_site.store.folder
    for path in cache.glob("??/*.npz"):
        path.write_bytes(path.read_bytes()[:-1])
    damaged = {path: path.read_bytes() for path in cache.glob("??/*.npz")}
    small_site.store = store_at("own", str(cache))
    capfd.readouterr()

    assert small_site.build().computed == 1
    assert "of the cache was damaged; computed again" in capfd.readouterr().err
    assert {path: path.read_bytes() for path in cache.glob("??/*.npz")} == damaged


@pytest.mark.parametrize("year", [1970, 2106])
def test_a_wrong_clock_computes_nothing_and_serves_nothing_stale(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    small_site.build()
    now = (year - 1970) * 365.25 * 86400
    monkeypatch.setattr(time, "time", lambda: now)
    for folder in (small_site.content, small_site.store.folder):
        for path in folder.rglob("*"):
            os.utime(path, (now, now))
    same = small_site.build()
    post = small_site.post(POST.replace("length: 30", "length: 31"))
    os.utime(post, (now, now))
    edited = small_site.build()

    assert (same.computed, same.written) == (0, 0)
    assert edited.computed == 1
    assert json.loads(small_site.read("report.json"))["figures"][0]["measures"]["characters"] == 31
    assert small_site.build().computed == 0


def test_ctrl_c_twice_leaves_nothing_half_written_and_the_next_build_goes_on(small_site: SmallSite) -> None:
    small_site.post(POST + "".join(SAMPLE.format(f"f{number}", 2000 + number) for number in range(8)))
    build, log = started(command, "build", "--store", "store", folder=small_site.folder), small_site.folder / "log"
    wait_for(log, build)
    for _ in range(2):
        os.kill(build.pid or 0, signal.SIGINT)
    build.join()
    told = log.read_text()

    assert build.exitcode == 130
    assert "stopped; the figures computed so far are kept" in told
    assert "Traceback" not in told
    assert half_written(small_site.folder) == []
    assert 0 < built(small_site, ALONE).computed < 9
