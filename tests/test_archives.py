"""Folders and zips that somebody else made: nothing beside them is read, and nothing grows beyond its bound."""

import io
import os
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from generator import archives
from generator.archives import readers
from generator.spec import BuildError


def packed(folder: Path, members: dict[str, bytes] | None = None) -> Path:
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (members or {"test/a/1.png": b"one" * 100}).items():
            archive.writestr(name, content)
    return path


def all_read(path: Path) -> dict[str, bytes]:
    with readers(path) as found:
        return {name: read() for name, read in found.items()}


def test_a_folder_and_its_zip_are_read_alike(tmp_path: Path) -> None:
    members = {"test/a/1.png": b"one", "test/b/2.png": b"", "notes.txt": b"n"}
    for name, content in members.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)

    assert all_read(tmp_path / "folder") == all_read(packed(tmp_path, members)) == members


def as_link(member: zipfile.ZipInfo) -> None:
    member.external_attr = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize("name", ["../e.png", "/e.png", "a/../../e.png", "C:\\e.png", "..\\e.png", "/"])
def test_a_name_that_leads_out_of_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BuildError, match="outside the archive; it is refused"):
        all_read(packed(tmp_path, {name: b"x"}))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("test/a/1.png")
        as_link(member)
        archive.writestr(member, "/etc/passwd")

    with pytest.raises(BuildError, match="which is a link"):
        all_read(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("test/a/1.png", b"another")

    with pytest.raises(BuildError, match="as another is"):
        all_read(path)


def edited(path: Path, edit: Callable[[bytearray, int], None]) -> Path:
    """The zip with the record of its first member in the list at its end changed; `edit` gets where that begins."""
    content = bytearray(path.read_bytes())
    edit(content, content.index(b"PK\1\2"))
    path.write_bytes(content)
    return path


def test_a_member_with_a_password_is_refused(tmp_path: Path) -> None:
    def encrypt(content: bytearray, at: int) -> None:
        content[at + 8] |= 1

    with pytest.raises(BuildError, match="which has a password"):
        all_read(edited(packed(tmp_path), encrypt))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_packed_otherwise_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("test/a/1.png", bytes(1000))

    with pytest.raises(BuildError, match=f"packed by method {method}, neither stored nor deflated"):
        all_read(path)


def test_a_member_that_claims_more_than_any_image_has_is_refused(tmp_path: Path) -> None:
    def claim(content: bytearray, at: int) -> None:
        content[at + 24 : at + 28] = struct.pack("<I", 4_000_000_000)

    with pytest.raises(BuildError, match="of 4,000,000,000 bytes, where at most 100,000,000 are read"):
        all_read(edited(packed(tmp_path), claim))


def test_a_member_that_claims_less_than_it_holds_takes_no_more_memory_than_it_claims(tmp_path: Path) -> None:
    path = packed(tmp_path, {"test/a/1.png": bytes(200_000_000)})

    def claim(content: bytearray, at: int) -> None:
        content[at + 24 : at + 28] = struct.pack("<I", 10)

    edited(path, claim)
    tracemalloc.start()
    with pytest.raises(zipfile.BadZipFile, match="CRC"):
        all_read(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < 5_000_000


def test_members_that_lie_upon_each_other_are_refused(tmp_path: Path) -> None:
    """As in the bomb of Fifield, 2019: all names share the same packed bytes."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(bytes(1_000_000)) + compressor.flush()
    local = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(bytes(1_000_000)), len(data), 10**6, 1, 0
    )
    central = io.BytesIO()
    for number in range(50):
        name = f"test/a/{number}.png".encode()
        central.write(
            struct.pack(
                "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, zlib.crc32(bytes(1_000_000)), len(data), 10**6,
                len(name), 0, 0, 0, 0, 0, 0,
            ) + name
        )  # fmt: skip
    body = local + b"x" + data
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 50, 50, central.tell(), len(body), 0)
    path = tmp_path / "images.zip"
    path.write_bytes(body + central.getvalue() + end)

    with pytest.raises(BuildError, match="lie upon each other"):
        all_read(path)


def test_a_zip_of_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)

    with pytest.raises(BuildError, match="has 3 members; at most 2 are read"):
        all_read(packed(tmp_path, {f"test/a/{number}.png": b"" for number in range(3)}))


def test_a_zip_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = packed(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(BuildError, match="cannot be read as a zip"):
        all_read(path)


def test_a_link_out_of_a_folder_is_refused_and_one_within_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "test" / "a"
    folder.mkdir(parents=True)
    (folder / "1.png").write_bytes(b"one")
    (folder / "2.png").symlink_to("1.png")
    (tmp_path / "linked").symlink_to("images")
    within = all_read(tmp_path / "images"), all_read(tmp_path / "linked")

    (folder / "3.png").symlink_to("/etc/passwd")

    assert within == ({"test/a/1.png": b"one", "test/a/2.png": b"one"},) * 2
    with pytest.raises(BuildError, match=r"3\.png is a link out of .*images; it is refused"):
        all_read(tmp_path / "images")


def test_a_linked_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "test").symlink_to("/usr")

    with pytest.raises(BuildError, match=r"images/test is a link out of"):
        all_read(tmp_path / "images")


@pytest.mark.timeout(20)
def test_a_pipe_in_a_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    os.mkfifo(tmp_path / "images" / "pipe.png")

    assert all_read(tmp_path / "images") == {}


def test_a_file_larger_than_any_image_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 9)
    (tmp_path / "large.png").write_bytes(bytes(10))

    with pytest.raises(BuildError, match="has over 9 bytes; at most 9 are read"):
        all_read(tmp_path)
