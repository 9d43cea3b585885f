import pytest
import torch

from generator.interp.moments import Moments


def test_moments_of_pieces_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    values = torch.randn(1000, 3) * torch.tensor([1.0, 10.0, 0.1]) + torch.tensor([0.0, 5.0, 1e4])
    found = Moments(3)
    for piece in values.split([1, 0, 400, 599]):
        found.add(piece)

    assert found.count == 1000
    torch.testing.assert_close(found.mean, values.double().mean(0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.variance(), values.double().var(0, correction=0), rtol=1e-3, atol=0)


def test_nothing_seen_has_no_variance() -> None:
    assert Moments(2).variance().tolist() == pytest.approx([0, 0])
