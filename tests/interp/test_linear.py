import pytest
import torch

from generator.interp import linear


def test_cosines_of_parallel_opposite_and_orthogonal_rows_are_one_minus_one_and_zero():
    rows = torch.tensor([[1.0, 0.0], [5.0, 0.0], [-2.0, 0.0], [0.0, 3.0]])

    assert linear.cosines(rows)[0].tolist() == [1.0, 1.0, -1.0, 0.0]


def test_with_a_shared_scale_the_largest_weight_of_all_is_white_and_zero_is_grey():
    rows = torch.tensor([[0.0, 2.0], [-1.0, 1.0]]).view(2, 1, 1, 2)

    assert linear.pictures(rows, shared=True).flatten().tolist() == [0.5, 1.0, 0.25, 0.75]


def test_with_scales_of_their_own_every_row_reaches_its_end():
    rows = torch.tensor([[0.0, 2.0], [-1.0, 1.0]]).view(2, 1, 1, 2)

    assert linear.pictures(rows, shared=False).flatten().tolist() == [0.5, 1.0, 0.0, 1.0]


def test_weights_that_are_all_zero_are_grey():
    assert linear.pictures(torch.zeros(1, 1, 2, 2), shared=False).unique().tolist() == [0.5]


@pytest.mark.parametrize("shape", [(3, 6, 4), (1, 8, 8)])
def test_the_frequencies_keep_scalar_products_and_lead_back_to_the_images(shape):
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    frequencies = linear.to_frequencies(images)

    torch.testing.assert_close((frequencies[0] * frequencies[1]).sum(), (images[0] * images[1]).sum())
    torch.testing.assert_close(linear.from_frequencies(frequencies), images)


def test_an_even_grey_image_is_all_in_the_coefficient_of_frequency_zero():
    frequencies = linear.to_frequencies(torch.ones(1, 3, 4, 4))
    expected = torch.zeros(1, 3, 4, 4)
    expected[0, 0, 0, 0] = 48**0.5

    torch.testing.assert_close(frequencies, expected, atol=1e-5, rtol=0)


def test_frequencies_are_counted_in_cycles_per_image():
    cycles = linear.frequency(3, 8, 8)

    assert cycles.shape == (3, 8, 8)
    assert cycles[0, 0, 0] == 0
    assert cycles[1, 6, 0] == 3
    assert cycles[2, 6, 7] == pytest.approx((3**2 + 3.5**2) ** 0.5)


def test_roughness_is_the_share_of_power_above_half_the_highest_frequency():
    noise = torch.randn(20, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    coefficients = torch.zeros(3, 1, 8, 16)
    coefficients[0, 0, 0, 4] = coefficients[1, 0, 0, 5] = 1  # of 2 cycles, half of the highest of 8 pixels, and of 2½
    coefficients[2, 0, 0, 5], coefficients[2, 0, 1, 0] = 1, 3

    assert float(linear.roughness(noise).mean()) == pytest.approx(1 - torch.pi / 16, abs=0.03)
    torch.testing.assert_close(
        linear.roughness(linear.from_frequencies(coefficients)),
        torch.tensor([0.0, 1.0, 0.1], dtype=torch.float64),
        atol=1e-6,
        rtol=0,
    )
