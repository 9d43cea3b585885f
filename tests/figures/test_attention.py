"""Heads on a text: what is told of each is what their weights are."""

import base64
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import nn

from generator.figures.attention import Options, compute
from generator.inputs import Inputs
from generator.interp.hooked import Hooked, given
from generator.interp.tokenising import characters
from generator.model import Model
from generator.spec import BuildError

WEIGHTS = torch.tensor([[1.0, 0.0, 0.0], [0.64, 0.36, 0.0], [0.01, 0.25, 0.74]])


def reading(attention=lambda ids: torch.stack([WEIGHTS, WEIGHTS.flip(1)])[None]):
    network = nn.Sequential(nn.Embedding(3, 4)).eval()

    def run(ids, there, state):
        network(ids)
        return None, None  # it has no logits

    reader = Hooked(network, given(network), characters("?a "), 8, run, attention=attention)
    return Model("m", network, reader=reader)


@dataclass(frozen=True)
class Known(Inputs):
    library: None = None
    known: Model = field(default_factory=reading)

    @property
    def model(self):
        return self.known


def computed(text="a a", known=None, **more):
    return compute(Options(model="m", text={"literal": text}, **more), Known(known=known or reading()))


def test_a_head_is_told_by_where_its_weight_lies():
    measures = computed().measures

    assert measures["0.0.previous"] == pytest.approx((0.64 + 0.25) / 2, abs=1e-4)
    assert measures["0.0.same"] == pytest.approx((1 + 0.36 + 0.74) / 3, abs=1e-4)
    assert measures["0.0.first"] == pytest.approx((1 + 0.64 + 0.01) / 3, abs=1e-4)
    assert measures["0.0.distance"] == pytest.approx((0.64 + 0.25 + 2 * 0.01) / 3, abs=1e-3)
    assert (measures["layers"], measures["heads"], measures["tokens"]) == (1, 2, 3)


def test_weights_travel_as_square_roots_of_a_byte():
    (row,) = computed().data["heads"]

    bytes_ = np.frombuffer(base64.b64decode(row[1]["roots"]), np.uint8).reshape(3, 3)

    np.testing.assert_allclose((bytes_ / 255) ** 2, WEIGHTS.flip(1), atol=0.004)
    assert row[1]["most"] == [[2, 1.0], [2, 0.64], [0, 0.74]]


def test_the_head_that_is_asked_for_is_drawn_first_and_all_stand_in_one_sheet():
    artifact = computed(head="0.1")

    assert artifact.data["levels"][0] == [10, 10, 20]
    assert artifact.data["levels"][1] == [10, 16, 18]
    assert artifact.data["tokens"] == ("a", "·", "a")
    assert artifact.arrays["heads"].shape == (3, 6, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "a"}, "it has 1 tokens, and 2 to 8 are drawn; give it a longer one"),
        ({"text": "a" * 9}, "it has 9 tokens, and 2 to 8 are drawn; give it a shorter `length`"),
        ({"head": "1.0"}, "head: there is no 1.0; layers are 0 to 0, heads 0 to 1"),
        ({"known": reading(None)}, "model m has no attention heads that are known"),
        ({"known": Model("m", nn.Identity())}, "model m reads no text"),
        ({"known": reading(lambda ids: torch.full((1, 1, 3, 3), torch.nan))}, "some attention weights are not numbers"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments, message):
    with pytest.raises(BuildError, match=message):
        computed(**arguments)
