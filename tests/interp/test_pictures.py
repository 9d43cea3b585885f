import numpy as np
import torch

from generator.interp.pictures import fit, from_pixels, to_pixels


def test_pixels_survive_the_way_to_the_network_and_back():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)

    assert np.array_equal(to_pixels(from_pixels(pixels)), pixels)


def test_grey_becomes_three_equal_channels_and_colour_becomes_its_mean():
    assert to_pixels(torch.full((1, 1, 2, 2), 0.2)).tolist() == [[[[51] * 3] * 2] * 2]
    assert torch.allclose(from_pixels(np.array([[[[0, 51, 204]]]], dtype=np.uint8), channels=1), torch.tensor(1 / 3))


def test_a_value_is_rounded_to_the_nearest_of_256():
    assert to_pixels(torch.tensor([[[[0.499 / 255, 0.501 / 255, 7.0]]]]))[0, 0, :, 0].tolist() == [0, 1, 255]


def test_an_image_is_fitted_by_its_longer_side_and_never_enlarged():
    image = torch.rand(1, 3, 30, 60)

    assert fit(image, 20).shape == (1, 3, 10, 20)
    assert fit(image, 61) is image
