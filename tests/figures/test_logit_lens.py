"""The lens on a model whose layers are known: each copies its token, and the head reads it off."""

from collections import OrderedDict
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from generator.figures.logit_lens import Options, compute
from generator.inputs import Inputs
from generator.interp.hooked import Directions, Hooked, Site
from generator.interp.tokenising import characters
from generator.model import Model
from generator.spec import BuildError


def lens(tells=None, groups=("residual 0", "residual 1"), unembed=True):
    """The first layer knows its token, the second what comes next: the following letter of abcd, with logit 2."""
    first, second = nn.Embedding(4, 4), nn.Linear(4, 4, bias=False)
    first.weight.data = torch.eye(4)
    second.weight.data = 2 * torch.eye(4).roll(1, 0)
    network = nn.Sequential(OrderedDict(first=first, second=second)).eval().requires_grad_(False)
    sites = {
        name: Site(module, False, Directions(4))
        for name, module in (("residual 0", first), ("residual 1", second))
        if name in groups
    }
    reader = Hooked(
        network,
        sites or {"other": Site(first, False, Directions(4))},
        characters("dabc"),
        8,
        lambda ids, there, state: (network(ids) if tells is None else tells(network(ids)), None),
        unembed=(lambda stream: stream) if unembed else None,
    )
    return Model("m", network, reader=reader)


@dataclass(frozen=True)
class Known(Inputs):
    library: None = None
    known: Model = field(default_factory=lens)

    @property
    def model(self):
        return self.known


def computed(text="abcab", known=None):
    return compute(Options(model="m", text={"literal": text}), Known(known=known or lens()))


def test_each_layers_best_guess_is_told_with_its_probability_from_the_last_layer_down():
    last, first = computed().data["rows"]

    assert (last["layer"], first["layer"]) == ("1", "0")
    assert [cell["guesses"][0]["token"] for cell in first["cells"]] == list("abcab")
    assert [cell["guesses"][0]["token"] for cell in last["cells"]] == list("bcdbc")
    share = float(torch.tensor([2.0, 0, 0, 0]).softmax(0)[0])
    assert last["cells"][0]["guesses"][0]["share"] == pytest.approx(share, abs=1e-3)
    assert last["cells"][0]["level"] == 10 + round(10 * share)


def test_a_guess_is_right_where_the_next_token_is_it_and_nothing_is_known_of_the_last():
    artifact = computed()  # a b c a b: after c the model says d

    assert [cell["right"] for cell in artifact.data["rows"][0]["cells"]] == [True, True, False, True, False]
    assert artifact.data["right"] == list("bcab")
    assert artifact.measures["layer-1.right"] == 0.75
    assert artifact.measures["layer-0.right"] == 0


def test_the_last_layer_agrees_with_itself_and_others_diverge():
    measures = computed().measures

    assert (measures["layer-1.agreement"], measures["layer-1.divergence"]) == (1, 0)
    assert measures["layer-0.agreement"] == 0
    last, first = torch.tensor([0.0, 2, 0, 0]).log_softmax(0), torch.tensor([1.0, 0, 0, 0]).log_softmax(0)
    assert measures["layer-0.divergence"] == pytest.approx(float((last.exp() * (last - first)).sum()), abs=1e-5)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (lens(unembed=False), "model m has no head that gives tokens"),
        (lens(groups=()), 'its `groups` leave out the residual stream, "residual \\*"'),
        (lens(groups=("residual 0",)), "its head, put on residual 0, does not give its own logits"),
        (lens(tells=lambda logits: logits * torch.nan), "its logits are not numbers"),
        (Model("m", nn.Identity()), "model m reads no text"),
    ],
)
def test_a_model_that_cannot_be_looked_through_is_told(known, message):
    with pytest.raises(BuildError, match=message):
        computed(known=known)
