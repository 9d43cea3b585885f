import math

import pytest
import torch

from generator.interp.ascent import Adam, ascend
from generator.interp.objectives import channel, energy, logit
from generator.interp.parameterisation import Fourier, Pixels
from generator.interp.transforms import generators, noise, wobble
from tests.nets import vision


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return vision().eval().requires_grad_(False)


OBJECTIVES = {
    "channel": lambda network, images: channel(network[:3](images), [2] * len(images)),
    "logit": lambda network, images: logit(network(images), [1] * len(images)),
    "energy": lambda network, images: energy(network[:4](images)),
}


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("made_of", [Fourier, Pixels])
def test_ascent_raises_every_objective(network, objective, made_of):
    def score(images):
        return OBJECTIVES[objective](network, images)

    picture = made_of([0, 1], 32, 32)
    before = score(picture.images()).detach()

    ascended = ascend(picture, score, steps=8, rate=0.1)

    assert (score(ascended.images) > before).all()
    assert ascended.scores.shape == (8, 2)
    torch.testing.assert_close(ascended.scores[0], before)


def test_ascent_finds_the_top_of_a_hill():
    top = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1)

    ascended = ascend(
        Pixels([0], 2, 2), lambda images: -(images - top).square().flatten(1).sum(1), steps=400, rate=0.05
    )

    torch.testing.assert_close(ascended.images, top.expand(1, 3, 2, 2), atol=1e-3, rtol=0)


def test_adam_takes_the_steps_of_torchs_adam_upwards():
    ours, theirs = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([1.0, -2.0, 0.5])
    adam, reference = Adam([ours], rate=0.1), torch.optim.Adam([theirs], lr=0.1, maximize=True)

    for step in range(5):
        gradient = torch.tensor([1.0, -0.1 * step, float(step**2)])
        adam.step([gradient])
        theirs.grad = gradient.clone()
        reference.step()

    torch.testing.assert_close(ours, theirs)


def test_a_seed_gives_the_same_image_twice_and_whatever_the_batch(network):
    def grown(seeds):
        sources = generators(seeds)
        return ascend(
            Fourier(seeds, 32, 32),
            lambda images: logit(network(images), seeds),
            steps=5,
            rate=0.05,
            transform=lambda images: noise(
                wobble(images, sources, rotation=9, zoom=(0.9, 1.1), shift=1), sources, 0.02
            ),
        ).images

    alone, together = grown([3]), grown([1, 3])

    assert torch.equal(alone, grown([3]))
    torch.testing.assert_close(alone[0], together[1], atol=1e-3, rtol=0)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


def test_images_lie_between_zero_and_one(network):
    ascended = ascend(Fourier([0], 32, 32), lambda images: 100 * logit(network(images), [0]), steps=5, rate=1.0)

    assert 0 <= ascended.images.min() <= ascended.images.max() <= 1
    assert not ascended.images.requires_grad


def test_progress_counts_every_step():
    reports = []

    ascend(Pixels([0], 2, 2), energy, steps=3, rate=0.1, progress=lambda done, total: reports.append((done, total)))

    assert reports == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_no_number_names_what_is_ascended_and_the_step(bad):
    calls = []

    def score(images):
        calls.append(1)
        return images.flatten(1).sum(1) * (bad if len(calls) == 3 else 1)

    with pytest.raises(ValueError, match=f"layer conv2 is {bad} at step 3 of 9"):
        ascend(Pixels([0], 2, 2), score, steps=9, rate=0.1, name="layer conv2")
