import math

import pytest
import torch

from generator.interp.evidence import (
    agreement,
    changed,
    compressed,
    likeness,
    percentile,
    radial_power,
    retained,
    spectral_distance,
)


def waves(count, size=64, slope=1.0, seed=0):
    """Noise whose amplitude falls as 1 / frequency ** slope, as (count, 1, size, size) around 0.5."""
    source = torch.Generator().manual_seed(seed)
    spectrum = torch.fft.rfft2(torch.randn(count, 1, size, size, generator=source))
    frequency = (torch.fft.fftfreq(size)[:, None] ** 2 + torch.fft.rfftfreq(size)[None] ** 2).sqrt()
    images = torch.fft.irfft2(spectrum / frequency.clamp_min(1 / size) ** slope, s=(size, size))
    return 0.5 + 0.1 * images / images.std((1, 2, 3), keepdim=True)


def test_percentile_is_the_share_of_natural_images_below():
    assert percentile(torch.tensor([0.0, 2.5, 2.0, 9.0]), torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist() == [
        0,
        0.5,
        0.375,
        1,
    ]


def test_what_does_not_depend_on_place_is_kept_whole_under_every_change():
    images = torch.full((2, 3, 16, 16), 0.5)

    kept = retained(lambda images: images.mean((1, 2, 3)), images, torch.zeros(2))

    for kind in ("shift", "scale", "jpeg"):
        torch.testing.assert_close(kept[kind], torch.ones(2), atol=0.01, rtol=0)


def test_what_only_one_grid_of_pixels_carries_is_lost():
    board = torch.ones(1, 3, 40, 40)
    board[..., ::2, 1::2] = board[..., 1::2, ::2] = 0  # black and white, pixel by pixel
    weights = board - board.mean()

    kept = retained(lambda images: (images * weights).sum((1, 2, 3)), board, torch.zeros(1))

    assert kept["scale"] < 0.3


def test_half_of_a_gain_above_rest_is_half():
    first = torch.zeros(1, 1, 8, 8)
    calls = []

    def score(images):
        calls.append(1)
        return torch.tensor([3.0 if len(calls) == 1 else 2.0])

    assert retained(score, first, torch.tensor([1.0]))["jpeg"].tolist() == [0.5]


@pytest.mark.parametrize("rest", [0.5, 0.6])
def test_where_nothing_was_gained_nothing_is_kept(rest):
    images = torch.full((2, 3, 16, 16), 0.5)

    kept = retained(lambda images: images.mean((1, 2, 3)), images, torch.tensor([0.0, rest]))

    for kind in ("shift", "scale", "jpeg"):
        torch.testing.assert_close(kept[kind], torch.tensor([1.0, 0.0]), atol=0.01, rtol=0)


def test_changes_move_by_a_twentieth_of_each_side_and_every_way():
    rows, columns = torch.arange(20.0)[:, None].expand(1, 1, 20, 40), torch.arange(40.0).expand(1, 1, 20, 40)

    across, down = changed(columns / 40)["shift"] * 40, changed(rows / 40)["shift"] * 40

    assert across[:, 0, 0, 10, 20].tolist() == pytest.approx([18, 22, 20, 20], abs=0.01)
    assert down[:, 0, 0, 10, 20].tolist() == pytest.approx([10, 10, 9, 11], abs=0.01)


def test_changes_zoom_about_the_middle():
    """Between columns 19 and 20; what is ten columns and a half to the right of it was farther off, or nearer."""
    smaller, larger = changed(torch.arange(40.0).expand(1, 1, 20, 40) / 40)["scale"][:, 0, 0, 10, 30] * 40

    assert [float(smaller), float(larger)] == pytest.approx([19.5 + 10.5 / 0.9, 19.5 + 10.5 / 1.1], abs=0.01)


def test_compression_keeps_shape_and_nearly_all_of_a_smooth_image():
    smooth = torch.linspace(0, 1, 32).expand(2, 1, 32, 32)

    found = compressed(smooth)

    assert found.shape == smooth.shape
    assert float((found - smooth).abs().mean()) < 0.02
    assert not torch.equal(found, smooth)


def test_power_falls_with_frequency_as_it_was_made_to():
    """Amplitude 1 / f is power 1 / f ** 2: two logarithms of two from octave to octave."""
    fall = radial_power(waves(40)).mean(0).diff()

    torch.testing.assert_close(fall, torch.full((4,), -2 * math.log(2), dtype=torch.float64), atol=0.4, rtol=0)


def test_contrast_and_brightness_do_not_count_in_a_spectrum():
    images = waves(2)

    torch.testing.assert_close(radial_power(images * 0.5 + 0.2), radial_power(images))


def test_a_mirrored_image_has_the_same_spectrum():
    images = waves(2, size=32)

    for axis in (2, 3):
        torch.testing.assert_close(radial_power(images.flip(axis)), radial_power(images))


def test_natural_images_are_about_one_deviation_from_each_other_and_noise_is_far():
    natural = radial_power(waves(60))

    assert 0.5 < float(spectral_distance(radial_power(waves(20, seed=1)), natural).mean()) < 1.5
    assert float(spectral_distance(radial_power(waves(4, slope=0.0)), natural).min()) > 5


UNITS = torch.tensor([0, 1, 2])
GROWN = torch.eye(3) * 100  # what the channels of three units do on their own pictures, because they were asked to
LOOKS = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])  # what other channels do on them


def test_agreement_is_one_where_each_unit_is_most_like_itself():
    ahead = torch.cat([GROWN, LOOKS], 1)
    behind = torch.cat([GROWN, LOOKS[[1, 2, 0]]], 1)

    assert agreement(ahead, 2 * ahead, UNITS, 2 * ahead, UNITS).tolist() == [1, 1, 1]
    assert agreement(ahead, behind, UNITS, behind, UNITS).tolist() == [0.25, 0.25, 0.25]


def test_agreement_is_a_half_where_nothing_but_the_units_own_channels_tells_them_apart():
    same = torch.cat([GROWN, torch.ones(3, 2)], 1)

    assert agreement(same, same, UNITS, same, UNITS).tolist() == [0.5, 0.5, 0.5]


def test_pictures_of_the_same_unit_are_no_others():
    ahead = torch.cat([GROWN, LOOKS], 1)[:2]

    one, other = agreement(ahead, ahead, UNITS[:2], ahead[[0, 0]], torch.tensor([0, 0])).tolist()

    assert math.isnan(one)
    assert other == 1


def test_a_cosine_leaves_out_the_two_channels_that_the_images_were_grown_for():
    source = torch.Generator().manual_seed(0)
    one, other = torch.randn(3, 6, generator=source), torch.randn(2, 6, generator=source)
    units, other_units = torch.tensor([0, 1, 2]), torch.tensor([1, 4])

    found = likeness(one, other, units, other_units)

    for i, unit in enumerate(units.tolist()):
        for j, another in enumerate(other_units.tolist()):
            rest = [channel for channel in range(6) if channel not in (unit, another)]
            expected = torch.nn.functional.cosine_similarity(one[i, rest], other[j, rest], dim=0)
            assert float(found[i, j]) == pytest.approx(float(expected), abs=1e-6)
