"""Receptive fields, against those that follow from the sizes of the kernels."""

import math
from collections import OrderedDict

import pytest
import torch
from torch import nn

from generator.interp.receptive import Field, field

NOISE = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def convolutions(*kernels: int, stride: int = 1) -> nn.Module:
    torch.manual_seed(0)
    layers = OrderedDict()
    channels = 3
    for number, kernel in enumerate(kernels):
        layers[f"conv{number}"] = nn.Conv2d(channels, 6, kernel, stride=stride, padding=kernel // 2)
        channels = 6
    return nn.Sequential(layers)


@pytest.mark.parametrize(("kernels", "width"), [((1,), 1), ((3,), 3), ((3, 3), 5), ((5, 3), 7)])
def test_a_field_is_as_wide_as_the_kernels_say(kernels: tuple[int, ...], width: int) -> None:
    found = field(convolutions(*kernels), f"conv{len(kernels) - 1}", NOISE)

    # The middle position of 32 is 16, whose centre is 16.5 pixels from the edge.
    top, left, bottom, right = found.box(16, 16, (32, 32))
    assert (top * 32, left * 32) == pytest.approx((16.5 - width / 2, 16.5 - width / 2))
    assert ((bottom - top) * 32, (right - left) * 32) == pytest.approx((width, width))


@pytest.mark.parametrize("side", [0, 4])
def test_a_position_that_looks_to_one_side_sees_as_far_as_its_farthest_pixel(side: int) -> None:
    network = convolutions(5)
    with torch.no_grad():
        network[0].weight[:, :, [one for one in range(5) if one != side]] = 0

    # Two pixels above or below the middle one, whose centre is half a pixel from its edge.
    assert field(network, "conv0", NOISE).vertical * 32 == pytest.approx(2.5)


@pytest.mark.parametrize("scale", [0.01, 100.0])
@pytest.mark.parametrize(("share", "width"), [(0.001, 1), (0.1, 3)])
def test_what_counts_is_more_than_a_hundredth_of_the_strongest_gradient(share: float, width: int, scale: float) -> None:
    network = convolutions(3)
    with torch.no_grad():
        network[0].weight[:] = scale
        network[0].weight[:, :, [0, 2]] *= share

    assert field(network, "conv0", NOISE).vertical * 32 == pytest.approx(width / 2)


def test_a_stride_makes_steps_in_the_image() -> None:
    found = field(convolutions(3, stride=2), "conv0", NOISE)

    # Pixels 7, 8 and 9 of which 9 is the centre of position 4: one more to the right, as a box has its centre there.
    top, _, bottom, _ = found.box(4, 4, (16, 16))
    assert (top * 32, bottom * 32) == pytest.approx((7, 11))


def test_at_an_edge_the_box_is_moved_inside_and_keeps_its_size() -> None:
    small = Field(0.1, 0.2)

    assert small.box(0, 9, (10, 10)) == pytest.approx((0.0, 0.6, 0.2, 1.0))


def test_a_field_that_the_edge_cuts_on_one_side_is_as_wide_as_on_the_other() -> None:
    """A stride of 16 leaves 2 × 2 positions; the middle one, of 17 pixels, looks from 16 to 32 and 8 beyond 16."""
    network = nn.Sequential(nn.Conv2d(3, 6, 17, stride=16, padding=8))

    top, _, bottom, _ = field(network, "0", NOISE).box(0, 0, (2, 2))
    assert (top, bottom) == (0, pytest.approx(1.0))


def test_what_sees_everything_is_shown_everything() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))

    assert field(network, "3", NOISE).box(0, 0, (1, 1)) == (0, 0, 1, 1)


def test_tokens_are_shown_the_whole_image() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 8, stride=8), nn.Flatten(2))
    network.append(swapped := nn.Identity())
    swapped.forward = lambda output: output.transpose(1, 2)

    assert field(network, "2", NOISE) == Field(math.inf, math.inf)


def test_a_layer_without_gradient_leaves_nothing_out() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
    with torch.no_grad():
        network[0].bias.fill_(-1000)

    found = field(network, "1", NOISE)
    assert found == Field(math.inf, math.inf)
    assert found.box(3, 3, (32, 32)) == (0, 0, 1, 1)


def test_a_first_layer_that_writes_in_place_is_no_obstacle_and_no_hook_is_left() -> None:
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True))

    top, _, bottom, _ = field(network, "1", NOISE).box(16, 16, (32, 32))
    assert (bottom - top) * 32 == pytest.approx(3)
    assert not any(module._forward_hooks for module in network.modules())
