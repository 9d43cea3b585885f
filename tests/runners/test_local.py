"""Figures computed in processes of this machine."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.machine import cores
from generator.plan import make_plan
from generator.progress import Plain, Quiet
from generator.runners import Crew
from generator.runners.local import Queue, Worker
from generator.spec import BuildErrors
from tests.conftest import ROOT, SITE_TOML, SmallSite
from tests.runners.sites import HEAD, IMAGE, NETWORK, built, of_each_kind, pages, with_deadly, without_figures

TWO = Crew("local", workers=2, threads=1)


def test_a_site_is_the_same_to_the_byte_whoever_computes(small_site: SmallSite, tmp_path: Path) -> None:
    of_each_kind(small_site)
    alone = built(small_site, Crew(threads=1), out=tmp_path / "site")
    before = pages(small_site)
    done = built(small_site, TWO, without_figures(small_site.store), tmp_path / "site")

    assert (done.computed, done.reused) == (alone.computed, 0)
    assert pages(small_site) == before


def test_a_network_is_trained_once(small_site: SmallSite) -> None:
    of_each_kind(small_site)
    built(small_site, TWO)
    kept = [small_site.store.get(path.stem) for path in small_site.store.folder.glob("*/*.npz")]
    trained = [one for one in kept if one is not None and "about" in one.data]

    assert len(trained) == 2  # tiny-text and tiny-linear


def test_the_job_of_a_worker_that_dies_is_done_by_another(small_site: SmallSite) -> None:
    with_deadly(small_site, left=2)
    done = built(small_site, TWO)

    assert done.computed == 5


def test_a_job_that_ends_three_workers_is_named_and_the_others_are_done(small_site: SmallSite) -> None:
    with_deadly(small_site, left=9)
    with pytest.raises(BuildErrors) as found:
        built(small_site, TWO)
    (error,) = found.value.errors

    assert "figure doomed: its worker was ended 3 times (by SIGKILL); is there too little memory?" in str(error)
    assert (small_site.content / "left").read_text() == "6"
    assert built_again(small_site) == (1, 4)


def built_again(site: SmallSite) -> tuple[int, int]:
    """What is computed and kept once nothing kills."""
    (site.content / "left").write_text("0")
    done = built(site, TWO)
    return done.computed, done.reused


def test_why_no_worker_can_be_started_is_told(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.context.ForkServerProcess.start", start)
    with_deadly(small_site, left=0)
    with pytest.raises(BlockingIOError, match="temporarily unavailable"):
        built(small_site, TWO)


def test_a_figure_that_fails_is_told_as_it_is_here(small_site: SmallSite) -> None:
    small_site.post(
        HEAD
        + IMAGE.format("fine", "tiny-vision", "a")
        + IMAGE.format("wrong", "tiny-vision", "a").replace("steps: 1", "steps: 1\nbasis: maco")
    )
    told = []
    for crew in (Crew(threads=1), TWO):
        with pytest.raises(BuildErrors) as found:
            built(small_site, crew)
        told.append(str(found.value))

    assert told[0] == told[1]
    assert "figure wrong" in told[0]


def test_code_that_is_edited_after_the_site_was_planned_is_told(small_site: SmallSite) -> None:
    with_deadly(small_site, left=0)
    code = small_site.content / "deadly.py"
    code.write_text(code.read_text() + EDITS_ITSELF.format(str(code)))
    with pytest.raises(BuildErrors, match="model deadly changed while figures were computed; build again"):
        built(small_site, TWO)


EDITS_ITSELF = """
if multiprocessing.parent_process() is None:
    Path({!r}).write_text("from tests import nets\\n\\n\\ndef make():\\n    return nets.vision()\\n")
"""


def test_progress_tells_workers_and_their_rate(small_site: SmallSite, capsys: pytest.CaptureFixture[str]) -> None:
    display = Plain(sys.stdout)
    display.begin(4, 2)
    display.start("a", 0)
    display.start("b", 1)
    display.finish("b", 1.0, "", 1)
    display.advance(1, 2, "", 0)
    display.finish("a", 2.0)

    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("[1/4] b: computed in 1.0 s, about 0 s left, 2 workers, ")
    assert second.endswith(" a minute")


@pytest.mark.parametrize(("runner", "times"), [("local", 1), ("local", 2), ("dask", 1)])
def test_ctrl_c_stops_all_workers_and_keeps_what_is_done(small_site: SmallSite, runner: str, times: int) -> None:
    slow = IMAGE.format("slow", "tiny-vision", "b").replace("steps: 1", "steps: 2000")
    small_site.post(
        HEAD + IMAGE.format("quick", "tiny-vision", "a") + slow + slow.replace("slow", "other").replace("[b]", "[c]")
    )
    command = [
        sys.executable,
        str(ROOT / "build.py"),
        "--runner",
        runner,
        "--workers",
        "2",
        "--store",
        str(small_site.store.folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    build = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    with build:
        assert build.stderr is not None
        line = build.stderr.readline()
        for _ in range(times):
            os.killpg(build.pid, signal.SIGINT)
            time.sleep(0.3)
        rest = build.stderr.read()

    assert "quick: computed" in line
    assert build.wait(60) in (130, -signal.SIGINT), rest  # the same to a shell; the second may come at the very end
    assert "stopped; the figures computed so far are kept" in rest
    assert "Traceback" not in rest, rest
    for _ in range(100):
        if not (left := subprocess.run(["pgrep", "-ga", str(build.pid)], capture_output=True, check=False).stdout):
            break
        time.sleep(0.1)
    assert not left


def test_workers_share_the_cores() -> None:
    assert Crew("local", workers=2).share("ab") == max(1, cores() // 2)
    assert Crew("local", workers=8).share("a") == cores()
    assert Crew("local", workers=2, threads=3).share("ab") == 3
    assert Crew().share("ab") == cores()


def test_figures_that_need_more_than_there_is_together_wait_for_each_other(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.runners.gpus", lambda: 1)
    small_site.toml(SITE_TOML + NETWORK.format("big", "tests.nets:vision") + "resources = { GPU = 1, LICENCE = 2 }\n")
    small_site.post(
        HEAD
        + IMAGE.format("one", "big", "a")
        + IMAGE.format("two", "big", "b")
        + IMAGE.format("three", "tiny-vision", "c")
    )
    plan = make_plan(small_site.content, small_site.store, Quiet())
    queue = Queue(list(plan.jobs.values()), plan.library)

    first, second, third = (queue.next(set()) for _ in range(3))
    assert first is not None
    queue.leave(first)
    fourth = queue.next(set())

    assert [one and one.id for one in (first, second, third, fourth)] == ["one", "three", None, "two"]
    assert queue.free == {"GPU": 0, "LICENCE": 0}


def test_a_job_that_needs_more_than_the_machine_has_is_done_all_the_same(small_site: SmallSite) -> None:
    small_site.toml(SITE_TOML + NETWORK.format("big", "tests.nets:vision") + "resources = { GPU = 8 }\n")
    small_site.post(HEAD + IMAGE.format("one", "big", "a"))

    assert built(small_site, Crew("local", 1)).computed == 1


def test_what_a_network_needs_changes_no_key(small_site: SmallSite) -> None:
    keys = []
    for more in ("", "resources = { GPU = 1 }\n"):
        small_site.toml(SITE_TOML + NETWORK.format("big", "tests.nets:vision") + more)
        small_site.post(HEAD + IMAGE.format("one", "big", "a"))
        keys.append([job.key for job in make_plan(small_site.content, small_site.store, Quiet()).jobs.values()])

    assert keys[0] == keys[1]


@dataclass
class Slow:
    """A site whose settings take long to read, by a library that makes an error of its own of whatever stops it."""

    begun: Path
    threads: int = 1

    def library(self, report: object) -> None:
        self.begun.touch()
        try:
            time.sleep(60)
        except KeyboardInterrupt as error:
            raise ValueError("interrupted") from error


def test_a_worker_that_is_stopped_before_it_began_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = Worker(0, Slow(tmp_path / "begun"))  # type: ignore[arg-type]
    worker.give(SimpleNamespace(model=None))  # type: ignore[arg-type]
    while not (tmp_path / "begun").exists():
        time.sleep(0.05)
    worker.stop()
    worker.end(10)

    assert capfd.readouterr().err == ""
