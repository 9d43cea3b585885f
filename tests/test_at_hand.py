"""Large sites in little memory: what does not fit is read again, and the site is the same."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator.artifact import Artifact, ArtifactStore
from generator.at_hand import AtHand
from generator.spec import BuildError
from generator.spilling import Files
from tests.conftest import SmallSite

ONE = Artifact({"picture": np.arange(48, dtype=np.uint8).reshape(4, 4, 3)}, {"words": [1]}, {"auc": 0.5})


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    found = ArtifactStore(tmp_path)
    for key in ("aa11", "bb22"):
        found.put(key, ONE)
    return found


def test_artifacts_beyond_the_limit_are_read_again(store: ArtifactStore) -> None:
    kept = AtHand(store, most=48)
    kept.add("aa11", ONE)
    kept.add("bb22", ONE)

    assert kept["aa11"] is ONE
    assert kept["bb22"] is not ONE
    np.testing.assert_array_equal(kept["bb22"].arrays["picture"], ONE.arrays["picture"])
    assert (list(kept), len(kept), "bb22" in kept) == (["aa11", "bb22"], 2, True)
    assert kept.accounts["bb22"] == replace(ONE, arrays={}, data={})


def test_an_artifact_that_is_gone_when_it_is_needed_is_told(store: ArtifactStore) -> None:
    kept = AtHand(store, most=0)
    kept.add("aa11", ONE)
    store.remove("aa11")

    with pytest.raises(BuildError, match="aa11 is not in the store .* any more; build again"):
        kept["aa11"]
    with pytest.raises(KeyError):
        kept["cc33"]


def test_files_beyond_the_limit_lie_on_disk_under_no_name() -> None:
    files = Files(most=5)
    files.update({"a": b"1234", "b": b"56", "c": b"7"})
    files["b"] = b"other"

    assert dict(files) == {"a": b"1234", "b": b"other", "c": b"7"}
    assert list(files.near) == ["a", "c"]
    assert not list(Path(tempfile.gettempdir()).glob("whatfires-*"))
    del files["b"], files["a"]
    assert dict(files) == {"c": b"7"}


def test_a_replaced_file_takes_no_other_ones_place() -> None:
    files = Files(most=0)
    files.update({"a": b"1", "b": b"2"})
    files["a"] = b"3"

    assert dict(files) == {"b": b"2", "a": b"3"}


def test_a_site_written_with_no_memory_at_all_is_the_same(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.build()
    before = small_site.files()
    (small_site.out / "posts" / "a.html").unlink()  # so that it is written again
    for kind in (AtHand, Files):
        defaults = kind.__init__.__defaults__ or ()
        monkeypatch.setattr(kind.__init__, "__defaults__", (0,) * len(defaults))
    small_site.build()

    assert small_site.files() == before
