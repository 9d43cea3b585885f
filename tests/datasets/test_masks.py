"""Data sets of images with masks: what is read, and every mistake that there can be."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from generator.artifact import ArtifactStore
from generator.datasets import image_folder
from generator.library import Library
from generator.settings import Settings as SiteSettings
from generator.spec import BuildError


def png(pixels, mode=None):
    buffer = io.BytesIO()
    image = Image.fromarray(np.array(pixels, dtype=np.uint8))
    if mode == "P":
        image.putpalette([7, 7, 7] * 256)
    (image.convert(mode) if mode and mode != "P" else image).save(buffer, "PNG")
    return buffer.getvalue()


IMAGE = png(np.zeros((4, 6, 3)))
MASK = np.array([[0, 0, 1, 1, 2, 2]] * 4)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "images/test/cat/1.png", IMAGE)
    write(tmp_path, "images/test/cat/2.png", IMAGE)
    write(tmp_path, "masks/test/cat/1.png", png(MASK))
    write(tmp_path, "masks/test/cat/2.png", png(MASK[::-1, ::-1], "P"))
    return tmp_path


def write(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def settings(**more):
    return image_folder.Settings(source="image-folder", path="images", masks="masks", **more)


def test_masks_are_read_by_grey_value_and_by_palette_index(folder):
    images = image_folder.load(settings(concepts=["sky", "tree"]), "test", folder)

    assert images.masks.tolist() == [MASK.tolist(), MASK[::-1, ::-1].tolist()]
    assert images.concepts == ("sky", "tree")
    assert images.names == ("test/cat/1.png", "test/cat/2.png")


def test_concepts_without_names_are_called_by_number(folder):
    assert image_folder.load(settings(), "test", folder).concepts == ("concept 1", "concept 2")


def test_a_mask_is_resized_as_its_image_and_no_value_is_mixed_with_another(folder):
    write(folder, "masks/test/cat/1.png", png(100 * MASK))

    masks = image_folder.load(settings(size=15), "test", folder).masks

    assert masks.shape == (2, 15, 15)
    assert set(np.unique(masks[0])) == {0, 100, 200}
    assert set(np.unique(masks[1])) == {0, 1, 2}


def test_where_masks_lie_does_not_count_in_the_key(folder):
    shutil.copytree(folder / "masks", folder / "elsewhere")
    rows = {name: {"source": "image-folder", "path": "images", "masks": name} for name in ("masks", "elsewhere")}
    library = Library(SiteSettings(title="t", datasets=rows), folder, ArtifactStore(folder / "store"))

    assert library.data_fingerprint("masks") == library.data_fingerprint("elsewhere")


def test_an_image_that_is_damaged_takes_its_mask_with_it(folder):
    write(folder, "images/test/cat/1.png", IMAGE[:30])

    images = image_folder.load(settings(), "test", folder)

    assert len(images.skipped) == 1
    assert images.masks.tolist() == [MASK[::-1, ::-1].tolist()]


def test_a_data_set_without_masks_has_none(folder):
    images = image_folder.load(image_folder.Settings(source="image-folder", path="images"), "test", folder)

    assert images.masks is None
    assert images.concepts == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"image .*images/test/cat/2.png has no mask; it should be .*masks/test/cat/2.png"),
        (png(MASK[:2]), r"mask .*masks/test/cat/2.png has 6 × 2 pixels, its image 6 × 4"),
        (IMAGE, r"mask .*masks/test/cat/2.png is of mode RGB; a mask has a palette or 256 greys"),
        (png(MASK)[:40], r"mask .*masks/test/cat/2.png cannot be read"),
    ],
)
def test_a_mask_that_is_wrong_is_named(folder, content, message):
    if content is None:
        (folder / "masks/test/cat/2.png").unlink()
    else:
        write(folder, "masks/test/cat/2.png", content)

    with pytest.raises(BuildError, match=message):
        image_folder.load(settings(), "test", folder)


def test_a_concept_without_a_name_is_told(folder):
    with pytest.raises(BuildError, match="a mask of split test shows concept 2, but `concepts` names 1"):
        image_folder.load(settings(concepts=["sky"]), "test", folder)


def test_masks_that_are_not_there_make_the_data_set_missing(folder):
    lost = image_folder.Settings(source="image-folder", path="images", masks="nowhere")

    assert "there is no nowhere in" in image_folder.missing(lost, folder)
    assert image_folder.missing(settings(), folder) == ""


def test_a_mask_counts_in_the_digest_of_its_data_set(folder):
    before = image_folder.digest(settings(), folder)
    write(folder, "masks/test/cat/2.png", png(MASK))

    assert image_folder.digest(settings(), folder) != before
