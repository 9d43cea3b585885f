"""Sets of text: their splits do not overlap, and their digests tell of every byte."""

import tracemalloc
from pathlib import Path

import pytest

from generator.datasets import python_stdlib, text

STDLIB = python_stdlib.Settings(source="python-stdlib")


def test_splits_of_the_standard_library_do_not_overlap_and_leave_tests_out() -> None:
    splits = {
        split: {one.name for one in python_stdlib.load(STDLIB, split, Path())}
        for split in ("train", "validation", "test")
    }

    assert all(splits.values())
    assert sum(map(len, splits.values())) == len(set().union(*splits.values()))
    assert not any(name.startswith(("test/", "idlelib/")) for names in splits.values() for name in names)


def test_tests_are_for_training_only_and_move_no_other_file() -> None:
    more = python_stdlib.Settings(source="python-stdlib", tests=True)

    for split in ("validation", "test"):
        assert python_stdlib.load(more, split, Path()) == python_stdlib.load(STDLIB, split, Path())
    few, many = ({one.name for one in python_stdlib.load(one, "train", Path())} for one in (STDLIB, more))
    assert few <= many  # some systems pack the tests apart
    assert all(python_stdlib.TESTS & set(name.split("/")) for name in many - few)
    assert python_stdlib.digest(more, Path()) != python_stdlib.digest(STDLIB, Path())


def test_a_file_stays_in_its_split_wherever_python_lies() -> None:
    assert python_stdlib.split_of("argparse.py") == "test"


def test_a_single_file_is_split_by_position(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("".join(f"{number:09}\n" for number in range(100_000)))
    settings = text.Settings(source="text", path="book.txt")
    parts = [
        "".join(one.text for one in text.load(settings, split, tmp_path)) for split in ("train", "validation", "test")
    ]

    assert "".join(parts) == (tmp_path / "book.txt").read_text()
    assert [len(part) for part in parts] == [800_000, 100_000, 100_000]


def test_parts_are_those_of_the_text_as_it_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters of one to four bytes, line ends of all kinds, and bytes that are no text, at every place of a part."""
    monkeypatch.setattr(text, "PART", 7)
    path = tmp_path / "book.txt"
    path.write_bytes("aé日👩\r\nb\rc\n".encode() * 40 + b"\xff\xe2\x82x" * 9)
    whole = path.read_text("utf-8", errors="replace")

    parts = [one() for one in text.parts(path)]

    assert [one.text for one in parts] == [whole[at : at + 7] for at in range(0, len(whole), 7)]
    assert [one.name for one in parts] == [f"book.txt@{at}" for at in range(0, len(whole), 7)]


def test_a_document_is_read_when_it_is_asked_for_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("a" * 20 * text.PART)
    tracemalloc.start()
    try:
        documents = text.load(text.Settings(source="text", path="book.txt"), "train", tmp_path)
        total = sum(len(one.text) for one in documents)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert total == len(documents) * text.PART == 16 * text.PART
    assert peak < 8 * text.PART
    assert documents[3].name == documents[2:][1].name == f"book.txt@{3 * text.PART}"


def test_a_long_file_among_others_is_cut_and_a_short_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "LONG", 2 * text.PART)
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text("a" * text.PART * (3 if number == 9 else 2))
    settings = text.Settings(source="text", path="*.txt")

    assert [one.name for one in text.load(settings, "test", tmp_path)] == ["9.txt@0", "9.txt@50000", "9.txt@100000"]
    assert [one.name for one in text.load(settings, "validation", tmp_path)] == ["8.txt"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    assert "no file matches nothing.txt" in text.missing(text.Settings(source="text", path="nothing.txt"), tmp_path)


def test_the_digest_tells_of_every_byte(tmp_path: Path) -> None:
    settings = text.Settings(source="text", path="*.txt")
    (tmp_path / "a.txt").write_text("abc")
    before = text.digest(settings, tmp_path)
    (tmp_path / "a.txt").write_text("abd")

    assert text.digest(settings, tmp_path) != before
