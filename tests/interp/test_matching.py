"""Correlations of units against numpy's, and pairs that are known."""

import numpy as np
import pytest
import torch

from generator.interp import matching


def pieces(first: torch.Tensor, second: torch.Tensor, size: int = 7):
    return zip(first.split(size), second.split(size), strict=True)


def test_correlations_are_those_of_numpy_however_the_positions_are_cut():
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(50, 3, generator=generator) + 1000
    second = torch.randn(50, 4, generator=generator) * 5

    found, *_ = matching.correlations(pieces(first, second))

    expected = np.corrcoef(first.double().numpy().T, second.double().numpy().T)[:3, 3:]
    assert found.numpy() == pytest.approx(expected, abs=1e-9)


def test_a_unit_that_never_changes_correlates_with_nothing():
    first = torch.stack([torch.arange(9.0), torch.ones(9)], 1)

    found, still, _ = matching.correlations(pieces(first, first))

    assert found.tolist() == [[pytest.approx(1), 0], [0, 0]]
    assert still.tolist() == [False, True]


def test_partners_are_found_again_after_a_shuffle_and_a_change_of_sign():
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(200, 6, generator=generator)
    order = torch.randperm(6, generator=generator)
    second = -first[:, order] + 0.1 * torch.randn(200, 6, generator=generator)

    rows, columns = matching.partners(matching.correlations(pieces(first, second))[0])

    assert order[columns].tolist() == rows.tolist()


def test_no_positions_and_no_numbers_are_told():
    with pytest.raises(ValueError, match="nothing to compare"):
        matching.correlations([])
    with pytest.raises(ValueError, match="not numbers"):
        matching.correlations([(torch.tensor([[float("nan")], [1.0]]), torch.ones(2, 1))])


def test_a_piece_of_no_positions_changes_nothing():
    generator = torch.Generator().manual_seed(2)
    one, other = torch.randn(9, 2, generator=generator), torch.randn(9, 3, generator=generator)
    nothing = (one[:0], other[:0])

    found, *_ = matching.correlations([nothing, (one, other), nothing])

    assert torch.equal(found, matching.correlations([(one, other)])[0])


def test_positions_are_spread_over_maps_and_keep_their_channels():
    maps = torch.arange(2 * 3 * 8 * 8.0).view(2, 3, 8, 8)

    found = matching.spread(maps, 4)

    assert found.shape == (2 * 4 * 4, 3)
    assert found[0].tolist() == maps[0, :, 0, 0].tolist()
    assert found[1].tolist() == maps[0, :, 0, 2].tolist()
