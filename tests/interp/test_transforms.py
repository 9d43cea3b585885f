import pytest
import torch

from generator.interp.transforms import Crops, Motions, Wobble, affine, uniform


def one_pixel(row, column, height=9, width=9):
    image = torch.zeros(1, 1, height, width)
    image[0, 0, row, column] = 1
    return image


def moved(image, angle=0.0, zoom=1.0, right=0.0, down=0.0):
    return affine(image, torch.tensor([angle]), torch.tensor([zoom]), torch.tensor([[right, down]]))


def where(image):
    return tuple(divmod(int(image[0, 0].argmax()), image.shape[-1]))


def test_no_motion_changes_nothing():
    image = torch.rand(1, 3, 5, 8)

    torch.testing.assert_close(moved(image), image)


def test_a_quarter_turn_clockwise_takes_the_top_to_the_right():
    torch.testing.assert_close(moved(one_pixel(1, 4), angle=90.0), one_pixel(4, 7), atol=1e-5, rtol=0)


def test_a_quarter_turn_keeps_its_centre_and_its_lengths_in_an_image_that_is_not_square():
    assert where(moved(one_pixel(3, 6, 9, 13), angle=90.0)) == (4, 7)  # one above the centre (4, 6)
    assert where(moved(one_pixel(4, 9, 9, 13), angle=90.0)) == (7, 6)  # three to its right


def test_a_half_turn_is_a_point_reflection():
    image = torch.rand(1, 2, 6, 9)

    torch.testing.assert_close(moved(image, angle=180.0), image.flip(2, 3), atol=1e-4, rtol=0)


def test_a_zoom_above_one_moves_a_pixel_away_from_the_centre():
    assert where(moved(one_pixel(4, 6), zoom=1.5)) == (4, 7)


def test_a_shift_is_in_pixels_right_and_down():
    torch.testing.assert_close(moved(one_pixel(2, 5), right=2.0, down=1.0), one_pixel(3, 7), atol=1e-5, rtol=0)


def test_a_turned_image_is_shifted_as_seen():
    assert where(moved(one_pixel(1, 4), angle=90.0, right=-2.0, down=3.0)) == (7, 5)  # (4, 7), two left, three down


def test_beyond_the_edge_lies_the_reflection():
    image = torch.rand(1, 1, 4, 4)

    torch.testing.assert_close(moved(image, right=1.0)[..., 0], image[..., 0], atol=1e-5, rtol=0)


def test_each_image_moves_by_its_own_numbers():
    both = torch.cat([one_pixel(1, 4), one_pixel(1, 4)])

    found = affine(both, torch.tensor([0.0, 90.0]), torch.ones(2), torch.zeros(2, 2))

    torch.testing.assert_close(found, torch.cat([one_pixel(1, 4), one_pixel(4, 7)]), atol=1e-5, rtol=0)


def test_uniform_numbers_are_spread_over_their_range_and_belong_to_their_seed():
    drawn = uniform([0, 1], 200, 3)

    assert drawn.shape == (200, 2, 3)
    assert 0 <= drawn.min() <= drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(drawn[:, 1], uniform([1], 200, 3)[:, 0])


def test_a_turn_and_a_zoom_together_take_a_pixel_round_and_outwards():
    assert where(moved(one_pixel(4, 6), angle=90.0, zoom=2.0)) == (8, 4)


def wobbled(image, seeds, steps=1, **ranges):
    motions = Wobble(**{"rotation": 0, "zoom": (1, 1), "shift": 0} | ranges).motions(seeds, steps, *image.shape[2:])
    return [motions.apply(image, step) for step in range(steps)]


def test_a_wobble_turns_and_shifts_both_ways():
    """A pixel to the right of the centre is turned up and down; the centre moves left, right, up and down."""
    turned = {where(one)[0] for one in wobbled(one_pixel(4, 8), [0], 40, rotation=40)}
    shifted = [where(one) for one in wobbled(one_pixel(4, 4), [0], 40, shift=2 / 9)]

    assert min(turned) < 4 < max(turned)
    for axis in (0, 1):
        assert min(place[axis] for place in shifted) < 4 < max(place[axis] for place in shifted)
        assert all(abs(place[axis] - 4) <= 2 for place in shifted)


def test_a_wobble_zooms_within_its_range():
    zooms = Wobble(zoom=(0.5, 3)).motions([0], 200, 8, 8).zooms

    assert 0.5 <= zooms.min() < 0.7
    assert 2.8 < zooms.max() <= 3


def test_a_wobble_without_range_changes_nothing():
    image = torch.rand(2, 3, 5, 5)

    torch.testing.assert_close(wobbled(image, [0, 1])[0], image)


def test_what_happens_to_an_image_does_not_depend_on_its_neighbours():
    image = torch.rand(1, 3, 8, 8)
    ranges = {"rotation": 20, "zoom": (0.8, 1.2), "shift": 0.2, "noise": 0.1}

    alone, together = wobbled(image, [7], **ranges)[0], wobbled(image.repeat(2, 1, 1, 1), [3, 7], **ranges)[0]

    assert torch.equal(alone[0], together[1])
    assert not torch.allclose(together[0], together[1])


def test_noise_has_the_deviation_that_it_is_given_and_is_new_at_each_step():
    grey = torch.full((1, 1, 200, 200), 0.5)

    first, second = wobbled(grey, [0], 2, noise=0.1)

    assert float(first.mean()) == pytest.approx(0.5, abs=0.003)
    assert float(first.std()) == pytest.approx(0.1, rel=0.03)
    assert not torch.allclose(first, second)


def test_crops_are_magnified_squares_from_all_over_the_image():
    """Each pixel of the image holds its own column number, so a crop tells where it was taken and how wide it is."""
    columns = torch.arange(100.0).expand(1, 1, 100, 100)

    looks = Crops(size=20, count=50, box=(0.2, 0.4), noise=0).motions([0], 1, 100, 100).apply(columns, 0)

    assert looks.shape == (50, 1, 20, 20)
    widths = looks[:, 0, 0, -1] - looks[:, 0, 0, 0]  # of 20 samples, so 19 / 20 of the crop
    assert 0.2 * 95 - 1 <= widths.min() <= widths.max() <= 0.4 * 95 + 1
    assert looks.min() < 10
    assert looks.max() > 89


def test_looks_of_one_image_stand_side_by_side():
    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])

    looks = Crops(size=4, count=3, noise=0).motions([0, 1], 1, 8, 8).apply(images, 0)

    assert looks.mean((1, 2, 3)).tolist() == [0, 0, 0, 1, 1, 1]


def test_motions_move_to_another_device_whole():
    moved = Wobble(noise=0.1).motions([0], 2, 4, 4).to(torch.device("cpu"))

    assert isinstance(moved, Motions)
    assert moved.noise == 0.1


def test_a_wobble_goes_as_far_either_way_as_it_is_told_to():
    motions = Wobble(rotation=8.0, zoom=(0.9, 1.2), shift=0.1).motions([0, 1], 2000, 20, 50)

    for values, low, high in (
        (motions.angles, -8, 8),
        (motions.zooms, 0.9, 1.2),
        (motions.shifts[..., 0], -5, 5),
        (motions.shifts[..., 1], -2, 2),
    ):
        near = (high - low) / 100
        assert (float(values.min()), float(values.max())) == pytest.approx((low, high), abs=near)
        assert float(values.mean()) == pytest.approx((low + high) / 2, abs=3 * near)
        assert low <= float(values.min()) <= float(values.max()) <= high


def test_crops_have_sides_of_all_shares_between_two_and_reach_every_edge():
    motions = Crops(size=32, count=3, box=(0.2, 0.5)).motions([0, 1], 2000, 96, 64)
    share = 1 / motions.zooms
    # Where the centre of a square lies, as a share of the way from the middle as far as it stays inside.
    reached = motions.shifts / 32 * share[..., None] * 2 / (1 - share[..., None])

    assert (float(share.min()), float(share.max())) == pytest.approx((0.2, 0.5), abs=0.003)
    for axis in (0, 1):
        assert (float(reached[..., axis].min()), float(reached[..., axis].max())) == pytest.approx((-1, 1), abs=0.02)
