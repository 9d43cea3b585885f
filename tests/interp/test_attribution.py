import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

from generator.interp import attribution
from generator.interp.attribution import grad_cam, integrated_gradients, occlusion, saliency

generator = torch.Generator().manual_seed(0)
WEIGHT = torch.randn(2, 6, 6, generator=generator)
IMAGES = torch.rand(3, 2, 6, 6, generator=generator)
GREY = torch.full_like(IMAGES, 0.5)


def linear(images):
    return (images * WEIGHT).sum((1, 2, 3)) + 7


class Network(nn.Module):
    """Two convolutions, the second's output overwritten in place, and a head that reads every position."""

    def __init__(self, inplace=True, seed=0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.first = nn.Conv2d(2, 4, 3, padding=1)
            self.second = nn.Conv2d(4, 5, 3, stride=2, padding=1)
            self.relu = nn.ReLU(inplace=inplace)
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(45, 4))

    def forward(self, images):
        return self.head(self.relu(self.second(self.first(images).tanh())))


def hooks_of(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def literal_grad_cam(network, layer, image, target):
    """Equations 1 and 2 as they stand, position by position; the derivative by central differences."""
    network = network.double()
    with torch.no_grad():
        kept = {}
        handle = network.get_submodule(layer).register_forward_hook(lambda m, i, o: kept.update(a=o.clone()))
        network(image[None].double())
        handle.remove()
        activation = kept["a"][0]
        channels, height, width = activation.shape

        def logit(changed):
            handle = network.get_submodule(layer).register_forward_hook(lambda m, i, o: changed[None].clone())
            score = network(image[None].double())[0, target]
            handle.remove()
            return float(score)

        step, total = 1e-5, torch.zeros(height, width)
        for k in range(channels):
            alpha = 0.0
            for i in range(height):
                for j in range(width):
                    up, down = activation.clone(), activation.clone()
                    up[k, i, j] += step
                    down[k, i, j] -= step
                    alpha += (logit(up) - logit(down)) / (2 * step)
            alpha /= height * width
            for i in range(height):
                for j in range(width):
                    total[i, j] += alpha * float(activation[k, i, j])
        return torch.where(total > 0, total, torch.zeros(()))


def test_saliency_of_a_linear_score_is_the_largest_weight_of_each_pixel():
    torch.testing.assert_close(saliency(linear, IMAGES), WEIGHT.abs().amax(0).expand(3, 6, 6))


def test_integrated_gradients_of_a_linear_score_are_weight_times_difference():
    found = integrated_gradients(linear, IMAGES, GREY, steps=2)

    torch.testing.assert_close(found, ((IMAGES - GREY) * WEIGHT).sum(1))


def test_integrated_gradients_add_up_to_the_rise_of_the_score():
    def curved(images):
        return (images * WEIGHT).sum((1, 2, 3)).tanh() + images.square().sum((1, 2, 3))

    found = integrated_gradients(curved, IMAGES, GREY, steps=32)

    torch.testing.assert_close(found.sum((1, 2)), curved(IMAGES) - curved(GREY), atol=1e-4, rtol=1e-4)


def test_occlusion_of_a_linear_score_is_the_part_that_is_covered():
    found = occlusion(linear, IMAGES, GREY, window=2, stride=2)

    parts = ((IMAGES - GREY) * WEIGHT).sum(1)  # (3, 6, 6)
    covered = parts.view(3, 3, 2, 3, 2).sum((2, 4)).repeat_interleave(2, 1).repeat_interleave(2, 2)
    torch.testing.assert_close(found, covered, atol=1e-5, rtol=1e-5)


def test_where_windows_overlap_a_pixel_has_their_mean():
    row = torch.tensor([1.0, 2.0, 4.0, 8.0]).view(1, 1, 1, 4)

    found = occlusion(lambda images: images.sum((1, 2, 3)), row, torch.zeros_like(row), window=2, stride=1)

    assert found.flatten().tolist() == [3, 4.5, 9, 12]


def test_windows_are_covered_many_at_once(monkeypatch):
    sizes = []

    def watched(images):
        sizes.append(len(images))
        return linear(images)

    monkeypatch.setattr(attribution, "BATCH", 6)
    occlusion(watched, IMAGES[:1], GREY[:1], window=2, stride=2)

    assert sizes == [1, 6, 3], "the image itself, then nine windows"


@pytest.mark.parametrize("layer", ["first", "second", "relu"])
def test_grad_cam_is_what_its_equations_say(layer):
    found = grad_cam(Network(), layer, IMAGES, [2, 0, 3])

    expected = torch.stack([literal_grad_cam(Network(), layer, *pair) for pair in zip(IMAGES, [2, 0, 3], strict=True)])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert bool(found.any())


def test_grad_cam_is_the_same_in_batches(monkeypatch):
    whole = grad_cam(Network(), "second", IMAGES, [2, 0, 3])
    monkeypatch.setattr(attribution, "BATCH", 2)

    torch.testing.assert_close(grad_cam(Network(), "second", IMAGES, [2, 0, 3]), whole)


def test_grad_cam_agrees_with_captum_where_nothing_works_in_place():
    network = Network(inplace=False)

    theirs = LayerGradCam(network, network.second).attribute(IMAGES, [2, 0, 3], relu_attributions=True)

    torch.testing.assert_close(grad_cam(network, "second", IMAGES, [2, 0, 3]), theirs[:, 0].detach())


def test_grad_cam_reads_a_layer_before_the_in_place_operation_that_follows_it():
    plain, in_place = (grad_cam(Network(inplace), "second", IMAGES, [1, 1, 1]) for inplace in (False, True))

    torch.testing.assert_close(plain, in_place)


def test_grad_cam_asks_for_no_gradient_of_weights_and_leaves_no_hook():
    network = Network()
    frozen = grad_cam(Network().requires_grad_(False), "second", IMAGES, [1, 2, 3])

    found = grad_cam(network, "second", IMAGES, [1, 2, 3])

    torch.testing.assert_close(found, frozen)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert hooks_of(network) == 0
    assert torch.is_grad_enabled()


def test_grad_cam_of_a_layer_that_gives_a_tuple_is_of_its_first_tensor():
    class Pair(nn.Module):
        def forward(self, x):
            return x, "more"

    class WithPair(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.pair = Network(), Pair()

        def forward(self, images):
            x, more = self.pair(self.inner.second(self.inner.first(images).tanh()))
            assert more == "more"
            return self.inner.head(x.relu())

    torch.testing.assert_close(
        grad_cam(WithPair(), "pair", IMAGES, [0, 1, 2]), grad_cam(Network(), "second", IMAGES, [0, 1, 2])
    )


def test_grad_cam_refuses_a_layer_without_positions_or_influence_and_leaves_no_hook():
    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.aside, self.unused, self.main = nn.Conv2d(2, 1, 1), nn.Conv2d(2, 1, 1), Network()

        def forward(self, images):
            self.aside(images)
            return self.main(images)

    network = Aside()
    for layer, message in (
        ("main.head", "has no height and width"),
        ("aside", "do not depend on what layer 'aside' gives"),
        ("unused", "'unused' does not run"),
    ):
        for one in (network, network.requires_grad_(False)):
            with pytest.raises((ValueError, KeyError), match=message):
                grad_cam(one, layer, IMAGES, [0, 0, 0])

    assert hooks_of(network) == 0
    assert torch.is_grad_enabled()
