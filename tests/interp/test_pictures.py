import numpy as np
import pytest
import torch

from generator.interp.pictures import fit, from_pixels, opacity, to_pixels


def test_pixels_survive_the_way_to_the_network_and_back():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)

    assert np.array_equal(to_pixels(from_pixels(pixels)), pixels)


def test_grey_becomes_three_equal_channels_and_colour_becomes_its_mean():
    assert to_pixels(torch.full((1, 1, 2, 2), 0.2)).tolist() == [[[[51] * 3] * 2] * 2]
    assert torch.allclose(from_pixels(np.array([[[[0, 51, 204]]]], dtype=np.uint8), channels=1), torch.tensor(1 / 3))


def test_a_value_is_rounded_to_the_nearest_of_256():
    assert to_pixels(torch.tensor([[[[0.499 / 255, 0.501 / 255, 7.0]]]]))[0, 0, :, 0].tolist() == [0, 1, 255]


def test_a_pixel_is_opaque_from_the_eightieth_percentile_of_the_slopes_on():
    slopes = torch.arange(11.0).view(1, 1, 11)

    found = opacity(torch.cat([slopes, 100 * slopes, 0 * slopes]))

    assert found[0, 0].tolist() == pytest.approx([0, 1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8, 1, 1, 1])
    torch.testing.assert_close(found[1], found[0])
    assert not found[2].any()


def test_an_image_is_fitted_by_its_longer_side_and_never_enlarged():
    image = torch.rand(1, 3, 30, 60)

    assert fit(image, 20).shape == (1, 3, 10, 20)
    assert fit(image, 61) is image
