import errno
import hashlib
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from generator import artifact, files
from generator.artifact import Artifact, ArtifactStore, Borrowed, Measures, digest, packed, together
from generator.files import HOUR, file_digest, matching, write_whole
from generator.folders import WRITING
from generator.sealing import SEAL, sealed_zip
from generator.spec import BuildError, DiskFull
from tests.conftest import ROOT


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


ARTIFACT = Artifact(
    {"picture": np.arange(12, dtype=np.uint8).reshape(2, 2, 3)},
    {"text": "<é>"},
    {"a.b": 0.5},
    {"seconds": 1.0},
    {"a.b": (0.25, 1)},
)


def test_an_artifact_comes_back_as_it_was_put(store: ArtifactStore) -> None:
    store.put("ab12", ARTIFACT)
    back = store.get("ab12")

    assert back is not None
    np.testing.assert_array_equal(back.arrays["picture"], ARTIFACT.arrays["picture"])
    assert (back.data, back.measures, back.provenance) == (ARTIFACT.data, ARTIFACT.measures, ARTIFACT.provenance)
    assert back.intervals == {"a.b": (0.25, 1)}


def test_an_artifact_lies_where_this_layout_says(tmp_path: Path) -> None:
    """Another place needs another number in `store_layout`: a store of today would look empty."""
    ArtifactStore(tmp_path).put("ab12", ARTIFACT)

    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npz")] == ["ab/ab12.npz"]


def test_there_is_no_artifact_that_was_not_put(store: ArtifactStore) -> None:
    assert store.get("ab12") is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_artifact_counts_as_absent(store: ArtifactStore, share: float) -> None:
    store.put("ab12", ARTIFACT)
    path = store.path("ab12")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    assert store.get("ab12") is None


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_a_flipped_bit_is_found_wherever_it_is(tmp_path: Path, bit: int) -> None:
    told: list[str] = []
    ArtifactStore(tmp_path).put("ab12", ARTIFACT)
    path = ArtifactStore(tmp_path).path("ab12")
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << bit
        path.write_bytes(damaged)
        assert ArtifactStore(tmp_path, told.append).get("ab12") is None

    assert told == ["store: the artifact ab12 was damaged; computed again"] * len(content)


def test_damage_is_told_once_and_as_it_is_called(tmp_path: Path) -> None:
    told: list[str] = []
    store = ArtifactStore(tmp_path, told.append)
    store.put("ab12", ARTIFACT)
    store.path("ab12").write_bytes(b"damaged")
    for _ in range(2):
        store.get("ab12", "the artifact of figure one")

    assert told == ["store: the artifact of figure one was damaged; computed again"]
    assert store.whole("ab12") is False
    (tmp_path / "01" / f"{'01' * 32}.npz").parent.mkdir()
    (tmp_path / "01" / f"{'01' * 32}.npz").write_bytes(b"damaged")
    store.get("01" * 32)
    assert told[1:] == ["store: the artifact 0101010 was damaged; computed again"]


def test_an_artifact_from_before_there_were_seals_is_read(store: ArtifactStore) -> None:
    store.put("ab12", ARTIFACT)
    content = store.path("ab12").read_bytes()[:-SEAL]
    store.path("ab12").write_bytes(content[:-2] + bytes(2))
    back = store.get("ab12")

    assert back is not None
    assert back.data == ARTIFACT.data


def test_equal_artifacts_are_equal_bytes_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip has no years before 1980, which a machine without a battery starts in."""
    found = set()
    for year in (1970, 2026, 2106):
        monkeypatch.setattr("time.time", lambda year=year: (year - 1970) * 365.25 * 86400)
        found.add(packed(ARTIFACT))

    assert len(found) == 1


def test_too_little_memory_is_not_taken_for_damage(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("ab12", ARTIFACT)

    def none_left(*given: object, **more: object) -> None:
        raise MemoryError

    monkeypatch.setattr("numpy.lib.format.read_array", none_left)
    with pytest.raises(MemoryError):
        store.get("ab12")


@pytest.mark.parametrize("shape", [(65_536, 65_536), (2, 1)])
def test_an_array_that_says_to_be_of_another_size_than_it_is_is_damage(
    store: ArtifactStore, shape: tuple[int, ...]
) -> None:
    """And its memory is not asked for: the first would be of 32 GiB."""
    file, head = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(io.BytesIO(packed(ARTIFACT))) as sound, zipfile.ZipFile(file, "w") as archive:
        for name in sound.namelist():
            archive.writestr(name, sound.read(name))
        archive.writestr("more.npy", head.getvalue() + bytes(8))
    store.path("ab12").parent.mkdir(parents=True)
    store.path("ab12").write_bytes(sealed_zip(file.getvalue()))

    assert store.get("ab12") is None


def test_a_new_store_says_its_layout_and_one_that_says_nothing_is_of_the_first(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.put("ab12", ARTIFACT)
    said = (tmp_path / "layout.json").read_text()
    (tmp_path / "layout.json").unlink()

    assert said == '{"layout": 1}\n'
    assert ArtifactStore(tmp_path).get("ab12") is not None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{"layout": 2}', "has layout 2, and this Whatfires reads 1: it was written by a newer Whatfires; update"),
        ("[" * 100_000, "its layout.json is not"),
        ('{"layout": 1e999}', "its layout.json is not"),
        ('{"layout": 0}', "has layout 0, .* by an older Whatfires; use that one, or give another --store"),
        ('{"lay', "give another --store"),
    ],
)
def test_a_store_of_another_layout_is_told_and_left_as_it_is(tmp_path: Path, said: str, told: str) -> None:
    (tmp_path / "layout.json").write_text(said)
    with pytest.raises(BuildError, match=told):
        ArtifactStore(tmp_path)

    assert [path.read_text() for path in tmp_path.iterdir()] == [said]


def test_an_artifact_that_holds_a_pickle_counts_as_absent(store: ArtifactStore) -> None:
    store.put("ab12", ARTIFACT)
    content = io.BytesIO()
    np.save(content, np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(store.path("ab12"), "a") as archive:
        archive.writestr("more.npy", content.getvalue())

    assert store.get("ab12") is None


def test_a_file_half_written_is_swept_away_when_it_is_old(store: ArtifactStore) -> None:
    store.put("ab12", ARTIFACT)
    old, young = (store.path("ab12").with_name(f"{WRITING}{name}") for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    os.utime(old, (time.time() - 2 * HOUR,) * 2)
    store.sweep()

    assert [path.exists() for path in (old, young, store.path("ab12"))] == [False, True, True]


def test_a_file_that_another_build_has_just_finished_stops_no_sweep(store: ArtifactStore) -> None:
    store.put("ab12", ARTIFACT)
    store.path("ab12").with_name(f"{WRITING}gone").symlink_to("renamed")  # listed, and not there when it is asked for

    store.sweep()


def test_a_number_that_is_none_is_refused(store: ArtifactStore) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.put("ab12", Artifact(measures={"loss": float("nan")}))

    assert store.get("ab12") is None


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "file", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull, match="the disk .* is full: .*file needs 3 bytes, and .* are free"):
        write_whole(tmp_path / "file", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_digest_does_not_depend_on_the_order_of_keys_and_does_on_values() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


def test_a_store_notes_what_is_needed_inside_and_only_there(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.put("aa" * 32, Artifact())
    with store.noting() as outer:
        store.get("aa" * 32)
        with store.noting() as inner:
            store.put("bb" * 32, Artifact())
            store.put("cc" * 32, Artifact())
            store.drop("cc" * 32)
            store.note("dd" * 32)
        store.get("ee" * 32)
    store.get("bb" * 32)

    assert inner == {"bb" * 32, "dd" * 32}
    assert outer == {"aa" * 32, "bb" * 32, "dd" * 32}


def test_a_borrowed_store_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.put("aa" * 32, Artifact(data={"x": 1}))
    borrowed = Borrowed(store)
    borrowed.put("aa" * 32, Artifact(data={"x": 2}))
    borrowed.put("bb" * 32, Artifact(data={"x": 3}))
    borrowed.drop("bb" * 32)
    here, there = borrowed.get("aa" * 32), store.get("aa" * 32)

    assert here is not None
    assert there is not None
    assert (here.data, there.data) == ({"x": 2}, {"x": 1})
    assert [borrowed.has(key * 32) for key in ("aa", "bb")] == [True, False]
    assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_the_provenance_of_an_artifact_is_read_without_its_arrays(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    store.put("aa" * 32, Artifact({"large": np.zeros(9)}, provenance={"needs": ["x"]}))
    store.path("bb" * 32).parent.mkdir()
    store.path("bb" * 32).write_bytes(b"damaged")

    assert store.provenance("aa" * 32) == {"needs": ["x"]}
    assert store.provenance("bb" * 32) == store.provenance("cc" * 32) == {}


@pytest.mark.parametrize(
    "meta",
    [
        '{"data": 3, "measures": {}, "provenance": {}}',
        '{"data": {}, "measures": {"auc": "high"}, "provenance": {}}',
        '{"data": {}, "measures": [1], "provenance": {}}',
        '{"data": {}, "measures": {}, "provenance": {}, "intervals": {"auc": ["low", 1]}}',
        "[" * 100_000,
    ],
    ids=["data", "measure", "measures", "interval", "deep"],
)
def test_an_artifact_of_another_program_counts_as_absent(store: ArtifactStore, meta: str) -> None:
    store.path("ab12").parent.mkdir()
    with zipfile.ZipFile(store.path("ab12"), "w") as archive:
        archive.writestr("artifact.json", meta)

    assert store.get("ab12") is None


@pytest.mark.parametrize("content", [b"PK\x05\x06" + bytes(18), b"\x80\x04N."], ids=["zip", "pickle"])
def test_what_is_no_array_is_not_read_as_one(store: ArtifactStore, content: bytes) -> None:
    store.put("ab12", ARTIFACT)
    with zipfile.ZipFile(store.path("ab12"), "a") as archive:
        archive.writestr("more.npy", content)

    assert store.get("ab12") is None


def test_a_small_zip_that_unpacks_to_gigabytes_counts_as_absent(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("ab12", Artifact({"zeros": np.zeros(2**20, np.uint8)}))
    assert store.get("ab12") is not None

    monkeypatch.setattr(artifact, "MOST_UNPACKED", 2**19)
    assert store.get("ab12") is None


def test_of_two_who_put_an_artifact_first_both_have_that_of_the_first(tmp_path: Path) -> None:
    one, other = ArtifactStore(tmp_path), ArtifactStore(tmp_path)
    with one.noting() as needed:
        first = one.put_first("ab12", Artifact(data={"of": "one"}))
    second = other.put_first("ab12", Artifact(data={"of": "other"}))

    assert (first.data, second.data) == ({"of": "one"}, {"of": "one"})
    assert (needed, one.added, other.added) == ({"ab12"}, {"ab12"}, set())
    assert [path.name for path in one.path("ab12").parent.iterdir()] == ["ab12.npz"]


def test_who_puts_an_artifact_where_one_is_damaged_is_the_first(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path, [].append)
    store.put("ab12", ARTIFACT)
    store.path("ab12").write_bytes(b"damaged")
    first = store.put_first("ab12", Artifact(data={"of": "one"}))
    kept = store.get("ab12")

    assert kept is not None
    assert first.data == kept.data == {"of": "one"}


def test_on_a_disk_without_links_the_last_is_the_first(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr("os.link", refuse)
    found = [store.put_first("ab12", Artifact(data={"number": number})).data for number in (1, 2)]
    kept = store.get("ab12")

    assert kept is not None
    assert (found, kept.data) == ([{"number": 1}, {"number": 2}], {"number": 2})
    assert [path.name for path in store.path("ab12").parent.iterdir()] == ["ab12.npz"]


def test_an_artifact_is_read_at_most_once_to_see_that_it_is_whole(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("ab12", ARTIFACT)
    other, reads = ArtifactStore(store.folder), []
    content = other.content
    monkeypatch.setattr(other, "content", lambda key: (reads.append(key), content(key))[1])

    assert [other.whole("ab12"), other.whole("ab12"), other.whole("cd34")] == [True, True, False]
    assert reads == ["ab12", "cd34"]
    other.path("ab12").unlink()
    assert not other.whole("ab12")


def test_what_is_put_into_a_borrowed_store_first_stays_there(tmp_path: Path) -> None:
    borrowed = Borrowed(ArtifactStore(tmp_path))
    found = [borrowed.put_first("ab12", Artifact(data={"number": number})).data for number in (1, 2)]
    borrowed.put("cd34", Artifact(provenance={"needs": ["x"]}))
    borrowed.sweep()

    assert found == [{"number": 1}, {"number": 1}]
    assert (borrowed.provenance("cd34"), borrowed.provenance("ef56")) == ({"needs": ["x"]}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, files.SMALL - 1, files.SMALL, 2 * files.SMALL + 1])
def test_a_file_has_the_digest_of_its_bytes_however_many(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "file").write_bytes(content[:size])

    assert file_digest(tmp_path / "file") == hashlib.sha256(content[:size]).hexdigest()


def test_files_are_found_by_patterns_from_a_folder_or_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "deep" / "folder.txt").mkdir(parents=True)
    for name in ("b.txt", "a.txt", "a.md", "deep/c.txt"):
        (tmp_path / name).touch()

    assert matching(tmp_path, "**/*.txt") == [tmp_path / name for name in ("a.txt", "b.txt", "deep/c.txt")]
    assert matching(tmp_path / "deep", f"{tmp_path}/?.txt") == [tmp_path / "a.txt", tmp_path / "b.txt"]


def test_what_lasts_is_on_the_disk_before_it_has_its_name_and_all_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    monkeypatch.setattr("os.fsync", lambda handle: synced.append((tmp_path / "deep" / "file").exists()))
    write_whole(tmp_path / "deep" / "file", b"old", lasting=False)
    assert synced == []

    (tmp_path / "deep" / "file").unlink()
    write_whole(tmp_path / "deep" / "file", b"new")
    assert synced == [False]
    assert (tmp_path / "deep" / "file").stat().st_mode & 0o777 == 0o644


def test_measures_of_a_course_are_those_of_the_newest_and_of_each_by_its_step() -> None:
    course = [
        (None, Measures({"auc": 0.1})),
        (100, Measures({"auc": 0.2}, {"auc": (0.1, 0.3)})),
        (200, Measures(failure="it raised")),
        (300, Measures({"auc": 0.4}, {"auc": (0.3, 0.5)})),
    ]
    found = together(course)

    assert found.values == {"auc": 0.4, "auc@100": 0.2, "auc@300": 0.4}
    assert found.intervals == {"auc": (0.3, 0.5), "auc@100": (0.1, 0.3), "auc@300": (0.3, 0.5)}
    assert (found.failure, found.left_out) == ("", {"200": "it raised"})
    assert together(course[:3]).failure == "it raised"


WRITER = """
import sys
from pathlib import Path
import numpy as np
from generator.artifact import Artifact, ArtifactStore

store, number, told = ArtifactStore(Path(sys.argv[1])), int(sys.argv[2]), []
store.tell = told.append
for turn in range(150):
    store.put("ab12", Artifact({"a": np.full(2000 + 500 * number, number)}, {"number": number}))
    found = store.get("ab12")
    assert found is not None and (found.arrays["a"] == found.data["number"]).all() and not told
"""


def test_of_many_writers_each_reader_sees_the_whole_of_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([*command, str(number)], env=environment) for number in range(4)]

    assert [one.wait() for one in writers] == [0] * 4
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["ab12.npz", "layout.json"]
