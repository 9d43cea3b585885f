import math
from itertools import pairwise

import pytest
import torch

from generator.interp.ascent import Adam, ascend
from generator.interp.parameterisation import Fourier, Pixels


def hill(top):
    return lambda images: -(images - top).square().flatten(1).sum(1)


def test_ascent_finds_the_top_of_a_hill():
    top = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1)

    ascended = ascend(Pixels([0], 2, 2), hill(top), steps=400, rate=0.05)

    torch.testing.assert_close(ascended.images, top.expand(1, 3, 2, 2), atol=1e-3, rtol=0)
    assert ascended.steps.tolist() == [400]


def test_adam_takes_the_steps_of_torchs_adam_upwards():
    start = torch.tensor([[1.0, -2.0, 0.5]])
    ours, theirs = start.clone(), start.clone()
    adam, reference = Adam([ours]), torch.optim.Adam([theirs], lr=0.1, maximize=True)

    for step in range(5):
        gradient = torch.tensor([[1.0, -0.1 * step, float(step**2)]])
        adam.step([gradient], torch.tensor([0.1]))
        theirs.grad = gradient.clone()
        reference.step()

    torch.testing.assert_close(ours, theirs)


def test_each_image_steps_at_its_own_rate():
    values = torch.zeros(2, 1)

    Adam([values]).step([torch.ones(2, 1)], torch.tensor([0.1, 0.0]))

    torch.testing.assert_close(values, torch.tensor([[0.1], [0.0]]))


def test_slopes_say_how_strongly_the_score_depended_on_each_pixel():
    weights = torch.tensor([[1.0, -2.0], [0.0, 0.5]])

    ascended = ascend(Pixels([0], 2, 2), lambda images: (weights * images).flatten(1).sum(1), steps=3, rate=0.1)

    torch.testing.assert_close(ascended.slopes, 3 * 3 * weights.abs()[None])  # of three channels, in three steps


def test_images_lie_between_zero_and_one():
    ascended = ascend(Fourier([0], 32, 32), lambda images: 100 * images.flatten(1).sum(1), steps=5, rate=1.0)

    assert 0 <= ascended.images.min() <= ascended.images.max() <= 1
    assert not ascended.images.requires_grad


def test_progress_counts_every_step():
    reports = []

    ascend(
        Pixels([0], 2, 2),
        hill(0.9),
        steps=3,
        rate=0.1,
        progress=lambda done, total: reports.append((done, total)),
    )

    assert reports == [(1, 3), (2, 3), (3, 3)]


def test_the_rate_falls_over_the_second_half():
    """Adam's steps on a slope that never changes are as long as its rate."""
    picture = Pixels([0], 1, 1, channels=1)
    seen = []

    def slope(images):
        seen.append(float(picture.values[0].detach()))
        return images.logit().flatten(1).sum(1)  # of pixels, that is the values themselves

    ascend(picture, slope, steps=8, rate=0.1)

    lengths = [round(after - before, 4) for before, after in pairwise(seen)]
    assert lengths == [0.1, 0.1, 0.1, 0.1, 0.1, 0.075, 0.05]


def test_an_image_that_has_arrived_ends_alone():
    """One image is at its top from the start, the other far from it; both would have 400 steps."""
    picture = Pixels([0, 0], 1, 1, channels=1, deviation=0.0)
    top = torch.tensor([0.5, 0.9]).view(2, 1, 1, 1)

    ascended = ascend(picture, hill(top), look=hill(top), steps=400, rate=0.02, flat=0.01)

    assert ascended.steps[0] == 64  # three looks, at 0, 16 and 32, and a fall as long as that climb
    assert ascended.steps[1] > 128
    assert float(ascended.images[1, 0, 0, 0]) == pytest.approx(0.9, abs=0.02)


def test_an_image_has_arrived_when_two_looks_found_nearly_nothing_above_the_best_before():
    """Of what it gained in all: a slow start and a late leap are neither."""
    scores = iter([0.0, 0.1, 5.0, 10.0, 10.0, 10.5, *[10.5] * 20])

    ascended = ascend(
        Pixels([0], 1, 1), hill(0.5), look=lambda images: torch.tensor([next(scores)]), steps=400, rate=0.01, flat=0.1
    )

    assert ascended.steps.tolist() == [160]  # six looks, the last at 80, and a fall as long as that climb


def test_without_flatness_every_step_is_taken():
    ascended = ascend(Pixels([0], 1, 1), hill(0.5), look=hill(0.5), steps=100, rate=0.01)

    assert ascended.steps.tolist() == [100]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_no_number_names_what_is_ascended_and_the_step(bad):
    calls = []

    def score(images):
        calls.append(1)
        return images.flatten(1).sum(1) * (bad if len(calls) == 3 else 1)

    with pytest.raises(ValueError, match=f"layer conv2 is {bad} at step 3 of 9"):
        ascend(Pixels([0], 2, 2), score, steps=9, rate=0.1, name="layer conv2")


def test_a_gradient_that_is_no_number_is_told_at_the_step_after_it():
    """The square root has no slope at zero: its value is a number, its gradient is not."""

    def score(images):
        return (images - images.detach()).flatten(1).square().sum(1).sqrt()

    with pytest.raises(ValueError, match="the score is nan at step 2 of 40"):
        ascend(Pixels([0], 2, 2), score, steps=40, rate=0.1)
