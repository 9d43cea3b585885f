from collections import OrderedDict

import pytest
import torch
from torch import nn

from generator.interp.atlas import agreement, cells, sampled, whitened
from generator.interp.hooks import activations


def network():
    """Layer `a` gives (batch, 2, 2, 2); the outputs weigh its eight numbers by 1 to 8, and by -1 each."""
    head = nn.Linear(8, 2, bias=False)
    head.weight.data = torch.stack([torch.arange(1.0, 9.0), -torch.ones(8)])
    return nn.Sequential(OrderedDict(a=nn.Identity(), flat=nn.Flatten(), head=head)).requires_grad_(False)


def test_of_each_image_the_activations_at_its_place_are_kept():
    images = torch.arange(16.0).view(2, 2, 2, 2)

    found = sampled(network(), "a", [images], torch.tensor([0.0, 0.99]))

    assert found.positions == 4
    assert found.vectors.tolist() == [[0, 4], [11, 15]]  # both channels at the first and at the last position


def test_support_of_a_linear_output_is_weight_times_activation_at_the_place_alone():
    images = torch.arange(16.0).view(2, 2, 2, 2)

    found = sampled(network(), "a", [images], torch.tensor([0.0, 0.99]))

    assert found.support.tolist() == [[0 * 1 + 4 * 5, -4], [11 * 4 + 15 * 8, -26]]


def test_support_is_gradient_times_activation_for_every_output_at_once():
    torch.manual_seed(0)
    deep = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(80, 3)).eval()
    images, places = torch.rand(2, 3, 8, 8), torch.tensor([0.3, 0.8])

    found = sampled(deep, "1", [images[:1], images[1:]], places)

    hidden = activations(deep, images, "1")["1"].detach().requires_grad_()
    for output in range(3):
        (slope,) = torch.autograd.grad(deep[2:](hidden)[:, output].sum(), hidden)
        product = (hidden * slope).detach().flatten(2).sum(1)  # (images, positions)
        expected = product[torch.arange(2), (places * 36).long()]
        torch.testing.assert_close(found.support[:, output], expected)


def test_the_second_moment_is_over_all_positions_of_all_batches():
    torch.manual_seed(0)
    images = torch.rand(3, 2, 2, 2)
    every = images.flatten(2).transpose(1, 2).reshape(-1, 2)  # (positions of all images, channels)

    found = sampled(network(), "a", [images[:2], images[2:]], torch.rand(3))

    torch.testing.assert_close(found.moment, every.T @ every / len(every))


def test_tokens_and_flat_outputs_have_channels_too():
    torch.manual_seed(0)
    tokens = nn.Sequential(nn.Linear(4, 3), nn.Flatten(), nn.Linear(15, 2)).requires_grad_(False)
    images = torch.rand(2, 5, 4)  # five tokens

    by_token = sampled(tokens, "0", [images], torch.tensor([0.0, 0.5]))
    flat = sampled(tokens, "1", [images], torch.tensor([0.0, 0.5]))

    torch.testing.assert_close(by_token.vectors, tokens[0](images)[[0, 1], [0, 2]])
    assert (by_token.positions, flat.positions) == (5, 1)
    torch.testing.assert_close(flat.support, tokens[1:](tokens[0](images)) - tokens[2].bias)


def test_attention_has_a_support():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    deep = nn.Sequential(nn.Linear(4, 8), layer, nn.Flatten(), nn.Linear(24, 2)).eval().requires_grad_(False)

    found = sampled(deep, "0", [torch.rand(2, 3, 4)], torch.tensor([0.0, 0.5]))

    assert bool((found.support.abs() > 1e-6).all())


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("sum", "gives one number for an image"),
        ("twice", "runs more than once"),
        ("aside", "nothing that the network returns depends on it"),
    ],
)
def test_a_layer_that_cannot_be_sampled_is_refused_and_no_hook_is_left(layer, message):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.sum, self.twice, self.aside = nn.Flatten(0), nn.ReLU(), nn.ReLU()

        def forward(self, images):
            self.aside(images)
            return self.sum(self.twice(self.twice(images)).mean((1, 2, 3)))[:, None]

    odd = Odd()

    with pytest.raises(ValueError, match=message):
        sampled(odd, layer, [torch.rand(2, 3, 4, 4)], torch.rand(2))
    assert not any(module._forward_hooks for module in odd.modules())


def test_whitening_divides_by_the_second_moment():
    found = whitened(torch.tensor([[1.0, 1.0]]), torch.diag(torch.tensor([4.0, 1.0])))

    # 99 parts of the moment and one of its mean, 2.5
    torch.testing.assert_close(found, torch.tensor([[1 / (0.99 * 4 + 0.025), 1 / (0.99 + 0.025)]]))


def test_cells_go_row_by_row_and_what_lies_beyond_is_at_the_edge():
    line = torch.linspace(0, 1, 101)
    layout = torch.cat([torch.stack([line, line], 1), torch.tensor([[0.99, 0.01], [0.01, 0.99], [0.5, -9.0]])])

    found = cells(layout, 3)

    assert found[[0, 50, 100]].tolist() == [0, 4, 8]
    assert found[-3:].tolist() == [2, 6, 1]


def test_points_of_one_place_are_one_cell():
    assert len(set(cells(torch.ones(5, 2), 4).tolist())) == 1


def test_agreement_is_the_share_with_the_most_frequent_label_of_their_cell():
    labels, places = torch.tensor([0, 0, 1, 2, 2]), torch.tensor([3, 3, 3, 1, 1])

    assert agreement(labels, places) == pytest.approx(4 / 5)
