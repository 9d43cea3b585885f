import numpy as np
import pytest
import torch

from generator.figures.activation_maps import Options, compute
from generator.interp.heatmaps import drawn
from generator.seeing import resized
from generator.spec import BuildError
from tests.figures.seeing_inputs import SIDE, Given, Seeing


def options(**more):
    base = {"model": "given", "image": {"sample": "chelsea"}, "layer": "conv", "size": SIDE}
    return Options.model_validate({**base, **more})


def activation():
    pixels, _ = Given().labelled_picture(None)
    images = torch.tensor(resized(pixels, SIDE, SIDE)).permute(2, 0, 1)[None] / 255
    return Given().model.network.conv(images)[0]  # (6, 8, 8)


def test_the_most_active_channels_are_those_with_the_highest_maximum():
    artifact = compute(options(count=3), Given(make=lambda: Seeing(inplace=False)))

    expected = activation().amax((1, 2)).argsort(descending=True)[:3].tolist()
    assert [one["channel"] for one in artifact.data["maps"]] == expected
    assert artifact.data["chosen"]


def test_of_equal_maxima_the_higher_mean_comes_first():
    class Saturated(Seeing):
        def __init__(self):
            super().__init__()
            self.cap = torch.nn.Hardtanh(-1.0, 0.01)

        def forward(self, images):
            return super().forward(self.cap(self.conv(images))[:, :3])

    artifact = compute(options(layer="cap", count=6), Given(make=Saturated))

    keys = [(artifact.measures[f"{one['array']}.max"], artifact.measures[f"{one['array']}.mean"]) for one in artifact.data["maps"]]  # fmt: skip
    assert keys == sorted(keys, reverse=True)
    assert keys[0][0] == keys[1][0]


def test_the_authors_channels_are_shown_in_their_order_with_maximum_and_mean():
    artifact = compute(options(channels=[4, 0]), Given(make=lambda: Seeing(inplace=False)))

    assert list(artifact.arrays) == ["image", "channel-4", "channel-0"]
    assert not artifact.data["chosen"]
    for channel in (4, 0):
        assert artifact.measures[f"channel-{channel}.max"] == pytest.approx(float(activation()[channel].max()))
        assert artifact.measures[f"channel-{channel}.mean"] == pytest.approx(float(activation()[channel].mean()))


def test_maps_share_one_scale_or_have_their_own():
    shared = compute(options(channels=[4, 0]), Given(make=lambda: Seeing(inplace=False)))
    each = compute(options(channels=[4, 0], scale="each"), Given(make=lambda: Seeing(inplace=False)))

    largest = [float(activation()[channel].abs().max()) for channel in (4, 0)]
    ground = shared.arrays["image"]
    assert np.array_equal(shared.arrays["channel-4"], drawn(ground, activation()[4], max(largest), smooth=True))
    for channel, own in zip((4, 0), largest, strict=True):
        expected = drawn(ground, activation()[channel], own, smooth=True)
        assert np.array_equal(each.arrays[f"channel-{channel}"], expected)
    assert shared.data["full"] == pytest.approx(max(largest))


def test_a_channel_that_is_zero_everywhere_is_called_silent():
    class Deaf(Seeing):
        def __init__(self):
            super().__init__()
            self.conv.weight.data[2], self.conv.bias.data[2] = 0, 0

    shown = compute(options(channels=[2, 3]), Given(make=Deaf)).data["maps"]

    assert [one["silent"] for one in shown] == [True, False]


def test_colours_have_two_signs_only_where_a_value_is_negative():
    assert compute(options(), Given(make=lambda: Seeing(inplace=False))).data["signed"]
    assert not compute(options(layer="relu"), Given()).data["signed"]


def test_a_channel_or_layer_that_cannot_be_shown_is_named():
    with pytest.raises(BuildError, match="layer conv of model given has channels 0 to 5, not 6"):
        compute(options(channels=[6]), Given())
    with pytest.raises(BuildError, match=r"layer head of model given gives \(4,\) for an image, without height"):
        compute(options(layer="head"), Given())


def test_activations_that_are_no_numbers_are_refused():
    class Broken(Seeing):
        def __init__(self):
            super().__init__()
            self.conv.weight.data[0] = float("nan")

    with pytest.raises(BuildError, match="layer conv of model given: some activations are NaN or infinite"):
        compute(options(), Given(make=Broken))
