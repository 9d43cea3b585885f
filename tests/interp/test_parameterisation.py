import cmath
import math

import pytest
import torch

from generator.interp.parameterisation import (
    COLOUR_CORRELATION,
    Fourier,
    Maco,
    Pixels,
    colour_transform,
    frequencies,
    magnitudes,
)


def literal_inverse(spectrum, height, width):
    """The real image of half a spectrum, as a plain double sum; the other half is the complex conjugate."""
    image = [[0.0] * width for _ in range(height)]
    for y in range(height):
        for x in range(width):
            for row in range(height):
                for column in range(width // 2 + 1):
                    own_mirror = column == 0 or 2 * column == width
                    wave = cmath.exp(2j * math.pi * (row * y / height + column * x / width))
                    image[y][x] += (
                        (1 if own_mirror else 2) * (complex(spectrum[row, column]) * wave).real / (height * width)
                    )
    return torch.tensor(image)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 7), (6, 3)])
def test_fourier_images_are_the_literal_inverse_transform_of_their_scaled_coefficients(height, width):
    picture = Fourier([3], height, width, channels=1, decay=1.0, deviation=1.0)

    images = picture.images()

    scale = torch.tensor(
        [
            [
                math.sqrt(height * width)
                / max(math.hypot(min(row, height - row) / height, column / width), 1 / max(height, width))
                for column in range(width // 2 + 1)
            ]
            for row in range(height)
        ]
    )
    spectrum = torch.view_as_complex(picture.values[0].detach())[0, 0] * scale
    expected = (literal_inverse(spectrum, height, width) / 4).sigmoid()
    torch.testing.assert_close(images.detach()[0, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [Fourier, Pixels])
def test_a_picture_starts_from_noise_of_its_deviation(kind):
    values = kind([0], 32, 32, deviation=0.05).values[0].detach()

    assert float(values.std()) == pytest.approx(0.05, rel=0.1)
    assert float(values.mean()) == pytest.approx(0, abs=0.005)


def test_without_decay_all_frequencies_have_one_scale():
    assert Fourier([0], 8, 8, decay=0).scale.unique().tolist() == [8.0]


def test_a_higher_decay_favours_low_frequencies():
    low, high = (Fourier([0], 8, 8, decay=decay).scale for decay in (1, 2))

    assert (high[0, 1] / high[4, 4]) == pytest.approx(float(low[0, 1] / low[4, 4]) ** 2, rel=1e-4)


def test_frequencies_run_from_zero_to_the_nyquist_frequency_on_either_axis():
    found = frequencies(4, 6)

    assert found.shape == (4, 4)
    assert found[0, 0] == 0
    assert found[2, 0] == found[0, 3] == 0.5
    assert found[1, 0] == found[3, 0] == 0.25


def test_colours_are_decorrelated_by_lucids_matrix():
    columns = torch.tensor(COLOUR_CORRELATION)

    found = colour_transform()

    torch.testing.assert_close(found, columns / columns[:, 0].norm())
    assert found.norm(dim=0).max() == pytest.approx(1)


def test_lucids_matrix_is_that_of_its_source():
    """color_correlation_svd_sqrt in lucid/optvis/param/color.py."""
    assert [list(row) for row in COLOUR_CORRELATION] == [[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]]


def test_natural_images_are_made_smaller_by_means_not_by_picking_pixels():
    stripes = torch.zeros(1, 1, 96, 96)
    stripes[..., ::3] = 1  # the middle of three pixels is black

    found, even = (magnitudes(images, 32, 32)[0, 0, 0] for images in (stripes, torch.full_like(stripes, 1 / 3)))

    torch.testing.assert_close(found, even, rtol=0.05, atol=0)


def test_the_first_colour_axis_is_brightness():
    picture = Fourier([0], 8, 8, deviation=0.0)
    with torch.no_grad():
        picture.values[0][0, 0, 0, 0, 0] = 1  # the constant of the first axis

    red, green, blue = picture.images().detach()[0].mean((1, 2)).tolist()

    assert min(red, green, blue) > 0.53
    assert max(red, green, blue) - min(red, green, blue) < 0.002


@pytest.mark.parametrize("made_of", [Fourier, Pixels])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_have_any_size_and_lie_between_zero_and_one(made_of, channels):
    images = made_of([0, 1], 7, 10, channels=channels, deviation=30.0).images()

    assert images.shape == (2, channels, 7, 10)
    assert images.min() >= 0
    assert images.max() <= 1


@pytest.mark.parametrize("made_of", [Fourier, Pixels])
def test_an_image_starts_the_same_whatever_its_neighbours(made_of):
    alone, together = made_of([5], 6, 6).images(), made_of([4, 5], 6, 6).images()

    torch.testing.assert_close(alone[0], together[1])
    assert not torch.equal(together[0], together[1])


def test_pixels_are_the_sigmoid_of_their_values():
    picture = Pixels([0], 2, 2)

    torch.testing.assert_close(picture.images(), picture.values[0].sigmoid())


def isotropic(size: int, seed: int = 0) -> torch.Tensor:
    """A part of larger noise of natural slope: (8, 1, size, size), so that its edges do not meet."""
    source = torch.Generator().manual_seed(seed)
    large = 4 * size
    frequency = frequencies(large, large).clamp_min(1 / large)
    noise = torch.fft.irfft2(torch.fft.rfft2(torch.randn(8, 1, large, large, generator=source)) / frequency)
    return (noise / noise.std()).sigmoid()[..., :size, :size]


def test_a_spectrum_has_no_more_waves_along_the_edges_than_aslant():
    """Without a window, edges that do not meet make horizontal and vertical waves several times as strong."""
    spectrum = magnitudes(isotropic(64), 64, 64)[0]

    along = (spectrum[16, 0] + spectrum[0, 16]) / 2
    aslant = (spectrum[11, 11] + spectrum[-11, 11]) / 2  # nearly the same frequency
    assert 0.6 < float(along / aslant) < 1.6


def test_the_spectrum_of_grey_images_is_all_in_brightness():
    grey = torch.rand(4, 1, 40, 40, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)

    brightness, *hues = magnitudes(grey, 32, 32).mean((1, 2)).tolist()

    assert max(hues) < 0.15 * brightness


def test_a_spectrum_of_brightness_alone_gives_images_that_are_all_but_grey():
    spectrum = torch.zeros(3, 16, 9)
    spectrum[0] = 20

    red, green, blue = Maco([0], 16, 16, spectrum).images().detach()[0]

    assert float(red.std()) > 0.05
    assert max(float((one - red).abs().max()) for one in (green, blue)) < 0.1 * float(red.max() - red.min())


def test_phases_alone_give_images_of_the_contrast_of_natural_ones():
    natural = isotropic(64)

    images = Maco([0, 1, 2], 64, 64, magnitudes(natural, 64, 64)).images().detach()

    assert float(images.std()) == pytest.approx(float(natural.std()), rel=0.3)
    assert torch.allclose(
        torch.fft.rfft2(images.logit()).abs()[0, 0, 5:9, 5:9], magnitudes(natural, 64, 64)[0, 5:9, 5:9], rtol=1e-2
    )


def test_a_spectrum_of_another_size_is_refused():
    with pytest.raises(ValueError, match="is not that of images of 32 × 32"):
        Maco([0], 32, 32, magnitudes(isotropic(64), 64, 64))
