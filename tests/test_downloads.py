"""What can be taken away of a figure: that it is all there, and the same bytes each time."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator import downloads
from generator.artifact import Artifact
from generator.figures import sample
from tests.conftest import POST, SmallSite

ARTIFACT = Artifact(
    {"picture": np.full((4, 5, 3), 7, np.uint8), "curve": np.linspace(0, 1, 6, dtype=np.float32)},
    {"rows": [{"name": "<ü>", "value": 0.1}]},
    {"auc": 0.1 + 0.2, "count, all": 12},
    {"seconds": 3.5, "device": "cpu", "threads": 2},
    {"auc": (0.25, 0.5)},
)
TEMPLATES = "id: t\nkind: templates\nmodel: tiny-linear\nclasses: ['0', '8']\n"


def test_equal_artifacts_give_equal_bytes_whoever_computed_them_and_for_how_long() -> None:
    other = replace(ARTIFACT, provenance={"seconds": 9.9, "device": "cuda", "threads": 64})

    assert downloads.as_npz(ARTIFACT, drawn=False) == downloads.as_npz(other, drawn=False)
    assert downloads.as_npz(ARTIFACT, drawn=False) != downloads.as_npz(replace(other, measures={}), drawn=False)
    with zipfile.ZipFile(io.BytesIO(downloads.as_npz(ARTIFACT, drawn=True))) as archive:
        assert {(one.date_time, one.create_system) for one in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 3)}


@pytest.mark.parametrize(("drawn", "arrays"), [(False, {"curve"}), (True, {"curve", "picture"})])
def test_numpy_reads_the_arrays_and_beside_them_lie_the_data_and_the_measures(drawn: bool, arrays: set[str]) -> None:
    with np.load(io.BytesIO(downloads.as_npz(ARTIFACT, drawn)), allow_pickle=False) as found:
        assert set(found.files) == arrays | {"data.json", "measures.csv"}
        assert json.loads(found["data.json"]) == ARTIFACT.data
        assert found["measures.csv"] == downloads.as_csv(ARTIFACT)
        np.testing.assert_array_equal(found["curve"], ARTIFACT.arrays["curve"])
        assert found["curve"].dtype == np.float32


def test_a_table_of_measures_has_every_digit_and_the_ends_of_intervals() -> None:
    rows = list(csv.reader(io.StringIO(downloads.as_csv(ARTIFACT).decode())))

    assert rows == [
        ["name", "value", "low", "high"],
        ["auc", "0.30000000000000004", "0.25", "0.5"],
        ["count, all", "12", "", ""],
    ]


def links(page: str) -> dict[str, str]:
    """Where downloads lie, by the names that they are saved under."""
    return {name: url for url, name in re.findall(r'<a href="([^"]+)" download="([^"]+)">', page)}


def test_a_page_offers_the_pictures_and_the_data_of_a_figure_and_of_its_control(quick_site: SmallSite) -> None:
    quick_site.figure(TEMPLATES + "control: random-weights\n")
    quick_site.build()
    offered = links(quick_site.read())
    (figure,) = json.loads(quick_site.read("report.json"))["figures"]
    keys = re.findall(r"<dt>key</dt><dd><code>(\w+)</code>", quick_site.read())

    assert list(offered) == [
        "t-row-000.webp", "t-row-001.webp", "t.npz",
        "t-control-row-000.webp", "t-control-row-001.webp", "t-control.npz",
    ]  # fmt: skip
    assert [offered["t.npz"], offered["t-control.npz"]] == [f"../data/{key}.npz" for key in keys]
    assert {path.removeprefix("../") for path in offered.values()} == set(figure["files"])
    assert all((quick_site.out / path).exists() for path in figure["files"])


def test_a_page_tells_the_command_that_makes_a_figure_again(quick_site: SmallSite) -> None:
    quick_site.build()

    assert "<code>whatfires figure posts/a.html#written --out written.png</code>" in quick_site.read()


def data(site: SmallSite) -> dict[str, bytes]:
    return {name: content for name, content in site.files().items() if name.startswith("data/")}


def test_data_are_written_once_for_two_posts_and_removed_with_the_last_figure_of_their_key(
    small_site: SmallSite,
) -> None:
    small_site.post(POST, "b")
    small_site.build()
    (name,) = data(small_site)
    written = (small_site.out / name).stat().st_mtime_ns
    small_site.post(POST.replace("What it *writes*", "Its words"))
    small_site.build()
    kept = (small_site.out / name).stat().st_mtime_ns
    (small_site.content / "posts" / "b.md").unlink()
    small_site.build()
    still = set(data(small_site))
    small_site.post(POST.replace("length: 30", "length: 31"))
    small_site.build()

    assert kept == written, "a changed caption writes no data"
    assert still == {name}
    assert len(data(small_site)) == 1
    assert set(data(small_site)) != {name}


def test_data_are_those_of_the_page_also_where_an_artifact_came_out_otherwise(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums in another order differ in their last digits, and no key tells the number of threads."""
    small_site.build()
    before = data(small_site)
    compute = sample.compute
    monkeypatch.setattr(sample, "compute", lambda *asked: replace(compute(*asked), measures={"characters": 29.0}))
    (key,) = [Path(name).stem for name in before]
    small_site.store.drop(key)
    small_site.build()

    assert "which has <data" in small_site.read()
    assert ">29<" in small_site.read()
    assert set(data(small_site)) == set(before)
    assert data(small_site) != before
