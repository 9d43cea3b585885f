"""A flipped bit in a store is found when it is read; what it was in is computed again, the same, and that is said once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.library import Library
from generator.runners import ALONE, Crew
from generator.settings import read_settings
from generator.spec import BuildError
from generator.stores import store_at
from generator.unwanted import unwanted
from tests.conftest import POST, SmallSite
from tests.runners.conftest import Bucket, Cluster
from tests.runners.sites import HEAD, IMAGE, built, pages

QUOTED = "\nIt was right {share} of the time.\n".replace("{share}", "`{value:.2f} tiny-linear.accuracy`")
ADDRESS = "s3://figures/report"
SAID = "store: the artifact of figure written was damaged; computed again\n"
LOCAL = Crew("local", workers=2, threads=1)


@pytest.fixture
def site(small_site: SmallSite) -> SmallSite:
    """Built: a figure of a model that the build trained, and a measure of another, which no figure shows."""
    small_site.post(POST + QUOTED)
    small_site.build()
    return small_site


def flip(site: SmallSite, holding: str) -> Path:
    """Flip a bit in the middle of the one artifact that has data or a measure of this name."""
    found = {path: site.store.get(path.stem) for path in site.store.folder.glob("??/*.npz")}
    (path,) = (path for path, one in found.items() if one and holding in {*one.data, *one.measures})
    path.write_bytes(flipped(path.read_bytes()))
    return path


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("crew", [ALONE, LOCAL], ids=["here", "local"])
def test_a_figure_that_was_damaged_is_computed_again_and_said(
    site: SmallSite, crew: Crew, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where its page stands already: what pages were made of is digested by each build."""
    path = flip(site, "samples")
    capfd.readouterr()
    before = pages(site)
    done = built(site, crew)
    told = capfd.readouterr().err
    again = built(site, crew)

    assert (done.computed, again.computed) == (1, 0)
    assert told == SAID
    assert capfd.readouterr().err == ""
    assert site.store.get(path.stem) is not None
    assert pages(site) == before


@pytest.mark.parametrize("crew", [ALONE, LOCAL], ids=["here", "local"])
def test_weights_that_were_damaged_are_trained_again_and_said_once(
    site: SmallSite, crew: Crew, capfd: pytest.CaptureFixture[str]
) -> None:
    flip(site, "bits")
    site.post(POST.replace("length: 30", "length: 31"))
    capfd.readouterr()

    assert built(site, crew).computed == 1
    assert (
        capfd.readouterr().err
        == "store: what was kept of the training of model tiny-text was damaged; computed again\n"
    )


def test_damage_that_a_worker_meets_is_said_once_by_who_asked(
    small_site: SmallSite, capfd: pytest.CaptureFixture[str]
) -> None:
    """How the machine runs a network fastest is read by workers alone."""
    small_site.post(HEAD + IMAGE.format("one", "tiny-vision", "a"))
    built(small_site, LOCAL)
    keys = [path.stem for path in small_site.store.folder.glob("??/*.npz")]
    (pace,) = (key for key in keys if "machine" in small_site.store.provenance(key).get("ingredients", {}))
    path = small_site.store.path(pace)
    path.write_bytes(flipped(path.read_bytes()))
    small_site.post(HEAD + "".join(IMAGE.format(f"image-{one}", "tiny-vision", one) for one in "bcd"))
    capfd.readouterr()
    built(small_site, LOCAL)

    assert capfd.readouterr().err == (
        "store: what figures share (how the machine runs a network) was damaged; computed again\n"
    )


def test_a_measure_in_the_prose_is_not_lost_with_the_weights_that_it_is_of(
    site: SmallSite, capfd: pytest.CaptureFixture[str]
) -> None:
    before = site.read()
    flip(site, "accuracy")
    capfd.readouterr()
    built(site, ALONE)

    assert "what was kept of the training of model tiny-linear was damaged" in capfd.readouterr().err
    assert site.read() == before


def test_damage_is_not_taken_by_a_cluster_for_what_another_worker_did(
    site: SmallSite, cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    flip(site, "samples")
    capfd.readouterr()

    assert built(site, Crew("dask", threads=1, scheduler=cluster.address)).computed == 1
    assert capfd.readouterr().err == SAID


def test_damage_in_a_bucket_is_found_and_said_when_it_is_read(
    bucket: Bucket, small_site: SmallSite, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of pages that stand, a bucket tells by its own sums that nothing was put there since."""
    built(small_site, ALONE, ADDRESS)
    store = store_at(ADDRESS)
    keys = [path.rpartition("/")[2].removesuffix(".npz") for path in bucket.puts if path.endswith(".npz")]
    (key,) = (key for key in set(keys) if (one := store.get(key)) and "samples" in one.data)
    store.keep(key, flipped(store.content(key)))
    capfd.readouterr()

    assert built(small_site, ALONE, ADDRESS).computed == 1
    assert capfd.readouterr().err == SAID


def test_cleaning_refuses_where_what_a_build_wanted_can_not_be_read(site: SmallSite) -> None:
    (record,) = (site.store.folder / "builds").iterdir()
    written = json.loads(record.read_text())
    written["wants"][0] = written["wants"][1]
    record.write_text(json.dumps(written))
    library = Library(read_settings(site.content, "site.toml"), site.content, site.store)

    with pytest.raises(BuildError, match=f"{record.name} is damaged, so what that build wanted is not known"):
        unwanted(library, 1)
