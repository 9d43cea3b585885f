"""A deep network of random weights, before and after its batch norms know their inputs."""

import pytest
import torch
from torch import nn

from generator.interp.settling import noise, settle


def deep(norms: bool = True) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [
        one
        for number in range(12)
        for one in (
            nn.Conv2d(8 if number else 3, 8, 3, padding=1),
            nn.BatchNorm2d(8) if norms else nn.Identity(),
            nn.ReLU(),
        )
    ]
    return nn.Sequential(*layers, nn.Dropout(0.5)).eval().requires_grad_(False)


def test_a_signal_that_died_out_passes_a_settled_network() -> None:
    network, images = deep(), noise(3, 32, 32)
    before = float(network(images).std(0).mean())
    settle(network, images)

    assert before < 0.01
    assert float(network(images).std(0).mean()) > 0.1


def test_a_settled_network_normalises_the_images_that_it_was_settled_on() -> None:
    network, images = deep(), noise(3, 32, 32)
    settle(network, images)
    first = network[:2](images)

    torch.testing.assert_close(first.mean((0, 2, 3)), torch.zeros(8), atol=1e-3, rtol=0)
    torch.testing.assert_close(first.std((0, 2, 3)), torch.ones(8), atol=1e-2, rtol=0)


def test_settling_changes_no_weights_and_no_mode() -> None:
    network = deep()
    weights = [one.clone() for one in network.parameters()]
    settle(network, noise(3, 32, 32))

    assert all(torch.equal(one, other) for one, other in zip(weights, network.parameters(), strict=True))
    assert not any(module.training for module in network.modules())
    assert network[1].momentum == 0.1


def test_a_network_without_batch_norms_is_not_run() -> None:
    settle(deep(norms=False), torch.zeros(1, 99))


def test_noise_is_the_same_each_time_and_mostly_coarse() -> None:
    images = noise(3, 64, 64)
    power = torch.fft.fft2(images - images.mean()).abs().square().mean((0, 1))

    assert torch.equal(images, noise(3, 64, 64))
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    assert float(images.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(images.std()) == pytest.approx(0.25, abs=0.03)
    assert float(power[1:4, 1:4].mean()) > 50 * float(power[20:24, 20:24].mean())
