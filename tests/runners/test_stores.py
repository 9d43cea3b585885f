"""A store that machines share: a bucket of a server that speaks S3, which may fail now and then."""

from __future__ import annotations

import numpy as np
import pytest
import s3fs

from generator import stores
from generator.artifact import Artifact, Borrowed
from generator.runners import Crew
from generator.spec import BuildError
from generator.stores import SharedStore, store_at
from tests.conftest import SmallSite
from tests.runners.conftest import Bucket
from tests.runners.sites import built, of_each_kind, pages

ADDRESS = "s3://figures/report"
ONE = Artifact({"a": np.arange(6.0).reshape(2, 3)}, {"b": 1}, {"c": 2.0}, {"ingredients": {"d": 3}})


def test_what_is_put_into_a_bucket_is_got_back(bucket: Bucket) -> None:
    store = store_at(ADDRESS)
    before = (store.has("ab1"), store.get("ab1"), store.mark("ab1"))
    store.put("ab1", ONE)
    found = store_at(ADDRESS).get("ab1")

    assert before == (False, None, "")
    assert found is not None
    assert np.array_equal(found.arrays["a"], ONE.arrays["a"])
    assert (found.data, found.measures) == (ONE.data, ONE.measures)
    assert store.provenance("ab1") == {"ingredients": {"d": 3}}
    assert store.mark("ab1") == store_at(ADDRESS).mark("ab1") != ""
    store.drop("ab1")
    assert store.get("ab1") is None


def test_damage_in_a_bucket_is_computed_again(bucket: Bucket) -> None:
    store = store_at(ADDRESS)
    store.keep("ab1", b"not an artifact")

    assert store.get("ab1") is None


@pytest.fixture
def impatient(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A server that is asked by others than us once only."""
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    return bucket


def test_a_server_that_fails_now_and_then_is_asked_again(impatient: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PAUSES", (0.0,) * 8)
    store = store_at(ADDRESS)
    impatient.failing = 0.3
    for number in range(20):
        store.put(f"ab{number}", ONE)
        assert store.get(f"ab{number}") is not None

    assert impatient.failed > 5


def test_a_server_that_is_gone_is_told_and_nothing_is_taken_for_absent(
    impatient: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "PAUSES", ())
    store = store_at(ADDRESS)
    impatient.failing = 1.0

    with pytest.raises(BuildError, match="store s3://figures/report: "):
        store.get("ab1")
    with pytest.raises(BuildError, match="store s3://figures/report: "):
        store.has("ab1")


def test_an_address_that_nothing_reads_is_told() -> None:
    with pytest.raises(BuildError, match="--store nowhere://x: "):
        SharedStore("nowhere://x").has("ab1")


def test_a_report_is_built_from_a_bucket_as_from_a_folder(bucket: Bucket, small_site: SmallSite) -> None:
    of_each_kind(small_site)
    built(small_site, Crew(threads=1))
    before = pages(small_site)
    for path in small_site.store.folder.glob("??/*.npz"):  # how this machine runs a network fastest is measured once
        if "machine" in small_site.store.provenance(path.stem).get("ingredients", {}):
            store_at(ADDRESS).keep(path.stem, path.read_bytes())
    first = built(small_site, Crew("local", workers=2, threads=1), ADDRESS)
    again = built(small_site, Crew(threads=1), ADDRESS)

    assert first.computed > 0
    assert again.computed == 0
    assert pages(small_site) == before


def test_a_bucket_says_its_layout_and_one_of_another_is_told_and_left_as_it_is(bucket: Bucket) -> None:
    other = "s3://figures/of-another-layout"
    store = store_at(other)
    store.put("ab1", ONE)
    system, root = SharedStore(other).opened
    said = system.cat_file(f"{root}/layout.json")
    system.pipe_file(f"{root}/layout.json", b'{"layout": 2}')
    before = sum(bucket.puts.values())
    for ask in (store_at(other).get, store_at(other).has):
        with pytest.raises(
            BuildError, match="the store s3://figures/of-another-layout has layout 2, and this Whatfires reads 1"
        ):
            ask("ab1")
    with pytest.raises(BuildError, match="has layout 2"):
        store_at(other).put("ab2", ONE)

    assert said == b'{"layout": 1}\n'
    assert sum(bucket.puts.values()) == before


def test_who_borrows_a_bucket_reads_the_bucket(bucket: Bucket) -> None:
    """As `explain` and `--verify` do."""
    store_at(ADDRESS).put("ab1", ONE)
    borrowed = Borrowed(store_at(ADDRESS))

    assert borrowed.get("ab1") is not None
    assert borrowed.has("ab1")
    assert borrowed.provenance("ab1") == {"ingredients": {"d": 3}}


def test_a_store_that_refuses_is_told_to_be_given_as_a_cache(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise PermissionError("Access Denied")

    store = SharedStore(ADDRESS)
    monkeypatch.setattr(store.opened[0], "pipe_file", refuse)

    with pytest.raises(BuildError, match="Access Denied; where you may only read, give it as --cache"):
        store.put("ab1", ONE)
