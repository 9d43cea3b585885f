import re

import numpy as np
import pytest
import torch

from generator.interp.heatmaps import COLOURS, central_share, coloured, drawn, peak
from tests.conftest import ROOT


def test_the_colours_are_the_themes_in_the_light():
    css = (ROOT / "templates" / "figures.css").read_text()
    found = re.findall(r"^  --level-\d+: (?:light-dark\()?#([0-9a-f]{6})", css, re.MULTILINE)

    assert list(COLOURS) == found


def test_low_is_blue_zero_light_and_high_red():
    low, zero, high = (coloured(torch.tensor([-3.0, 0.0, 3.0])) * 255).round().int().tolist()

    assert bytes(low).hex() == COLOURS[0]
    assert bytes(zero).hex() == COLOURS[10]
    assert bytes(high).hex() == COLOURS[20]


def test_between_two_levels_the_colour_is_between_theirs():
    expected = (coloured(torch.tensor(0.1)) + coloured(torch.tensor(0.2))) / 2

    torch.testing.assert_close(coloured(torch.tensor(0.15)), expected)


def test_a_picture_has_the_images_size_and_shows_the_image_where_the_map_is_zero():
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, 3:] = 255

    picture = drawn(pixels, torch.tensor([[0.0, 0.0, 2.0]]), full=2.0, smooth=False)

    assert picture.shape == (4, 6, 3)
    assert bytes(picture[0, 3].tolist()).hex() == COLOURS[10], "white stays the colour of zero"
    assert 100 < picture[0, 0].max() < picture[0, 3].max(), "black becomes a shade"
    assert bytes(picture[0, 5].tolist()).hex() == COLOURS[20]


def test_a_smooth_map_is_interpolated_and_a_plain_one_has_blocks():
    white, step = np.full((2, 8, 3), 255, np.uint8), torch.tensor([[0.0, 1.0]])
    smooth, plain = (drawn(white, step, 1.0, smooth)[0, :, 1].tolist() for smooth in (True, False))

    assert len(set(plain)) == 2
    assert len(set(smooth)) > 4
    assert smooth == sorted(smooth, reverse=True)


def test_an_empty_map_is_drawn_as_nothing_but_the_image():
    white = np.full((2, 2, 3), 255, np.uint8)

    assert {bytes(one.tolist()).hex() for one in drawn(white, torch.zeros(2, 2), 0.0, True).reshape(-1, 3)} == {
        COLOURS[10]
    }


def test_the_peak_is_told_from_the_left_and_the_top():
    values = torch.zeros(4, 10)
    values[1, 8] = 1

    assert peak(values) == (85, 38)  # 8.5 of 10, 1.5 of 4


@pytest.mark.parametrize("shape", [(4, 4), (7, 5), (1, 3), (224, 224)])
def test_the_middle_quarter_of_an_even_map_has_a_quarter(shape):
    assert central_share(torch.ones(shape)) == pytest.approx(0.25)


def test_only_what_is_positive_has_a_share():
    values = -torch.ones(4, 4)
    values[1, 1], values[0, 0] = 1.0, 3.0

    assert central_share(values) == 0.25
    assert central_share(-torch.ones(4, 4)) == 0
