from pathlib import Path

import numpy as np
import pytest

from generator.artifact import Artifact, ArtifactStore, write_whole


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


ARTIFACT = Artifact(
    {"picture": np.arange(12, dtype=np.uint8).reshape(2, 2, 3)}, {"text": "<é>"}, {"a.b": 0.5}, {"seconds": 1.0}
)


def test_an_artifact_comes_back_as_it_was_put(store: ArtifactStore) -> None:
    store.put("ab12", ARTIFACT)
    back = store.get("ab12")

    assert back is not None
    np.testing.assert_array_equal(back.arrays["picture"], ARTIFACT.arrays["picture"])
    assert (back.data, back.measures, back.provenance) == (ARTIFACT.data, ARTIFACT.measures, ARTIFACT.provenance)


def test_there_is_no_artifact_that_was_not_put(store: ArtifactStore) -> None:
    assert store.get("ab12") is None


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied"])
def test_a_damaged_artifact_counts_as_absent(store: ArtifactStore, damage: str) -> None:
    store.put("ab12", ARTIFACT)
    path = store.path("ab12")
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[60] ^= 255  # within the first member's bytes
    path.write_bytes({"truncated": content[:-30], "flipped": content, "emptied": b""}[damage])

    assert store.get("ab12") is None


def test_a_number_that_is_none_is_refused(store: ArtifactStore) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.put("ab12", Artifact(measures={"loss": float("nan")}))

    assert store.get("ab12") is None


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "file", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "file", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"
