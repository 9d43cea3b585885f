"""A site and the folder beside it: which of them is shown, and what never is lost."""

import errno
import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from generator import site_swap
from generator.files import write_whole
from generator.site_swap import REST, Swap, exchange, mirror
from generator.spec import BuildError
from tests.forked import started, wait_for
from tests.test_looks import Clock

HIDDEN = {".gitignore": "*", ".domains": "", ".well-known.txt": "x", "posts/.htaccess": "deny"}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        write_whole(folder / name, text.encode(), lasting=False)  # as builds do, which may be killed meanwhile


def read(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def build(number: int) -> dict[str, str]:
    """The files of a build."""
    files = {"report.json": json.dumps({"schema": 1, "pages": [], "build": number})}
    return files | {name: f"{name} of {number}" for name in ("index.html", "posts/a.html", f"media/{number}.webp")}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    write(site, build(0))
    return site


def next_build(swap: Swap, clock: Clock, number: int) -> None:
    clock.now += REST
    swap.catch_up()
    into = swap.begin()
    write(into, build(number))
    (into / f"media/{number - 1}.webp").unlink()
    swap.show()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def swap(site: Path, tmp_path: Path, clock: Clock) -> Swap:
    return Swap(site, tmp_path / "content", clock)


def test_two_folders_are_exchanged_in_one_step(tmp_path: Path) -> None:
    write(tmp_path, {"a/x": "1", "b/x": "2"})
    exchange(tmp_path / "a", tmp_path / "b")

    assert read(tmp_path) == {"a/x": "2", "b/x": "1"}
    with pytest.raises(OSError, match=r"a") as caught:
        exchange(tmp_path / "a", tmp_path / "missing")
    assert caught.value.errno == errno.ENOENT


def test_a_build_is_shown_by_an_exchange_and_who_stands_in_the_old_folder_keeps_a_whole_build_for_a_while(
    swap: Swap, clock: Clock, site: Path
) -> None:
    inside = os.open(site, os.O_RDONLY)
    next_build(swap, clock, 1)

    assert read(site) == build(1)
    assert read(Path(f"/proc/self/fd/{inside}").resolve()) == build(0)
    assert swap.rest() == REST >= 1
    clock.now += REST
    swap.catch_up()
    assert read(Path(f"/proc/self/fd/{inside}").resolve()) == build(1)
    os.close(inside)


def test_what_was_left_half_written_beside_is_not_shown_at_the_end(
    swap: Swap, clock: Clock, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    next_build(swap, clock, 1)
    clock.now += REST
    swap.catch_up()
    write(swap.begin(), {"index.html": "half of bui"})
    swap.close()

    assert read(site) == build(1)


def test_at_the_end_the_folder_of_the_beginning_is_shown_and_the_other_is_gone(
    swap: Swap, clock: Clock, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    first, start = site.stat().st_ino, clock.now
    next_build(swap, clock, 1)
    shown = site.stat().st_ino
    swap.close()

    assert first != shown
    assert site.stat().st_ino == first
    assert read(site) == build(1)
    assert [path.name for path in site.parent.iterdir()] == ["site"]
    assert clock.now == start + 3 * REST


def test_files_whose_names_begin_with_a_dot_are_in_every_build_as_they_were_last_edited(
    swap: Swap, clock: Clock, site: Path
) -> None:
    write(site, HIDDEN)
    next_build(swap, clock, 1)
    assert read(site) == build(1) | HIDDEN
    clock.now += REST
    swap.catch_up()
    write(site, {".gitignore": "edited while a build was at work"})
    (site / ".domains").unlink()
    swap.show()

    assert read(site)[".gitignore"] == "edited while a build was at work"
    assert ".domains" not in read(site)


def test_what_is_edited_in_the_moment_of_the_exchange_is_not_lost(
    swap: Swap, clock: Clock, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edited(one: Path, other: Path) -> None:
        write(site, {".domains": "now", ".git/HEAD": "now"})
        exchange(one, other)

    monkeypatch.setattr(site_swap, "exchange", edited)
    next_build(swap, clock, 1)

    assert read(site) == build(1) | {".domains": "now", ".git/HEAD": "now"}


def test_a_hidden_folder_stays_where_it_is_and_the_build_is_shown_around_it(
    swap: Swap, clock: Clock, site: Path
) -> None:
    write(site, {".git/HEAD": "main"})
    folder = site.stat().st_ino, (site / ".git").stat().st_ino
    for number in (1, 2, 3):
        write(swap.beside, {"new.html": str(number)})
        next_build(swap, clock, number)
        assert read(site) == build(number) | {".git/HEAD": "main"}

    assert (site.stat().st_ino, (site / ".git").stat().st_ino) == folder


def test_a_hidden_folder_deep_in_the_site_stays_where_it_is(swap: Swap, clock: Clock, site: Path) -> None:
    write(site, {"posts/.cache/x": "kept"})
    next_build(swap, clock, 1)

    assert read(site) == build(1) | {"posts/.cache/x": "kept"}


@pytest.mark.parametrize("refusal", [errno.ENOSYS, errno.EINVAL])
def test_where_nothing_can_be_exchanged_the_site_is_written_in_place(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise OSError(refusal, os.strerror(refusal), str(one))

    monkeypatch.setattr(site_swap, "exchange", refuse)
    swap = Swap(site, tmp_path / "content")

    assert swap.begin() == site
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_where_the_folder_itself_cannot_be_exchanged_the_build_is_copied_into_it(
    swap: Swap, clock: Clock, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(one))

    monkeypatch.setattr(site_swap, "exchange", refuse)
    write(site, {".git/HEAD": "main"})
    next_build(swap, clock, 1)
    entries = read(site)
    shutil.rmtree(site / ".git")
    next_build(swap, clock, 2)

    assert entries == build(1) | {".git/HEAD": "main"}
    assert read(site) == build(2)
    assert swap.begin() == site


def test_a_second_watch_of_a_site_is_refused(swap: Swap, clock: Clock, site: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        with pytest.raises(
            BuildError,
            match="another process builds or watches .*site; wait for it or stop it, or choose another --out",
        ):
            Swap(site, tmp_path / "content")
        next_build(swap, clock, number)
    clock.now += REST
    swap.close()

    Swap(site, tmp_path / "content").close()


def test_a_folder_beside_that_is_not_ours_is_told_and_not_touched(site: Path, tmp_path: Path) -> None:
    write(tmp_path, {".site.next/thesis.tex": "years of work"})

    with pytest.raises(BuildError, match=r"\.site\.next holds files that Whatfires did not write"):
        Swap(site, tmp_path / "content")
    assert read(tmp_path / ".site.next") == {"thesis.tex": "years of work"}


def test_a_mirror_writes_what_differs_and_nothing_else(site: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    mirror(site, target)
    times = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    mirror(site, target)

    assert {path: path.stat().st_mtime_ns for path in target.rglob("*")} == times
    (site / "posts/a.html").unlink()
    (site / "posts").rmdir()
    mirror(site, target)
    assert read(target) == read(site)
    assert not (target / "posts").exists()


def swapping(first: int) -> None:
    site_swap.REST = 0.0
    swap = site_swap.Swap(Path("site"), Path("content"))
    Path("begun").write_text("yes")
    for number in range(first, 10**9):
        swap.catch_up()
        write(swap.begin(), build(number))
        swap.show()


@pytest.mark.parametrize("hidden", [HIDDEN, {**HIDDEN, ".git/refs/heads/main": "1f0", ".git/HEAD": "main"}])
def test_what_is_hidden_in_a_site_is_in_it_at_every_moment_and_survives_being_killed(
    site: Path, hidden: dict[str, str]
) -> None:
    """Killed at many moments, in the midst of thousands of exchanges."""
    write(site, hidden)
    missing = []
    for number in range(3):
        process = started(swapping, 1000 * number, folder=site.parent)
        wait_for(site.parent / "begun", process)
        (site.parent / "begun").unlink()
        until = time.monotonic() + 0.2 + random.random() / 5
        while time.monotonic() < until:
            missing += [name for name in hidden if not (site / name).exists()]
        process.kill()
        process.join()
        found = read(site)
        assert {name: found.get(name) for name in hidden} == hidden

    assert not missing
