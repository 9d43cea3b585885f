"""Dictionaries of features: closed forms of each architecture, and what is wrong with their weights."""

import pytest
import torch

from generator.interp.dictionaries import dictionary
from generator.interp.reading import Clamp

# Two numbers, three features: the first number, the second, and the first's opposite.
TENSORS = {
    "W_enc": torch.tensor([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "b_enc": torch.tensor([0.0, -0.5, 0.0]),
    "W_dec": torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]),
    "b_dec": torch.tensor([1.0, 0.0]),
    "threshold": torch.tensor([2.5, 0.0, 0.0]),
}
VALUES = torch.tensor([[[3.0, 2.0], [0.0, 0.0]]])  # (batch, time, width)


@pytest.mark.parametrize(
    ("architecture", "centred", "expected"),
    [
        ("standard", False, [[3.0, 1.5, 0.0], [0.0, 0.0, 0.0]]),
        ("standard", True, [[2.0, 1.5, 0.0], [0.0, 0.0, 1.0]]),
        ("jumprelu", True, [[0.0, 1.5, 0.0], [0.0, 0.0, 1.0]]),
        ("topk", True, [[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    ],
)
def test_features_are_active_as_their_architecture_says(architecture: str, centred: bool, expected: list) -> None:
    features = dictionary(TENSORS, architecture, centred=centred, most=1)

    assert features.read(VALUES)[0].tolist() == expected


def test_decoding_adds_up_the_directions_of_the_active_features() -> None:
    assert dictionary(TENSORS, "standard", centred=True).decode(torch.tensor([2.0, 1.5, 0.0])).tolist() == [3.0, 1.5]


def test_holding_a_feature_changes_the_layer_by_its_direction_alone() -> None:
    features = dictionary(TENSORS, "standard", centred=True)

    held = features.hold(VALUES, Clamp("feature", torch.tensor([1]), torch.tensor([4.0])))

    torch.testing.assert_close(held - VALUES, torch.tensor([[[0.0, 2.5], [0.0, 4.0]]]))


@pytest.mark.parametrize(
    ("changes", "architecture", "message"),
    [
        ({}, "gated", "architecture 'gated' is not known, only standard, jumprelu, topk"),
        ({"threshold": None}, "jumprelu", "there is no threshold, only W_dec, W_enc, b_dec, b_enc"),
        ({"W_dec": torch.ones(2, 3)}, "standard", r"W_dec is \(2, 3\); beside this W_enc it should be \(3, 2\)"),
        ({"b_enc": torch.ones(2)}, "standard", r"b_enc is \(2,\); beside this W_enc it should be \(3,\)"),
        ({"W_enc": torch.ones(3)}, "standard", r"W_enc is \(3,\); it should be \(width, features\)"),
        ({}, "topk", "does not say how many features are active at once: k"),
    ],
)
def test_weights_that_are_no_dictionary_are_told(changes: dict, architecture: str, message: str) -> None:
    tensors = {name: tensor for name, tensor in (TENSORS | changes).items() if tensor is not None}

    with pytest.raises(ValueError, match=message):
        dictionary(tensors, architecture, centred=True)
