"""A watched build: what a training run writes is shown when it is whole, and who reads the site meets no hole."""

import http.client
import io
import json
import os
import posixpath
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save, save_file

from generator import rounds
from generator.files import file_digest
from generator.pipeline import build
from generator.rounds import Asked, Failed, built
from generator.site_swap import Swap
from generator.watching import Watcher
from tests import nets
from tests.conftest import POST, ROOT, SITE_TOML, SmallSite, forget_code
from tests.test_looks import Clock

NETWORK = """
[models.{0}]
source = "python"
factory = "tests.nets:vision"
checkpoints = "../runs/{1}"
channels = 3
height = 32
width = 32
classes = ["a", "b", "c", "d", "e"]
"""
TOML = 'title = "A run"\n' + NETWORK.format("run", "step-*.safetensors") + NETWORK.format("last", "last.pt")
PAGE = """---
title: {0}
date: 2026-01-02
---

```figure
id: f{0}
kind: class-image
model: {1}
classes: [a]
steps: 1
size: 32
```
"""

TRAINING = '''
"""Writes checkpoints as training runs do: slowly, in pieces, anew in place; some vanish, and one is never finished."""
import hashlib, io, sys, time
from pathlib import Path
import torch
from safetensors.torch import save
from tests import nets

runs, stop = Path("runs"), Path("stop")

def network(seed):
    torch.manual_seed(seed)
    return nets.vision().state_dict()

def pickled(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()

def write(name, content, pieces=6, pause=0.1):
    """The digest is told before the file is: what is shown must be among those that were told."""
    print(hashlib.sha256(content).hexdigest(), flush=True)
    part = len(content) // pieces + 1
    with (runs / name).open("wb") as file:
        for start in range(0, len(content), part):
            file.write(content[start : start + part])
            file.flush()
            time.sleep(pause)

step = 0
(runs / "step-999.safetensors").write_bytes(save(network(999))[:-100])  # the newest, and truncated for ever
while not stop.exists():
    step += 1
    write(f"step-{step}.safetensors", save(network(step)))
    write("last.pt", pickled(network(1000 + step)))
    if step % 3 == 0:
        write(f"step-{step + 500}.safetensors", save(network(step + 500)), pieces=2)
        (runs / f"step-{step + 500}.safetensors").unlink()
    time.sleep(1.0)
'''

ENOUGH = 150.0  # seconds; two rounds after the first take some ten on two cores that have nothing else to do


class Resources(HTMLParser):
    """What a page names, relative to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            name = (value or "").partition("#")[0]
            if key in ("href", "src") and name and not re.match(r"[a-z]+:", name):
                self.names.add(name)


def problems(get: Callable[[str], bytes | None]) -> Iterator[str]:
    """All that is wrong with a site as someone reads it, page by page, and whether it was the same from first to last.

    get: the bytes of a file, None where there is none.
    """
    first = get("report.json")
    if first is None:
        yield "no report.json"
        return
    report = json.loads(first)
    keys: dict[str, str] = {}
    for path in ["index.html", "tags.html", *(page["path"] for page in report["pages"])]:
        page = get(path)
        if page is None or not page.rstrip().endswith(b"</html>"):
            yield f"{path} is {'missing' if page is None else 'cut off'}"
            continue
        text = page.decode()
        keys |= {f"{path}#{id}": key for id, key in re.findall(r'<figure id="([^"]+)"[^>]* data-key="([^"]+)"', text)}
        resources = Resources()
        resources.feed(text)
        for name in sorted(resources.names):
            content = get(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))
            if content is None:
                yield f"{name}, which {path} names, is missing"
            elif name.endswith((".webp", ".png")):
                with Image.open(io.BytesIO(content)) as picture:
                    picture.load()
    told = {f"{figure['page']}#{figure['id']}": figure["key"] for figure in report["figures"]}
    if get("report.json") == first and keys != told:
        yield f"pages show {keys}, and report.json tells {told}"


def over_http(address: str) -> Callable[[str], bytes | None]:
    def get(name: str) -> bytes | None:
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request("GET", f"/{name}")
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return content if answer.status == 200 else None

    return get


def copied(site: Path) -> dict[str, bytes]:
    """The files of a folder, all reached through the folder as it was opened first."""
    opened = os.open(site, os.O_RDONLY)
    files = {}
    try:
        for here, _, names, folder in os.fwalk(".", dir_fd=opened):
            for name in names:
                with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as file:
                    files[posixpath.normpath(posixpath.join(here, name))] = file.read()
    finally:
        os.close(opened)
    return files


def again_and_again(once: Callable[[], Iterator[str]], until: threading.Event, found: list[str]) -> threading.Thread:
    """Reads the site until told to stop; found: what is wrong with it, "" for each reading that met nothing."""

    def read() -> None:
        while not until.is_set():
            try:
                found.extend(once() or ())
            except Exception as error:  # such as a picture that cannot be decoded, or a file that is gone
                found.append(repr(error))
            found.append("")
            time.sleep(0.05)

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def figures(site: Path) -> int:
    """How many figures the account of a site tells of."""
    report = site / "report.json"
    return len(json.loads(report.read_bytes()).get("figures", ())) if report.exists() else 0


def write_checkpoints(runs: Path) -> set[str]:
    """A first checkpoint of both models; their digests."""
    runs.mkdir()
    torch.manual_seed(0)
    save_file(nets.vision().state_dict(), runs / "step-0.safetensors")
    torch.save(nets.vision().state_dict(), runs / "last.pt")
    return {file_digest(path) for path in runs.iterdir()}


def test_who_reads_a_site_while_a_run_is_watched_always_meets_a_whole_build(
    small_site: SmallSite, served: Callable[[Path], str]
) -> None:
    """By HTTP page by page, and by copying the folder; ten posts, so that writing them takes a moment."""
    site, folder = small_site.out, small_site.folder
    digests, shown = write_checkpoints(folder / "runs"), set[str]()
    small_site.toml(TOML)
    for name in "abcdefghij":
        small_site.post(PAGE.format(name, "last" if name in "cg" else "run"), name)
    site.mkdir()
    (site / ".nojekyll").touch()
    address = served(site)
    until, by_http, by_copy = threading.Event(), list[str](), list[str]()

    def copy() -> Iterator[str]:
        files = copied(site)
        shown.update(row["digest"] for row in json.loads(files["report.json"])["models"].values())
        return problems(files.get)

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from generator.cli import main; main()", "build", "--store", "store"]
    with (
        (folder / "log").open("wb") as log,
        (folder / "told").open("wb") as told,
        subprocess.Popen([*command, "--watch", "runs"], cwd=folder, env=environment, stdout=log, stderr=log) as watch,
        subprocess.Popen([sys.executable, "-c", TRAINING], cwd=folder, env=environment, stdout=told) as training,
    ):
        readers = []
        try:
            deadline = time.monotonic() + ENOUGH
            while not figures(site):
                assert watch.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            readers.append(again_and_again(lambda: problems(over_http(address)), until, by_http))
            readers.append(again_and_again(copy, until, by_copy))
            while len(shown) < 6 and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            (folder / "stop").touch()
            training.wait(10)
            watch.send_signal(signal.SIGINT)
            code = watch.wait(30)
            until.set()
            for reader in readers:
                reader.join()

    said = (folder / "log").read_text()
    assert {one for one in by_http if one} == set()
    assert {one for one in by_copy if one} == set()
    assert min(len(by_http), len(by_copy)) > 20
    assert shown <= digests | set((folder / "told").read_text().split())
    assert len(shown) >= 6, said
    assert "cannot be read" not in said
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["content", "log", "runs", "site", "stop", "store", "told"]
    assert (site / ".nojekyll").exists()


class Turns:
    """A watch whose looks are taken one by one, and whose rounds run in this process."""

    def __init__(self, site: SmallSite, monkeypatch: pytest.MonkeyPatch, folders: tuple[Path, ...] = ()) -> None:
        self.clock, self.said, self.rounds = Clock(), list[str](), 0
        self.asked = Asked(site.content, site.out, site.store.folder, folders, drafts=False)

        def here(*given: object) -> object:
            self.rounds += 1
            forget_code()
            return built(*given)  # type: ignore[arg-type]

        self.swap = Swap(site.out, site.content, self.clock)
        self.watcher = Watcher(self.asked, self.swap, self.said.append, self.clock, build=here)

    def __call__(self, times: int = 8) -> list[str]:
        """What is said at so many looks, less times and the number of files."""
        before = len(self.said)
        for _ in range(times):
            self.clock.now += 0.5
            self.watcher.turn()
        bare = (re.sub(r"^\d\d:\d\d:\d\d |, in [\d.]+ s$", "", line) for line in self.said[before:])
        return [re.sub(r"[1-9]\d* files written", "some files written", line) for line in bare]


@pytest.fixture
def turns(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> Turns:
    return Turns(small_site, monkeypatch)


def test_a_round_is_a_line_and_while_nothing_changes_nothing_is_built_and_nothing_is_said(
    small_site: SmallSite, turns: Turns
) -> None:
    first = turns()
    times = {path: path.stat().st_mtime_ns for path in small_site.out.rglob("*")}
    idle = turns(40)

    assert first == ["first build: 1 figure computed, 0 kept; some files written, 0 removed"]
    assert (idle, turns.rounds) == ([], 1)
    assert {path: path.stat().st_mtime_ns for path in small_site.out.rglob("*")} == times


def test_an_edited_post_is_a_round_that_computes_what_changed(small_site: SmallSite, turns: Turns) -> None:
    turns()
    small_site.post(POST.replace("What it", "All it"))
    caption = turns()
    small_site.post(POST.replace("length: 30", "length: 31"))

    assert caption == ["a.md: 0 figures computed, 1 kept; some files written, 0 removed"]
    assert turns() == ["a.md: 1 figure computed, 0 kept; some files written, 0 removed"]


def test_a_file_that_was_only_touched_is_not_spoken_of(small_site: SmallSite, turns: Turns) -> None:
    turns()
    (small_site.content / "posts" / "a.md").touch()

    assert turns() == []
    assert turns.rounds == 2


def test_an_error_is_told_once_and_the_last_good_site_stays_until_it_is_put_right(
    small_site: SmallSite, turns: Turns
) -> None:
    turns()
    good = small_site.files()
    small_site.post(POST.replace("kind: sample", "kind: smaple"))
    told = turns()
    small_site.post(POST.replace("kind: sample", "kind: smaple").replace("Words", "More words"))
    again = turns()
    stands = small_site.files()
    small_site.post(POST)

    assert told == ["a.md: error: content/posts/a.md:11: figure written: unknown kind 'smaple'; did you mean 'sample'?"]
    assert again == ["a.md: still 1 error"]
    assert stands == good
    assert turns() == ["a.md: 0 figures computed, 1 kept; 0 files written, 0 removed"]


def test_pictures_of_the_build_before_stay_for_one_round(small_site: SmallSite, turns: Turns) -> None:
    figure = "id: t\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 1\nseed: {}\n"
    pictures = []
    for seed in range(3):
        small_site.figure(figure.format(seed))
        turns()
        pictures.append({path.name for path in small_site.out.glob("media/*.webp")})
    last = {name.rpartition("/")[2] for name in re.findall(r'media/[^"]+webp', small_site.read())}
    small_site.build()

    assert [len(names) for names in pictures] == [1, 2, 2]
    assert pictures[0] < pictures[1]
    assert not pictures[0] & pictures[2]
    assert last < pictures[2]
    assert {path.name for path in small_site.out.glob("media/*.webp")} == last


def test_a_watched_site_ends_as_a_build_into_an_empty_folder(small_site: SmallSite, turns: Turns) -> None:
    turns()
    small_site.post(POST.replace("A post", "Another"), "b")
    turns()
    (small_site.content / "posts" / "a.md").unlink()
    turns()
    cold = small_site.folder / "cold"
    build(small_site.content, cold, small_site.store)
    files = {path.relative_to(cold).as_posix(): path.read_bytes() for path in cold.rglob("*") if path.is_file()}

    assert {**small_site.files(), "report.json": b""} == {**files, "report.json": b""}


def test_a_checkpoint_is_shown_when_it_is_whole(small_site: SmallSite, turns: Turns) -> None:
    write_checkpoints(small_site.folder / "runs")
    small_site.toml(TOML)
    small_site.post(PAGE.format("a", "run"))
    turns()
    path, content = small_site.folder / "runs" / "step-1.safetensors", save(nets.vision().state_dict())
    path.write_bytes(content[:-1])
    half = turns()
    path.write_bytes(content)

    assert half == []
    assert turns() == ["step-1.safetensors: 1 figure computed, 0 kept; some files written, 0 removed"]
    assert json.loads(small_site.read("report.json"))["models"]["run"]["checkpoint"] == "step-1.safetensors"


def test_a_model_is_not_trained_because_its_only_checkpoint_is_half_written(
    small_site: SmallSite, turns: Turns
) -> None:
    small_site.toml(SITE_TOML.replace('corpus = "tiny-corpus"', 'corpus = "tiny-corpus"\ncheckpoints = "*.pt"', 1))
    (small_site.content / "step-1.pt").write_bytes(b"PK half")

    assert turns()[0].endswith(
        "model tiny-text: no checkpoint is whole yet; content/step-1.pt counts once it stays as it is"
    )


def test_a_checkpoint_that_is_removed_leaves_the_one_before_to_be_shown(small_site: SmallSite, turns: Turns) -> None:
    write_checkpoints(small_site.folder / "runs")
    path = small_site.folder / "runs" / "step-1.safetensors"
    save_file(nets.vision().state_dict(), path)
    small_site.toml(TOML)
    small_site.post(PAGE.format("a", "run"))
    turns()
    path.unlink()
    turns()

    assert json.loads(small_site.read("report.json"))["models"]["run"]["checkpoint"] == "step-0.safetensors"


def test_a_gap_in_a_timeline_is_told_once(small_site: SmallSite, turns: Turns) -> None:
    write_checkpoints(small_site.folder / "runs")
    save_file({"other": torch.ones(3)}, small_site.folder / "runs" / "step-1.safetensors")
    save_file(nets.vision().state_dict(), small_site.folder / "runs" / "step-2.safetensors")
    small_site.toml(TOML)
    post = PAGE.format("a", "run").replace("size: 32", "size: 32\ncheckpoint: all")
    small_site.post(post)
    first = turns()
    small_site.post(post + "\nMore.\n")

    assert len(first) == 2
    assert first[1].startswith("first build: warning: content/posts/a.md:6: left out of the timeline, step 1: ")
    assert turns() == ["a.md: 0 figures computed, 2 kept; some files written, 0 removed"]


def test_code_in_a_watched_folder_counts_and_logs_do_not(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = small_site.folder / "code"
    code.mkdir()
    (code / "nets.py").write_text("")
    turns = Turns(small_site, monkeypatch, (code,))
    turns()
    (code / "loss.log").write_text("2.5")
    turns()
    logs = turns.rounds
    (code / "nets.py").write_text("width = 3")
    turns()

    assert (logs, turns.rounds) == (1, 2)


@pytest.mark.usefixtures("loaded")
def test_a_round_that_is_killed_is_told_and_watching_goes_on(
    small_site: SmallSite, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)
    monkeypatch.setattr(rounds, "work", killed)
    turns.watcher.build = rounds.in_process
    told = turns()

    assert len(told) == 1
    assert "the build was ended by SIGKILL" in told[0]


def killed(*given: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_changed_while_a_round_was_at_work_is_another_round(
    small_site: SmallSite, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [Failed(("data set x changed",), changed=True), Failed(("error: other",))]
    turns.watcher.build = lambda *given: results.pop(0)  # type: ignore[assignment]

    assert turns() == ["first build: data set x changed", "once more: error: other"]
    assert results == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_a_watch_that_is_ended_in_the_midst_of_a_round_leaves_no_process_and_the_site_as_it_was(
    small_site: SmallSite, number: signal.Signals, code: int
) -> None:
    small_site.figure("id: long\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 5000\nsize: 512\n")
    command = [sys.executable, "-c", "from generator.cli import main; main()", "build", "--watch", "content"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=small_site.folder, env=environment, stdout=-3, stderr=-3) as watch:
        begun = small_site.folder / ".whatfires" / "store"
        while not list(begun.glob("*/*")):  # what our own code reads as, which every build keeps first
            assert watch.poll() is None
            time.sleep(0.02)
        time.sleep(1)  # what is told by the plan would be told by now: the figure is being computed
        rounds = processes(watch.pid)
        watch.send_signal(number)
        until = time.monotonic() + 15
        while any(map(alive, (watch.pid, *rounds))) and time.monotonic() < until:
            time.sleep(0.05)
        left = [one for one in (watch.pid, *rounds) if alive(one)]
        for one in left:
            os.kill(one, signal.SIGKILL)

    assert left == []
    assert watch.returncode == code
    assert len(rounds) == 3  # one that builds, what it is a copy of, and one of Python's own, which clears up
    assert figures(small_site.out) == 0
    assert small_site.out.exists()


def processes(parent: int) -> list[int]:
    """The processes that another has started, and those that these have."""
    children = [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return [*children, *(one for child in children for one in processes(child))]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("years", [-40, 40])
def test_an_edit_is_noticed_though_the_clock_was_set(small_site: SmallSite, turns: Turns, years: int) -> None:
    turns()
    post = small_site.post(POST.replace("length: 30", "length: 31"))
    then = post.stat().st_mtime + years * 365 * 86400
    os.utime(post, (then, then))

    assert turns() == ["a.md: 1 figure computed, 0 kept; some files written, 0 removed"]
