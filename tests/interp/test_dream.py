import math

import pytest
import torch

from generator.interp.dream import dream, resize
from tests.nets import vision

SETTINGS = {"octaves": 2, "zoom": 1.5, "steps": 3, "rate": 0.02, "jitter": 4, "seed": 0}


def energy(activation):
    return activation.flatten(1).square().mean(1)


@pytest.fixture(scope="module")
def layer():
    torch.manual_seed(0)
    return vision().eval().requires_grad_(False)[:3]


@pytest.fixture
def image():
    return torch.rand(3, 24, 30, generator=torch.Generator().manual_seed(1))


def test_a_dream_raises_the_energy_and_keeps_shape_and_range(layer, image):
    found = dream(image, lambda images: energy(layer(images)), **SETTINGS)

    assert found.shape == image.shape
    assert 0 <= found.min() <= found.max() <= 1
    assert energy(layer(found[None])) > 1.05 * energy(layer(image[None]))


def test_a_dream_of_no_rate_is_the_image(layer, image):
    found = dream(image, lambda images: energy(layer(images)), **{**SETTINGS, "rate": 0.0})

    torch.testing.assert_close(found, image)


def test_one_step_adds_the_gradient_over_its_mean_size():
    image = torch.full((1, 2, 2), 0.5)
    weight = torch.tensor([[[1.0, -1.0], [3.0, -3.0]]])  # mean size 2

    found = dream(
        image,
        lambda images: (images * weight).flatten(1).sum(1),
        octaves=1,
        zoom=2,
        steps=1,
        rate=0.1,
        jitter=0,
        seed=0,
    )

    torch.testing.assert_close(found, image + 0.1 * weight / 2)


def test_jitter_is_taken_back(image):
    """A score that does not care where things are dreams the same, however the image was moved for it."""
    still, jittered = (
        dream(image, lambda images: images.square().flatten(1).sum(1), **{**SETTINGS, "octaves": 1, "jitter": jitter})
        for jitter in (0, 5)
    )

    torch.testing.assert_close(jittered, still)


def test_a_dream_is_the_same_for_the_same_seed_only(layer, image):
    once, again, other = (
        dream(image, lambda images: energy(layer(images)), **{**SETTINGS, "seed": seed}) for seed in (0, 0, 1)
    )

    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_octaves_grow_to_the_images_own_size_and_none_is_too_small(image):
    sizes, reports = [], []

    def score(images):
        sizes.append(tuple(images.shape[-2:]))
        return images.flatten(1).sum(1)

    dream(
        image,
        score,
        **{**SETTINGS, "octaves": 5, "steps": 1},
        smallest=10,
        progress=lambda *report: reports.append(report),
    )

    assert sizes == [(11, 13), (16, 20), (24, 30)]
    assert reports == [(1, 3), (2, 3), (3, 3)]


def test_a_silent_layer_leaves_the_image_as_it_is(image):
    found = dream(image, lambda images: (0 * images).flatten(1).sum(1), **SETTINGS)

    torch.testing.assert_close(found, image)


def test_a_score_that_is_no_number_is_named_with_its_step(image):
    with pytest.raises(ValueError, match="nan at step 1 of octave 1"):
        dream(image, lambda images: images.flatten(1).sum(1) * math.nan, **SETTINGS)


def test_resize_keeps_the_mean_of_a_plain_image():
    torch.testing.assert_close(resize(torch.full((3, 9, 9), 0.3), (4, 7)), torch.full((3, 4, 7), 0.3))
