"""Thresholds and overlaps, against answers known on paper and a literal count."""

import pytest
import torch
from torch.nn import functional as F

from generator.interp.dissection import overlaps, thresholds


def outputs(images=40, units=3, side=10, seed=0):
    return torch.randn(images, units, side, side, generator=torch.Generator().manual_seed(seed))


def test_a_unit_exceeds_its_threshold_at_one_position_in_two_hundred():
    found = outputs()  # 40 × 100 positions

    above = thresholds([found], 40)

    assert (found > above[:, None, None]).sum((0, 2, 3)).tolist() == [20, 20, 20]


def test_a_unit_that_saturates_fires_where_it_does():
    found = (10 * outputs()).round().clamp(max=10) / 10

    fires = found > thresholds([found], 40)[:, None, None]

    assert torch.equal(fires, found == 1)


def test_thresholds_do_not_depend_on_the_batches():
    found = outputs()

    torch.testing.assert_close(thresholds(found.split(7), 40), thresholds([found], 40))


def test_a_unit_that_never_changes_fires_nowhere():
    still = torch.full((4, 1, 8, 8), 3.0)

    above = thresholds([still], 4)
    found = overlaps([still], torch.ones(4, 8, 8, dtype=torch.uint8), above, 1)

    assert above.tolist() == [3]
    assert found.sizes.tolist() == [0]
    assert found.overlaps.tolist() == [[0]]


def test_a_unit_that_fires_where_a_concept_is_overlaps_it_wholly_and_one_that_fires_on_half_of_it_half():
    masks = torch.zeros(2, 4, 4, dtype=torch.uint8)
    masks[:, :2] = 1
    masks[:, 3] = 2
    unit = torch.stack([(masks == 1).float(), ((masks == 1) & (torch.arange(4) < 2)).float()], 1)

    found = overlaps([unit], masks, torch.tensor([0.5, 0.5]), 2)

    assert found.overlaps.tolist() == [[1, 0], [0.5, 0]]
    assert found.errors.tolist() == [[0, 0], [0, 0]], "all images tell the same"
    assert found.maxima.tolist() == [[1, 1], [1, 1]]


def test_overlaps_are_those_of_a_literal_count_over_all_pixels_of_all_images():
    units, masks = outputs(6, 2, 5, seed=1), torch.randint(0, 3, (6, 12, 9), generator=torch.Generator().manual_seed(2))
    above = torch.tensor([0.3, -0.2])

    found = overlaps(units.split(4), masks, above, 2).overlaps

    fires = F.interpolate(units, (12, 9), mode="bilinear", align_corners=False) > above[:, None, None]
    for unit in range(2):
        for concept in (1, 2):
            one, other = fires[:, unit], masks == concept
            expected = (one & other).sum() / (one | other).sum()
            assert float(found[unit, concept - 1]) == pytest.approx(float(expected))


def test_the_error_is_how_much_the_overlap_varies_when_other_images_are_drawn():
    source = torch.Generator().manual_seed(3)
    masks = (torch.rand(200, 6, 6, generator=source) < 0.4).to(torch.uint8)
    unit = torch.rand(200, 1, 6, 6, generator=source) + 0.5 * masks[:, None]
    above = torch.tensor([0.8])

    told = float(overlaps([unit], masks, above, 1).errors)
    drawn = [torch.randint(0, 200, (200,), generator=source) for _ in range(60)]
    again = torch.stack([overlaps([unit[rows]], masks[rows], above, 1).overlaps for rows in drawn])

    assert told == pytest.approx(float(again.std()), rel=0.3)
