import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.datasets import image_folder
from generator.spec import BuildError


def png(value=0, width=4, height=3, mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, (width, height), value if mode == "L" else (value,) * 3).save(buffer, "PNG")
    return buffer.getvalue()


FILES = {
    "train/cat/2.png": png(2),
    "train/cat/10.png": png(10),
    "train/ant/1.png": png(1),
    "test/cat/1.png": png(50),
    "README.md": b"not an image",
    "__MACOSX/cat/1.png": b"not an image either",
}


def make(folder: Path, files=FILES, packed=False):
    if packed:
        with zipfile.ZipFile(folder / "images", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        for name, content in files.items():
            (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "images" / name).write_bytes(content)
    return image_folder.Settings(source="image-folder", path="images")


@pytest.mark.parametrize("packed", [False, True])
def test_classes_are_sorted_and_files_come_in_the_order_of_their_numbers(tmp_path, packed):
    images = image_folder.load(make(tmp_path, packed=packed), "train", tmp_path)

    assert images.classes == ("ant", "cat")
    assert images.labels.tolist() == [0, 1, 1]
    assert images.pixels.shape == (3, 3, 4, 3)
    assert images.pixels[:, 0, 0, 0].tolist() == [1, 2, 10]


def test_every_split_has_the_same_classes_even_where_one_has_no_image(tmp_path):
    images = image_folder.load(make(tmp_path), "test", tmp_path)

    assert images.classes == ("ant", "cat")
    assert images.labels.tolist() == [1]


def test_grey_images_stay_grey(tmp_path):
    settings = make(tmp_path, {"test/a/1.png": png(7, mode="L")})

    assert image_folder.load(settings, "test", tmp_path).pixels.shape == (1, 3, 4, 1)


def test_an_unknown_split_names_the_nearest(tmp_path):
    with pytest.raises(BuildError, match="did you mean 'train'"):
        image_folder.load(make(tmp_path), "trian", tmp_path)


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "test/a/../../../evil.png", "C:\\evil.png"])
def test_a_member_whose_name_leaves_the_zip_is_refused(tmp_path, name):
    settings = make(tmp_path, {"test/a/1.png": png(), name: png()}, packed=True)

    with pytest.raises(BuildError, match="outside the archive"):
        image_folder.load(settings, "test", tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_image_is_named_and_skipped(tmp_path, packed):
    files = {"test/a/1.png": png()[:-30], "test/a/2.png": png(2), "test/b/1.png": png(1)}
    images = image_folder.load(make(tmp_path, files, packed=packed), "test", tmp_path)

    assert images.labels.tolist() == [0, 1]
    assert images.pixels[:, 0, 0, 0].tolist() == [2, 1]
    (sentence,) = images.skipped
    assert "test/a/1.png cannot be read" in sentence


def test_where_no_image_can_be_read_the_first_is_named(tmp_path):
    settings = make(tmp_path, {"test/a/1.png": png()[:-30], "test/a/2.png": b""})

    with pytest.raises(BuildError, match=r"test/a/1\.png cannot be read"):
        image_folder.load(settings, "test", tmp_path)


def test_an_image_50000_pixels_wide_is_refused(tmp_path):
    settings = make(tmp_path, {"test/a/1.png": png(width=50_000, height=1)})

    with pytest.raises(BuildError, match="50,000 × 1 pixels; at most 10,000 a side"):
        image_folder.load(settings, "test", tmp_path)


def test_images_of_different_sizes_need_a_size(tmp_path):
    settings = make(tmp_path, {"test/a/1.png": png(), "test/a/2.png": png(width=9)})

    with pytest.raises(BuildError, match=r"2\.png has 9 × 3 pixels.*set `size`"):
        image_folder.load(settings, "test", tmp_path)
    resized = settings.model_copy(update={"size": 5})
    assert image_folder.load(resized, "test", tmp_path).pixels.shape == (2, 5, 5, 3)


def test_a_file_that_is_no_zip_is_named(tmp_path):
    (tmp_path / "images").write_bytes(b"no zip")

    with pytest.raises(BuildError, match="cannot be read as a zip"):
        image_folder.load(image_folder.Settings(source="image-folder", path="images"), "test", tmp_path)


def test_without_any_image_the_layout_is_explained(tmp_path):
    with pytest.raises(BuildError, match="split/class/image"):
        image_folder.load(make(tmp_path, {"1.png": png()}), "test", tmp_path)


def test_absent_data_say_where_they_were_looked_for(tmp_path):
    settings = image_folder.Settings(source="image-folder", path=["one.zip", "two"])

    assert "no one.zip and no two" in image_folder.missing(settings, tmp_path)
    with pytest.raises(BuildError, match=r"no one\.zip"):
        image_folder.load(settings, "test", tmp_path)


def test_the_first_path_that_exists_is_read(tmp_path):
    make(tmp_path)
    settings = image_folder.Settings(source="image-folder", path=["absent", "images"])

    assert image_folder.missing(settings, tmp_path) == ""
    assert len(image_folder.load(settings, "test", tmp_path).labels) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_the_digest_changes_with_a_byte_a_name_and_the_size_and_with_nothing_else(tmp_path, packed):
    def digest(name, files, **more):
        (tmp_path / name).mkdir()
        settings = make(tmp_path / name, files, packed)
        return image_folder.digest(settings.model_copy(update=more), tmp_path / name)

    first = digest("first", {"test/a/1.png": png(1)})
    assert digest("other-byte", {"test/a/1.png": png(2)}) != first
    assert digest("other-name", {"test/b/1.png": png(1)}) != first
    assert digest("other-size", {"test/a/1.png": png(1)}, size=9) != first
    if not packed:  # a zip also keeps the time of its making
        assert digest("same", {"test/a/1.png": png(1)}) == first


SHARED = Path(__file__).parents[3] / "shared" / "data" / "cifar10-jpeg.zip"


@pytest.mark.skipif(not SHARED.exists(), reason="CIFAR-10 is not in ../shared/data")
def test_the_shared_zip_has_ten_classes_in_both_splits():
    from generator.image_files import image_files

    with image_files(SHARED) as files:
        counts = np.unique([f"{one.split}/{one.label}" for one in files], return_counts=True)

    assert len(files) == 60_000
    assert sorted(set(counts[1].tolist())) == [1000, 5000]
