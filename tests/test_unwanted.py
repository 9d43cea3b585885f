"""What no build wants any more is removed from the store, and nothing else; what is left computes the very same again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from generator import builds, cli, flags, inputs, known_code, passages
from generator.artifact import Artifact, ArtifactStore
from generator.library import Library
from generator.models import linear_svm
from generator.plan import make_plan
from generator.progress import Quiet
from generator.settings import read_settings
from generator.spec import BuildErrors
from generator.unwanted import Unwanted, unwanted
from tests.conftest import POST, ROOT, SITE_TOML, SmallSite, forget_code, job_called
from tests.stale_site import StaleSite, copied, write_site

FRONT = "---\ntitle: {0}\ndate: 2026-01-02\n---\n"
CLASSES = "\n```figure\nid: {0}\nkind: class-image\nmodel: seer\nclasses: [{1}]\nsteps: 2\nsize: 16\ndataset: pictures\nsplit: test\n```\n"
CONTEXTS = "\n```figure\nid: {0}\nkind: top-contexts\nmodel: reader\ndataset: texts\nunit: {{group: hidden, index: {1}}}\n```\n"
SWEEP = (
    "\n```figure\nid: swept\nkind: sweep\nmodel: tiny-linear\nsetting: l2\nvalues: [0, 1]\nclasses: ['0', '3']\n```\n"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StaleSite:
    """The report, with figures that share what is kept beside them, and one that trains networks of its own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("wanted")
        patch.chdir(folder)
        site = write_site(folder)
        linear, digits = (
            SITE_TOML.partition(f"[{name}]")[2].partition("\n[")[0]
            for name in ("models.tiny-linear", "datasets.digits")
        )
        site.path("site.toml").write_text(
            site.path("site.toml").read_text() + f"\n[models.tiny-linear]{linear}\n[datasets.digits]{digits}\n"
        )
        inputs.PACES.clear()
        passages.RECENT.clear()
        site.write("posts/third.md", FRONT.format("Third") + CLASSES.format("one", "a") + CONTEXTS.format("places", 1))
        site.write(
            "posts/fourth.md",
            FRONT.format("Fourth") + CLASSES.format("two", "b") + CONTEXTS.format("others", 2) + SWEEP,
        )
        site.build()
    return site


@pytest.fixture
def site(built: StaleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaleSite]:
    """A copy that was built where it lies."""
    monkeypatch.chdir(tmp_path)
    site = copied(built, tmp_path)
    shutil.rmtree(site.store.folder / "builds")
    site.build()
    assert len(collect(site).artifacts) == 1  # the note of what stood in the other folder
    yield site
    forget_code()


def collect(site: StaleSite, keep: int = 1) -> Unwanted:
    forget_code()
    library = Library(read_settings(site.content, "site.toml"), site.content, site.store)
    found = unwanted(library, keep)
    found.remove()
    return found


def kept(site: StaleSite) -> set[str]:
    return {path.stem for path in site.store.folder.glob("*/*.npz")}


def artifact(site: StaleSite, figure: str) -> tuple[str, Artifact]:
    """Its key, and what is kept under it."""
    forget_code()
    key = job_called(make_plan(site.content, site.store, Quiet()), figure).key
    found = site.store.get(key)
    assert found is not None
    return key, found


def assert_same(one: Artifact, other: Artifact) -> None:
    assert (one.data, one.measures, one.intervals) == (other.data, other.measures, other.intervals)
    assert set(one.arrays) == set(other.arrays)
    for name in one.arrays:
        np.testing.assert_array_equal(one.arrays[name], other.arrays[name])


def without_memory() -> None:
    """As a process that has just begun."""
    inputs.PACES.clear()
    passages.RECENT.clear()


def test_after_a_build_there_is_nothing_that_no_build_wants_and_the_next_one_does_nothing(
    built: StaleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built.folder)
    found = collect(built)
    done = built.build()

    assert (found.artifacts, found.records) == ((), ())
    assert (done.computed, done.written, done.removed) == (0, 0, 0)


def test_after_a_post_was_removed_exactly_what_it_alone_wanted_goes(site: StaleSite, tmp_path: Path) -> None:
    site.path("posts/fourth.md").unlink()
    site.build()
    collect(site)
    fresh = copied(site, tmp_path / "fresh")
    shutil.rmtree(fresh.store.folder)
    without_memory()
    fresh.build()

    assert kept(site) - {standing(site)} == kept(fresh) - {standing(fresh)}  # as if there had never been the post
    assert site.build().computed == 0


def standing(site: StaleSite) -> str:
    """The key of what is noted of the pages as they stand."""
    found = builds.by_content(site.store)[str(site.content)][-1][1].standing
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("post", "figure"), [("third", "two"), ("third", "others"), ("fourth", "one"), ("fourth", "places")]
)
def test_what_two_figures_share_stays_for_the_other_one_which_comes_out_the_same_to_the_bit(
    site: StaleSite, post: str, figure: str
) -> None:
    """Whichever of them was computed first and made it, and though the second found it in memory."""
    site.path(f"posts/{post}.md").unlink()
    site.build()
    collect(site)
    key, before = artifact(site, figure)
    shared = set(before.provenance["needs"])
    site.store.drop(key)
    without_memory()
    there = kept(site)
    done = site.build()

    assert shared <= there
    assert done.computed == 1
    assert_same(artifact(site, figure)[1], before)
    assert len(shared) >= (2 if figure in ("one", "two") else 1)  # the pace and natural images; contexts


def test_trainings_of_a_figure_stay_as_long_as_the_figure(site: StaleSite) -> None:
    collect(site)
    key, before = artifact(site, "swept")
    site.store.drop(key)
    there = kept(site)
    site.build()

    assert kept(site) - there <= {key, standing(site)}
    assert_same(artifact(site, "swept")[1], before)


def test_trainings_that_two_figures_share_stay_for_the_other_one(site: StaleSite) -> None:
    """Though the second had only to take the network that the first one had loaded."""
    site.write("posts/fourth.md", FRONT.format("Fourth") + SWEEP.replace("[0, 1]", "[2, 3]"))
    site.write("posts/later.md", FRONT.format("Later") + SWEEP.replace("[0, 1]", "[3, 4]").replace("swept", "again"))
    site.build()
    site.path("posts/fourth.md").unlink()
    site.build()
    collect(site)
    key, before = artifact(site, "again")
    site.store.drop(key)
    there = kept(site)
    site.build()

    assert kept(site) - there <= {key, standing(site)}
    assert_same(artifact(site, "again")[1], before)


def test_trainings_of_a_figure_that_failed_midway_stay(site: StaleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.write("posts/later.md", FRONT.format("Later") + SWEEP.replace("[0, 1]", "[5, 6]").replace("swept", "again"))
    train, trained = linear_svm.train, []

    def one_alone(*given: Any) -> Any:
        if trained:
            raise RuntimeError("no more")
        trained.append(given)
        return train(*given)

    with monkeypatch.context() as patch:
        patch.setattr(linear_svm, "train", one_alone)
        with pytest.raises(BuildErrors, match="no more"):
            site.build()
    collect(site)
    trained.clear()
    monkeypatch.setattr(linear_svm, "train", one_alone)

    assert site.build().computed == 1  # with one training


def test_weights_that_a_build_trained_stay_while_the_model_is_in_site_toml(site: StaleSite) -> None:
    library = Library(read_settings(site.content, "site.toml"), site.content, site.store)
    key = library.weights_key("pupil")
    assert key is not None
    site.path("posts/first.md").unlink()
    site.build()
    collect(site)
    stays = site.store.has(key)
    row = site.path("site.toml").read_text()
    site.path("site.toml").write_text(row[: row.index("[models.pupil]")] + row[row.index("[models.seer]") :])
    site.build()
    collect(site)

    assert stays
    assert not site.store.has(key)


@pytest.mark.parametrize("data", ["here", "gone"])
def test_an_unfinished_training_stays_while_its_model_is_in_site_toml(site: StaleSite, data: str) -> None:
    text = site.path("site.toml").read_text()
    recipe = text.replace("steps = 2", "steps = 200")
    site.path("site.toml").write_text(recipe)
    library = Library(read_settings(site.content, "site.toml"), site.content, site.store)
    desk = library.desk("pupil")
    desk.keep(Artifact({"weights": np.zeros(3)}))
    if data == "gone":
        site.path("texts").rename(site.path("texts-elsewhere"))
    collect(site)
    stays = site.store.has(desk.key)
    site.path("site.toml").write_text(
        recipe[: recipe.index("[models.pupil]")] + recipe[recipe.index("[models.seer]") :]
    )
    collect(site)

    assert stays
    assert not site.store.has(desk.key)


@pytest.mark.parametrize(("keep", "computed"), [(1, 1), (2, 0)])
def test_what_the_builds_before_wanted_stays_where_they_count(site: StaleSite, keep: int, computed: int) -> None:
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    site.build()
    collect(site, keep)
    site.swap("posts/first.md", "seed: 4", "seed: 3")

    assert site.build().computed == computed


def test_a_build_of_what_was_built_before_is_the_last_one_again_and_counts_once(site: StaleSite) -> None:
    for old, new in (("3", "4"), ("4", "5"), ("5", "4")):
        site.swap("posts/first.md", f"seed: {old}", f"seed: {new}")
        site.build()
    collect(site, 3)
    site.swap("posts/first.md", "seed: 4", "seed: 3")
    first = site.build().computed
    collect(site, 2)
    site.swap("posts/first.md", "seed: 3", "seed: 5")

    assert (first, site.build().computed) == (0, 1)


def test_captions_and_pages_make_no_builds_that_count(site: StaleSite) -> None:
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    site.build()
    for number in range(3):
        site.swap("posts/first.md", "A text.", f"{number} A text.")
        site.build()
    collect(site, 2)
    site.swap("posts/first.md", "seed: 4", "seed: 3")

    assert site.build().computed == 0


def test_what_a_build_that_was_stopped_had_computed_stays(site: StaleSite) -> None:
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    site.swap("concepts.py", "return np.arange(len(text)) < 50", "raise ValueError('no')")
    with pytest.raises(BuildErrors):
        site.build()
    collect(site)
    site.swap("concepts.py", "raise ValueError('no')", "return np.arange(len(text)) < 50")

    assert site.build().computed == 0


def test_another_content_folder_that_shares_the_store_loses_nothing(site: StaleSite, tmp_path: Path) -> None:
    other = StaleSite(tmp_path / "other")
    shutil.copytree(site.content, other.content)
    other.store = site.store
    other.swap("posts/first.md", "seed: 3", "seed: 4")
    other.build()
    site.path("posts/third.md").unlink()
    site.build()
    collect(site)

    assert other.build().computed == 0


def test_an_unchanged_build_writes_no_record(site: StaleSite) -> None:
    before = {path: path.stat().st_mtime_ns for path in (site.store.folder / "builds").iterdir()}
    site.build()

    assert {path: path.stat().st_mtime_ns for path in (site.store.folder / "builds").iterdir()} == before


@pytest.fixture
def command(site: StaleSite) -> Callable[..., tuple[int, str]]:
    def run(*more: str) -> tuple[int, str]:
        forget_code()
        done = CliRunner().invoke(cli.main, ["gc", "--store", "store", *more])
        return done.exit_code, done.output

    return run


def test_the_command_says_what_goes_and_a_dry_run_removes_nothing(
    site: StaleSite, command: Callable[..., tuple[int, str]]
) -> None:
    """The figure as it was, and the note of the pages that showed it."""
    key, _ = artifact(site, "written")
    gone = [site.store.path(key), site.store.path(standing(site))]
    site.swap("posts/first.md", "seed: 3", "seed: 4")
    site.build()
    size = sum(path.stat().st_size for path in gone)
    dry = command("--dry-run")
    there = site.store.has(key)
    wet = command()

    assert any(line.startswith(f"store/{key[:2]}/{key}.npz (") for line in dry[1].splitlines())
    assert dry[1].splitlines()[-1].startswith(f"would remove 2 files, {size:,} bytes; ")
    assert wet[1].startswith(f"removed 2 files, {size:,} bytes; ")
    assert (there, site.store.has(key)) == (True, False)


def test_a_store_without_a_build_of_this_content_is_left_alone(
    site: StaleSite, command: Callable[..., tuple[int, str]]
) -> None:
    before = kept(site)
    shutil.rmtree(site.store.folder / "builds")
    code, told = command()

    assert code == 1
    assert "the store store knows of no finished build of content" in told
    assert kept(site) == before


@pytest.fixture
def small(small_site: SmallSite) -> Callable[[int], str]:
    """A site of one figure with the given length, built; the figure's key."""

    def at(length: int) -> str:
        small_site.post(POST.replace("length: 30", f"length: {length}"))
        small_site.build()
        return job_called(make_plan(small_site.content, small_site.store, Quiet()), "written").key

    return at


def size_of(store: ArtifactStore) -> int:
    return sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())


def clean(site: SmallSite, under: int, keep: int = 1) -> Unwanted:
    found = unwanted(Library(read_settings(site.content, "site.toml"), site.content, site.store), keep, under)
    found.remove()
    return found


def test_below_a_limit_nothing_is_removed(small_site: SmallSite, small: Callable[[int], str]) -> None:
    keys = [small(length) for length in (20, 21)]
    found = clean(small_site, size_of(small_site.store))

    assert (found.artifacts, found.records, found.excess) == ((), (), 0)
    assert all(map(small_site.store.has, keys))


@pytest.mark.parametrize("clock", ["right", "wrong"])
def test_what_was_wanted_the_most_builds_ago_goes_first_whatever_the_clock_said(
    small_site: SmallSite, small: Callable[[int], str], clock: str
) -> None:
    keys = [small(length) for length in (20, 21, 22, 20)]  # the first is wanted again
    if clock == "wrong":
        for year, path in enumerate(sorted(small_site.store.folder.rglob("*"), key=lambda path: -path.stat().st_mtime)):
            os.utime(path, (year * 3e7, year * 3e7))
    every = [build for _, build in builds.by_content(small_site.store)[str(small_site.content.resolve())]]
    (oldest,) = (build for build in every if keys[1] in build.wants)
    going = {keys[1], str(oldest.standing)}
    limit = size_of(small_site.store) - sum(small_site.store.path(key).stat().st_size for key in going)
    found = clean(small_site, limit)

    assert {path.stem for path in found.artifacts} == going
    assert [small_site.store.has(key) for key in keys] == [True, False, True, True]
    assert size_of(small_site.store) <= limit


def test_what_builds_want_stays_though_it_is_too_much_and_that_is_told(
    small_site: SmallSite, small: Callable[[int], str]
) -> None:
    small(20)
    last = small(21)
    before = size_of(small_site.store)
    done = CliRunner().invoke(cli.main, ["gc", "--store", "store", "--keep-under", "1kB"])

    assert done.exit_code == 1
    assert f"the store is {size_of(small_site.store) - 1000:,} bytes larger than --keep-under" in done.output
    assert size_of(small_site.store) < before
    assert small_site.store.has(last)
    assert small_site.build().computed == 0


@pytest.mark.parametrize(
    ("text", "size"), [("5GB", 5 * 10**9), ("700 MiB", 700 * 2**20), ("1.5k", 1500), ("12", 12), ("0", 0)]
)
def test_sizes_are_written_as_people_write_them(text: str, size: int) -> None:
    assert flags.size(text) == size


def test_a_size_that_is_none_is_told(small_site: SmallSite) -> None:
    done = CliRunner().invoke(cli.main, ["gc", "--keep-under", "much"])

    assert done.exit_code == 2
    assert "give a size such as 5GB or 700MB, not 'much'" in done.output


BUILDING = """
import sys
from pathlib import Path
from generator.lock import in_use
with in_use(Path("store")):
    print("building", flush=True)
    sys.stdin.read()
"""


def test_a_store_is_not_cleaned_while_a_build_uses_it_and_then_is(
    small_site: SmallSite, small: Callable[[int], str]
) -> None:
    small(20)
    old = job_called(make_plan(small_site.content, small_site.store, Quiet()), "written").key
    small(21)
    command = [sys.executable, "-c", BUILDING]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        meanwhile = CliRunner().invoke(cli.main, ["gc", "--store", "store"])
        there = small_site.store.has(old)
        other.communicate(b"")
    later = CliRunner().invoke(cli.main, ["gc", "--store", "store"])

    assert (meanwhile.exit_code, later.exit_code) == (1, 0)
    assert "error: a build uses the store store; wait for it, then clean it" in meanwhile.output
    assert there
    assert not small_site.store.has(old)


@pytest.mark.parametrize("command", [["build"], ["check"], ["figure", "written"], ["build", "--verify", "1"]])
def test_whatever_computes_says_that_it_uses_the_store(
    small_site: SmallSite, small: Callable[[int], str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    small(20)
    cleaned: list[str] = []
    recalled = known_code.recall

    def clean_meanwhile(store: ArtifactStore) -> None:
        cleaned.append(CliRunner().invoke(cli.main, ["gc", "--store", "store"]).output)
        recalled(store)

    monkeypatch.setattr(known_code, "recall", clean_meanwhile)
    CliRunner().invoke(cli.main, [*command, "--store", "store"])

    assert cleaned
    assert all("a build uses the store" in one for one in cleaned)
