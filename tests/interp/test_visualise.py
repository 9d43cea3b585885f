import math

import pytest
import torch
from torch import nn

from generator.interp import objectives
from generator.interp.pace import Pace, measured
from generator.interp.parameterisation import Fourier, Maco, Pixels, magnitudes
from generator.interp.transforms import Crops, Wobble
from generator.interp.visualise import visualise
from tests.nets import Deaf, vision

PLAIN = Pace(batch=4, alike=True)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return vision().eval()


class Tokens(nn.Module):
    """The smallest transformer that looks at images: patches as tokens, one layer, a head."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, stride=8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, images):
        return self.head(self.layer(self.patches(images).flatten(2).transpose(1, 2)).mean(1))


OBJECTIVES = {
    "channel": lambda n: objectives.channel("conv2", range(n)),
    "neuron": lambda n: objectives.neuron("conv2", range(n)),
    "logit": lambda n: objectives.logit(range(n)),
    "direction": lambda n: objectives.direction("conv2", torch.eye(12)[:n], 1),
    "energy": lambda n: objectives.energy("conv1", n),
    "diverse": lambda n: objectives.channel("conv2", [5] * n) + 0.1 * objectives.diversity("conv2", n),
    "sum": lambda n: objectives.channel("conv1", range(n)) + 2 * objectives.logit(range(n)),
}


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("made_of", [Fourier, Pixels])
def test_every_objective_is_raised_in_every_basis(network, objective, made_of):
    found = visualise(network, OBJECTIVES[objective](3), made_of(range(3), 32, 32), steps=12, rate=0.1, pace=PLAIN)

    assert (found.activations > found.before).all()
    assert found.images.shape == (3, 3, 32, 32)


def test_maco_raises_its_objective_and_keeps_the_magnitudes_of_natural_images(network):
    spectrum = magnitudes(torch.rand(4, 3, 40, 40), 32, 32)
    picture = Maco([0, 1], 32, 32, spectrum)

    found = visualise(network, objectives.channel("conv2", [1, 2]), picture, steps=12, rate=0.3, pace=PLAIN)

    assert (found.activations > found.before).all()


def test_images_larger_than_the_network_was_made_for_are_looked_at_in_crops(network):
    seen = []

    def normalise(images):
        seen.append(tuple(images.shape))
        return images

    crops = Crops(size=32, count=3)
    found = visualise(
        network,
        objectives.logit([0, 1]),
        Fourier([0, 1], 96, 64),
        transform=crops,
        normalise=normalise,
        steps=4,
        pace=PLAIN,
    )

    assert found.images.shape == (2, 3, 96, 64)
    assert (6, 3, 32, 32) in seen


def test_a_transformers_units_are_raised(network):
    torch.manual_seed(0)
    objective = objectives.channel("layer", [0, 5]) + objectives.neuron("layer", [1, 2], (3, 0))

    found = visualise(Tokens(), objective, Fourier([0, 1], 32, 32), steps=8, rate=0.1, pace=PLAIN)

    assert (found.activations > found.before).all()


@pytest.mark.parametrize("channels", [1, 5])
def test_images_may_have_any_number_of_channels(channels):
    torch.manual_seed(0)
    network = nn.Conv2d(channels, 4, 3)

    found = visualise(
        network, objectives.channel("", [3]), Fourier([0], 20, 30, channels=channels), steps=8, pace=PLAIN
    )

    assert found.images.shape == (1, channels, 20, 30)
    assert (found.activations > found.before).all()


@pytest.mark.parametrize("measuring", [True, False])
def test_a_seed_gives_the_same_image_whatever_is_asked_for_with_it(network, measuring):
    pace = measured(network, ["conv2"], torch.rand(1, 3, 32, 32)) if measuring else Pace(batch=4, alike=False)

    def grown(units):
        return visualise(
            network,
            objectives.channel("conv2", units),
            Fourier(units, 32, 32),
            seeds=units,
            transform=Wobble(noise=0.05),
            steps=40,
            pace=pace,
        )

    whole, alone, some = grown(range(6)), grown([3]), grown([5, 3, 2])

    for what in ("images", "activations", "before", "steps", "slopes"):
        assert len(getattr(whole, what)) == 6, what
    for found, units in ((alone, [3]), (some, [5, 3, 2])):
        for what in ("images", "steps", "slopes"):
            assert torch.equal(getattr(found, what), getattr(whole, what)[units]), what
        for what in ("activations", "before"):  # to a rounding, as they are looked at in batches of any size
            torch.testing.assert_close(getattr(found, what), getattr(whole, what)[units])
    assert not torch.allclose(whole.images[3], whole.images[2], atol=0.01)


def test_diverse_images_stay_together_whatever_the_batch(network):
    objective = objectives.channel("conv2", [1, 1, 2, 2, 3, 3]) + objectives.diversity("conv2", 6, 2)

    one, other = (
        visualise(network, objective, Fourier(range(6), 32, 32), steps=6, pace=Pace(batch=batch)).images
        for batch in (1, 4)
    )

    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)


def test_the_network_is_left_as_it_was(network):
    dropping = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.5)).train()
    before = {name: value.clone() for name, value in dropping.state_dict().items()}

    visualise(dropping, objectives.channel("2", [0]), Fourier([0], 16, 16), steps=3, pace=Pace(True, True, 4))

    assert dropping.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in dropping.parameters())
    assert all(torch.equal(value, before[name]) for name, value in dropping.state_dict().items())
    assert not any(module._forward_hooks for module in dropping.modules())


def test_dropout_that_was_left_on_changes_nothing(network):
    torch.manual_seed(0)
    dropping = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.5))

    def grown(network):
        return visualise(network, objectives.channel("1", [0]), Fourier([0], 16, 16), steps=6, pace=PLAIN)

    assert torch.equal(grown(dropping.train()).images, grown(dropping.eval()).images)


def test_a_starting_image_is_kept_where_nothing_is_asked(network):
    photo = torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05

    for made_of in (Fourier, Pixels):
        torch.testing.assert_close(made_of([0], 24, 30, start=photo).images(), photo, atol=1e-4, rtol=0)


def test_nearness_holds_an_accentuated_image_near_the_real_one(network):
    photo = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    with torch.no_grad():
        target = network.conv1(photo)
    unit = objectives.channel("conv2", [4])
    held = unit + 20 * objectives.nearness("conv1", target)

    def grown(objective):
        still = Wobble(rotation=0, zoom=(1, 1), shift=0)  # what moves cannot stay near at every position
        picture = Fourier([0], 32, 32, start=photo)
        return visualise(network, objective, picture, transform=still, steps=30, rate=0.05, pace=PLAIN)

    def distance(images):
        with torch.no_grad():
            return float((network.conv1(images) - target).square().mean())

    free, near = grown(unit), grown(held)

    assert distance(near.images) < distance(free.images) / 2
    assert (near.activations > near.before).all()


def test_activations_are_of_the_encoded_images_in_float32_whatever_the_pace(network):
    objective = objectives.channel("conv2", [0, 1])

    found = visualise(network, objective, Fourier([0, 1], 32, 32), steps=5, pace=Pace(True, True, 4))

    pixels = (found.images * 255).round() / 255
    with torch.no_grad():
        expected = network[:3](pixels).mean((2, 3))[[0, 1], [0, 1]]
    torch.testing.assert_close(found.activations, expected)


def test_a_unit_that_never_activates_ends_early_and_stays_where_it_was():
    found = visualise(Deaf(), objectives.channel("relu", [1]), Fourier([0], 16, 16), steps=400, pace=PLAIN)

    assert found.activations.tolist() == found.before.tolist() == [0]
    assert found.steps.tolist() == [64]


def test_a_network_that_returns_a_dict_is_asked_for_its_first_tensor(network):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network

        def forward(self, images):
            return {"logits": self.inner(images)}

    named = visualise(Named(), objectives.logit([1]), Fourier([0], 32, 32), steps=5, pace=PLAIN)

    assert torch.equal(
        named.images, visualise(network, objectives.logit([1]), Fourier([0], 32, 32), steps=5, pace=PLAIN).images
    )


def test_weights_that_are_no_numbers_are_named(network):
    torch.manual_seed(0)
    broken = vision()
    with torch.no_grad():
        broken.conv1.weight[0] = math.nan

    with pytest.raises(ValueError, match="layer conv2 is nan at step 1 of 9"):
        visualise(
            broken, objectives.channel("conv2", [0]), Fourier([0], 32, 32), steps=9, pace=PLAIN, name="layer conv2"
        )


def test_images_and_objective_must_be_as_many(network):
    with pytest.raises(ValueError, match="3 images and 2 seeds for an objective of 2"):
        visualise(network, objectives.logit([0, 1]), Fourier(range(3), 32, 32), pace=PLAIN)


def test_images_that_depend_on_each_other_are_not_cropped(network):
    objective = objectives.diversity("conv1", 2)

    with pytest.raises(ValueError, match="cannot be looked at in crops"):
        visualise(network, objective, Fourier(range(2), 64, 64), transform=Crops(32), pace=PLAIN)


def test_progress_runs_once_from_the_first_step_of_all_batches_to_the_last(network):
    reports = []

    visualise(
        network,
        objectives.logit(range(5)),
        Fourier(range(5), 32, 32),
        steps=3,
        pace=Pace(batch=2),
        progress=lambda done, total: reports.append((done, total)),
    )

    assert reports == [(done, 9) for done in range(1, 10)]
