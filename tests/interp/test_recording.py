"""Means and maxima of layers, against answers known on paper."""

import pytest
import torch

from generator.interp import hooks
from generator.interp.recording import means_and_maxima
from tests.nets import vision


def test_means_maxima_and_their_places_are_those_of_the_maps() -> None:
    first = torch.zeros(1, 2, 2, 3)
    first[0, 0, 1, 2] = 6.0
    first[0, 1] = -1.0
    record = means_and_maxima([first, first + 1])

    assert record.means.tolist() == [[1.0, -1.0], [2.0, 0.0]]
    assert record.maxima.tolist() == [[6.0, -1.0], [7.0, 0.0]]
    assert record.positions.tolist() == [[[1, 2], [0, 0]], [[1, 2], [0, 0]]]
    assert record.size == (2, 3)


def test_batches_change_nothing() -> None:
    network = vision().eval()
    images = torch.rand(7, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    records = [
        means_and_maxima(hooks.activations(network, batch, "relu1")["relu1"] for batch in images.split(size))
        for size in (7, 2)
    ]

    torch.testing.assert_close(records[0].means, records[1].means)
    torch.testing.assert_close(records[0].maxima, records[1].maxima)
    assert torch.equal(records[0].positions, records[1].positions)
    assert records[0].means.shape == (7, 8)
    assert not records[0].means.requires_grad


def test_tokens_are_a_row_and_the_units_of_a_linear_layer_points() -> None:
    tokens = torch.tensor([[[1.0, 0.0], [3.0, -2.0], [2.0, 5.0]]])  # (batch, tokens, channels)

    assert hooks.maps(tokens).shape == (1, 2, 1, 3)
    assert means_and_maxima([tokens]).means.tolist() == [[2.0, 1.0]]
    assert means_and_maxima([tokens]).positions.tolist() == [[[0, 1], [0, 2]]]
    assert means_and_maxima([tokens[:, 0]]).maxima.tolist() == [[1.0, 0.0]]


def test_half_precision_is_averaged_in_single() -> None:
    assert means_and_maxima([torch.full((1, 1, 300, 300), 0.1).half()]).means.dtype == torch.float32


def test_an_output_of_no_known_shape_is_told() -> None:
    with pytest.raises(ValueError, match=r"shape \(2,\) is neither maps, nor tokens"):
        means_and_maxima([torch.zeros(2)])
