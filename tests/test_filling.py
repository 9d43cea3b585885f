"""Networks take the weights that fit them, and what does not fit is named."""

import re

import pytest
import torch
from torch import Tensor, nn

from generator.filling import check_widths, fill
from generator.weights import Weights


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def state(value: float) -> dict[str, Tensor]:
    return {name: torch.full_like(tensor, value) for name, tensor in network().state_dict().items()}


def test_a_network_has_the_weights_afterwards() -> None:
    one = network()

    fill(one, Weights(state(2)))

    assert all((tensor == 2).all() for tensor in one.state_dict().values())


def test_what_pytorch_adds_to_older_checkpoints_is_not_missed() -> None:
    older = {name: tensor for name, tensor in state(2).items() if name != "1.num_batches_tracked"}

    fill(network(), Weights(older))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.wait": torch.zeros(3, 2)}, "it holds '0.wait', which the network has not; did you mean '0.weight'?"),
        ({"0.bias": None}, "it lacks '0.bias'; did you mean '1.bias'?"),
        ({"0.weight": torch.zeros(3, 5)}, "'0.weight' is (3, 5) in the checkpoint and (3, 2) in the network"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Tensor | None], message: str) -> None:
    tensors = {name: tensor for name, tensor in {**state(1), **change}.items() if tensor is not None}

    with pytest.raises(ValueError, match=re.escape(message)):
        fill(network(), Weights(tensors))


def test_a_width_that_no_tensor_has_is_named_before_a_network_is_made() -> None:
    check_widths(Weights(state(1)), {"0.weight": 2})
    check_widths(Weights({}), {"0.weight": 10**12})

    with pytest.raises(ValueError, match="0.weight is not 1000000000000 wide"):
        check_widths(Weights(state(1)), {"0.weight": 10**12})
