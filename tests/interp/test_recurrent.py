"""Character models against torch's own layers, and against literal loops."""

import math

import pytest
import torch
from torch.nn import functional as F

from generator.interp.reading import Clamp, unit_names
from generator.interp.recurrent import CharRNN, Recurrent, cross_entropy, train


@pytest.fixture
def text() -> torch.Tensor:
    """A text that can be learnt: 0 1 2 3 0 1 2 3 …"""
    return torch.arange(4000) % 4


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_states_are_what_torch_computes(cell: str, layers: int) -> None:
    torch.manual_seed(0)
    network = CharRNN(7, cell, layers, width=5, embedding=3)
    indices = torch.randint(7, (2, 11))
    reader = Recurrent(network, "abcdefg")
    names = unit_names(reader)
    with torch.no_grad():
        read = reader.read(indices, tuple(reader.groups), logits=True)
        on = reader.read(indices[:, 7:], tuple(reader.groups), reader.read(indices[:, :7], ()).state)
        outputs, last = network.rnn(network.embedding(indices))
    found = read.activations

    top = "hidden 1." if layers == 2 else "hidden "
    torch.testing.assert_close(found[:, :, [names.index(f"{top}{number}") for number in range(5)]], outputs)
    if cell == "lstm":
        first = [names.index(f"cell {number}") for number in range(5)]
        torch.testing.assert_close(found[:, -1, first], last[1][0])
    torch.testing.assert_close(read.logits, network.head(outputs))
    torch.testing.assert_close(on.activations, found[:, 7:])  # read in two pieces
    assert len(names) == found.shape[2] == layers * (10 if cell == "lstm" else 5)


@torch.no_grad()
def test_a_clamped_cell_keeps_its_value_and_what_follows_from_it_changes() -> None:
    torch.manual_seed(0)
    reader = Recurrent(CharRNN(7, "lstm", 2, width=5, embedding=3), "abcdefg")
    ids = reader.tokens("abcabcabc").ids[None]
    clamp = Clamp("cell 1", torch.tensor([3]), torch.tensor([0.5]))
    free, held = (reader.read(ids, ("cell", "cell 1"), clamps=clamps, logits=True) for clamps in ((), (clamp,)))

    assert (held.activations[0, :, 8] == 0.5).all()
    torch.testing.assert_close(held.activations[0, :, :5], free.activations[0, :, :5])  # the layer below
    assert not torch.allclose(held.logits, free.logits)


def test_training_learns_a_text_that_repeats(text: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = CharRNN(4, "lstm", 1, width=16, embedding=4)
    losses = [loss for _, loss in train(network, text, steps=60, batch=4, window=16, rate=0.02, seed=0)]

    assert losses[0] == pytest.approx(math.log(4), abs=0.3)
    assert losses[-1] < 0.1
    assert cross_entropy(network, text) < 0.1


@pytest.mark.parametrize("half", [False, True])
def test_training_changes_the_weights_that_the_forward_pass_uses(text: torch.Tensor, half: bool) -> None:
    """In bfloat16, autocast that is entered once keeps stale copies of the weights: the loss would stay."""
    torch.manual_seed(0)
    network = CharRNN(4, "lstm", 1, width=16, embedding=4)
    losses = [loss for _, loss in train(network, text, steps=60, batch=4, window=16, rate=0.02, seed=0, half=half)]

    assert losses[-1] < losses[0] / 2


def test_the_same_seed_trains_the_same_network(text: torch.Tensor) -> None:
    def trained() -> torch.Tensor:
        torch.manual_seed(0)
        network = CharRNN(4, width=8, embedding=4)
        for _ in train(network, text, steps=3, batch=4, window=16, rate=0.01, seed=5):
            pass
        return network.head.weight

    torch.testing.assert_close(trained(), trained(), rtol=0, atol=0)


def test_a_text_too_short_for_the_streams_is_refused() -> None:
    with pytest.raises(ValueError, match="10 characters are too few for 4 streams"):
        next(
            train(CharRNN(4, width=4), torch.zeros(10, dtype=torch.long), steps=1, batch=4, window=8, rate=0.1, seed=0)
        )


def test_cross_entropy_is_the_mean_over_every_character_but_the_first() -> None:
    torch.manual_seed(0)
    network = CharRNN(5, width=6, embedding=3)
    text = torch.randint(5, (50,))
    with torch.no_grad():
        logits, _ = network(text[None])

    assert cross_entropy(network, text, streams=1, window=7) == pytest.approx(
        float(F.cross_entropy(logits[0, :-1], text[1:])), abs=1e-5
    )
