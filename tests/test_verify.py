"""Kept figures are made again and held against what was kept, to the bit; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from generator import cli
from generator.artifact import Artifact
from generator.plan import make_plan
from generator.progress import Quiet
from generator.verify import differs
from tests.conftest import forget_code, job_called
from tests.stale_site import StaleSite, copied, write_site
from tests.test_unwanted import CLASSES, FRONT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StaleSite:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("verified")
        patch.chdir(folder)
        site = write_site(folder)
        site.write("posts/third.md", FRONT.format("Third") + CLASSES.format("one", "a"))
        site.build()
    return site


@pytest.fixture
def site(built: StaleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaleSite]:
    monkeypatch.chdir(tmp_path)
    yield copied(built, tmp_path)
    forget_code()


@pytest.fixture
def verify(site: StaleSite) -> Callable[..., tuple[int, list[str]]]:
    """What `build --verify` says; it leaves every file as it is."""

    def run(count: str, *more: str) -> tuple[int, list[str]]:
        before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
        forget_code()
        done = CliRunner().invoke(cli.main, ["build", "--verify", count, "--store", "store", *more])
        assert {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()} == before
        return done.exit_code, done.stdout.splitlines()

    return run


def tampered(site: StaleSite, figure: str, change: Callable[[Artifact], Artifact]) -> None:
    forget_code()
    key = job_called(make_plan(site.content, site.store, Quiet()), figure).key
    kept = site.store.get(key)
    assert kept is not None
    site.store.put(key, change(kept))


def test_figures_that_are_what_was_kept_are_equal(verify: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = verify("all")

    assert code == 0
    assert [line.split()[0] for line in lines[:-1]] == ["equal"] * 11  # of twelve figures two are alike
    assert re.fullmatch(
        r"11 of 11 kept figures computed again \(seed \d+\): all are what was kept, to the bit", lines[-1]
    )


def test_the_same_seed_chooses_the_same_figures(verify: Callable[..., tuple[int, list[str]]]) -> None:
    first, again = verify("3", "--verify-seed", "5"), verify("3", "--verify-seed", "5")

    assert first == again
    assert len(first[1]) == 4
    assert first[1][-1].startswith("3 of 11 kept figures computed again (seed 5): ")


def test_a_figure_that_differs_is_told_with_how_much(
    site: StaleSite, verify: Callable[..., tuple[int, list[str]]]
) -> None:
    def change(kept: Artifact) -> Artifact:
        name = next(name for name, array in kept.arrays.items() if array.dtype == np.uint8)
        array = kept.arrays[name].copy()
        array.flat[0] ^= 4
        return replace(kept, arrays={**kept.arrays, name: array})

    tampered(site, "filters", change)
    code, lines = verify("all")

    assert code == 1
    assert "differs  posts/second.md#filters" in lines
    told = lines[lines.index("posts/second.md#filters:") + 1]
    assert re.fullmatch(r"  array \S+: 1 of \d+ values, by at most 4", told)
    assert lines[-1].endswith(": 1 differ")


def test_what_several_figures_share_is_made_again_too(
    site: StaleSite, verify: Callable[..., tuple[int, list[str]]]
) -> None:
    """The record of natural images that the class image is held against."""
    (key,) = [
        path.stem
        for path in site.store.folder.glob("*/*.npz")
        if site.store.provenance(path.stem).get("ingredients", {}).get("what") == "natural"
    ]
    kept = site.store.get(key)
    assert kept is not None
    site.store.put(key, replace(kept, arrays={**kept.arrays, "means": kept.arrays["means"] + 1}))
    code, lines = verify("all")

    assert code == 1
    assert any(re.fullmatch(rf"natural {key[:7]}:", line) for line in lines)


def test_threads_of_another_number_are_told_beside_a_difference(
    site: StaleSite, verify: Callable[..., tuple[int, list[str]]]
) -> None:
    def change(kept: Artifact) -> Artifact:
        measures = {name: value + 0.5 for name, value in kept.measures.items()}
        return replace(kept, measures=measures, provenance={**kept.provenance, "threads": 99})

    tampered(site, "written", change)
    _, lines = verify("all")
    at = lines.index("posts/first.md#written:")

    assert re.fullmatch(r"  measures: 2 numbers, by at most 0\.5 \(\w+\)", lines[at + 1])
    assert re.fullmatch(r"  it was computed with 99 threads, and now with \d+", lines[at + 2])


@pytest.mark.parametrize("count", ["0", "-1", "some", "1.5"])
def test_a_count_that_is_none_is_told(site: StaleSite, count: str) -> None:
    done = CliRunner().invoke(cli.main, ["build", f"--verify={count}", "--store", "store"])

    assert done.exit_code == 2
    assert f"give a number from 1, or all, not {count!r}" in done.stderr


ONE = Artifact({"a": np.array([1.0, np.nan]), "b": np.array([1, 2])}, {"x": [1, 2.5], "y": "word"}, {"m": 1.0})


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (ONE, []),
        (replace(ONE, provenance={"seconds": 3}), []),
        (replace(ONE, arrays={**ONE.arrays, "a": np.array([1.25, np.nan])}), ["array a: 1 of 2 values, by at most 0.25"]),
        (replace(ONE, arrays={**ONE.arrays, "b": np.array([1, 2], dtype=np.int32)}), ["array b: int64 (2,) kept, int32 (2,) computed"]),
        (replace(ONE, arrays={"a": ONE.arrays["a"]}), ["array b: only in what was kept"]),
        (replace(ONE, data={"x": [1, 2.75], "y": "word"}), ["data: 1 numbers, by at most 0.25 (x.1)"]),
        (replace(ONE, data={"x": [1, 2.5], "y": "other"}), ["data: y: word kept, other computed"]),
        (replace(ONE, measures={"m": 1.0 + 2**-52}), ["measures: 1 numbers, by at most 2.22e-16 (m)"]),
        (replace(ONE, intervals={"m": (0.0, 1.0)}), ["intervals: m: none kept, [0.0, 1.0] computed"]),
    ],
)  # fmt: skip
def test_differences_are_told_in_words(other: Artifact, told: list[str]) -> None:
    assert list(differs(ONE, other)) == told
