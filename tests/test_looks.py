"""Which checkpoints are whole, however slowly, often or badly they are written."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from generator import looks
from generator.looks import PATIENCE, Looks, holds_together, lacking


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def look(clock: Clock) -> Callable[..., Looks]:
    """Looks at all files of a folder, half a second after the last time."""
    looks = Looks(clock)

    def once(folder: Path, times: int = 1) -> Looks:
        for _ in range(times):
            clock.now += 0.5
            looks.look([], [path for path in folder.iterdir() if path.suffix != ".json"])
        return looks

    return once


def weights(seed: int = 0) -> bytes:
    torch.manual_seed(seed)
    return save({"a": torch.rand(30), "b": torch.rand(4, 5)})


def pickled(seed: int = 0, zipped: bool = True) -> bytes:
    torch.manual_seed(seed)
    buffer = io.BytesIO()
    torch.save({"a": torch.rand(30)}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


@pytest.mark.parametrize(("content", "suffix"), [(weights(), ".safetensors"), (pickled(), ".pt"), (pickled(), ".pth")])
def test_no_part_of_a_checkpoint_is_whole_but_all_of_it_is(content: bytes, suffix: str) -> None:
    parts = [lacking(io.BytesIO(content[:length]), suffix) for length in range(len(content))]

    assert all(parts)
    assert lacking(io.BytesIO(content), suffix) == ""


def test_what_a_checkpoint_lacks_is_told_in_bytes() -> None:
    content = weights()

    assert lacking(io.BytesIO(content[:-50]), ".safetensors") == f"it holds {len(content) - 50} of {len(content)} bytes"


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"\x02" + b"\0" * 7 + b"{}", b"\x04" + b"\0" * 7 + b"null", b"\xff" * 50]
)
def test_a_file_that_only_looks_like_safetensors_is_never_an_exception(content: bytes) -> None:
    lacking(io.BytesIO(content), ".safetensors")


def test_a_checkpoint_is_whole_when_it_is_the_same_at_two_looks(tmp_path: Path, look: Callable[..., Looks]) -> None:
    path = tmp_path / "step-1.safetensors"
    path.write_bytes(weights())

    seen = [look(tmp_path).sight().sees(path) for _ in range(3)]

    assert seen == [False, False, True]
    assert look(tmp_path).sight().digest(path) == hashlib.sha256(weights()).hexdigest()


def test_a_checkpoint_that_is_written_slowly_is_waited_for(tmp_path: Path, look: Callable[..., Looks]) -> None:
    path, content = tmp_path / "step-1.safetensors", weights()
    for length in range(20, len(content), 20):
        path.write_bytes(content[:length])
        assert not look(tmp_path, 4).sight().held
    path.write_bytes(content)

    assert look(tmp_path, 3).sight().sees(path)


def test_a_checkpoint_that_is_truncated_for_ever_is_never_seen_and_a_later_one_is(
    tmp_path: Path, look: Callable[..., Looks]
) -> None:
    (tmp_path / "step-1.pt").write_bytes(pickled()[:-10])
    look(tmp_path, 30)
    (tmp_path / "step-2.pt").write_bytes(pickled())

    assert set(look(tmp_path, 3).sight().held) == {tmp_path / "step-2.pt"}


def test_a_checkpoint_that_appears_and_vanishes_is_no_error(tmp_path: Path, look: Callable[..., Looks]) -> None:
    path = tmp_path / "step-1.pt"
    path.write_bytes(pickled())
    sight = look(tmp_path, 3).sight()
    path.unlink()

    assert not sight.sees(path)
    assert not look(tmp_path).sight().held
    looks = Looks()
    looks.look([], [path])  # listed before it vanished
    assert not looks.sight().held


def test_a_whole_checkpoint_that_changes_after_the_look_is_not_seen(tmp_path: Path, look: Callable[..., Looks]) -> None:
    path = tmp_path / "last.safetensors"
    path.write_bytes(weights(0))
    sight = look(tmp_path, 3).sight()
    path.write_bytes(weights(1)[:-50])

    assert not sight.sees(path)


def test_of_a_checkpoint_that_was_written_anew_a_copy_is_seen_whatever_becomes_of_the_file(
    tmp_path: Path, look: Callable[..., Looks]
) -> None:
    path = tmp_path / "last.safetensors"
    for seed in range(2):
        path.write_bytes(weights(seed))
        path.with_suffix(".json").write_text(f"card {seed}")
        look(tmp_path, 3)
    path.write_bytes(weights(2)[:40])
    path.with_suffix(".json").write_text("card 2")
    sight = look(tmp_path, 3).sight()

    assert sight.sees(path)
    assert (sight.content(path), sight.card(path)) == (weights(1), b"card 1")
    assert sight.digest(path) == hashlib.sha256(weights(1)).hexdigest()


def test_a_checkpoint_that_never_lies_still_is_seen_after_a_while(
    tmp_path: Path, look: Callable[..., Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "BLINK", 0.0)
    path = tmp_path / "last.safetensors"
    whole = set()
    for seed in range(4 * int(PATIENCE)):
        whole.add(weights(seed))
        path.write_bytes(weights(seed) if seed % 2 else weights(seed)[:-8])  # every other look finds half of it
        sight = look(tmp_path).sight()

    assert sight.sees(path)
    assert sight.content(path) in whole


def test_a_zip_that_is_half_of_one_writing_and_half_of_another_does_not_hold_together() -> None:
    old, new = pickled(0), pickled(1)
    middle = old.index(b"data/0") + 200

    assert len(old) == len(new)
    assert holds_together(new, ".pt")
    assert lacking(io.BytesIO(new[:middle] + old[middle:]), ".pt") == ""
    assert not holds_together(new[:middle] + old[middle:], ".pt")


def test_a_format_that_does_not_tell_its_end_has_to_lie_still(
    tmp_path: Path, look: Callable[..., Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "BLINK", 0.0)
    path = tmp_path / "last.pt"
    for seed in range(4 * int(PATIENCE)):
        path.write_bytes(pickled(seed, zipped=False)[: 100 + seed])
        assert not look(tmp_path).sight().held

    assert look(tmp_path, 3).sight().sees(path)


def test_a_post_counts_as_edited_once_it_lies_still(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.md"
    path.write_text("one")
    looks = Looks(clock)
    looks.look([path], [])
    looks.look([path], [])
    before = looks.state({})
    path.write_text("one and")
    looks.look([path], [])
    under_way = (looks.state(before), looks.unsettled())
    looks.look([path], [])

    assert under_way == (before, True)
    assert looks.state(before).keys() == before.keys()
    assert looks.state(before) != before


def test_a_post_that_is_replaced_is_not_taken_for_gone(tmp_path: Path) -> None:
    """Many editors write another file and rename it; a look may fall between."""
    path = tmp_path / "a.md"
    path.write_text("one")
    looks = Looks()
    looks.look([path], [])
    looks.look([path], [])
    before = looks.state({})
    path.unlink()
    looks.look([], [])
    between = looks.state(before)
    looks.look([], [])

    assert between == before
    assert looks.state(before) == {}
