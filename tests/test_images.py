import io

import numpy as np
from PIL import Image

from generator.images import EXACT_BYTES, sprite, webp


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_small_picture_of_plain_shapes_is_kept_exactly() -> None:
    blocks = np.kron(np.random.default_rng(0).integers(0, 256, (8, 8, 3)), np.ones((12, 12, 1))).astype(np.uint8)

    np.testing.assert_array_equal(decoded(webp(blocks)), blocks)


def test_opacity_is_kept() -> None:
    picture = np.full((40, 40, 4), 200, dtype=np.uint8)
    picture[:, 20:, 3] = 0

    np.testing.assert_array_equal(decoded(webp(picture))[..., 3], picture[..., 3])


def test_grain_is_written_small_though_the_picture_is_small() -> None:
    smooth = np.random.default_rng(0).normal(128, 25, (96, 96, 3)).clip(0, 255).astype(np.uint8)
    content = webp(smooth)

    assert len(content) < EXACT_BYTES * 1.5
    assert np.abs(decoded(content).astype(int) - smooth).mean() < 25


def test_a_sprite_holds_its_icons_row_after_row() -> None:
    icons = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    sheet = sprite(icons, 3)

    assert sheet.shape == (8, 18, 3)
    np.testing.assert_array_equal(sheet[:4, 12:18], icons[2])
    np.testing.assert_array_equal(sheet[4:, 6:12], icons[4])
    assert not sheet[4:, 12:].any()
