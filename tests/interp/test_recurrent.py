"""Character models against torch's own layers, and against literal loops."""

import pytest
import torch
from torch.nn import functional as F

from generator.interp.reading import Clamp, unit_name, units
from generator.interp.recurrent import CharRNN, Recurrent, cross_entropy


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_states_are_what_torch_computes(cell: str, layers: int) -> None:
    torch.manual_seed(0)
    network = CharRNN(7, cell, layers, width=5, embedding=3)
    indices = torch.randint(7, (2, 11))
    reader = Recurrent(network, "abcdefg")
    names = [unit_name(*one) for one in units(reader)]
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


def test_cross_entropy_is_the_mean_over_every_character_but_the_first() -> None:
    torch.manual_seed(0)
    network = CharRNN(5, width=6, embedding=3)
    text = torch.randint(5, (50,))
    with torch.no_grad():
        logits, _ = network(text[None])

    assert cross_entropy(network, text, streams=1, window=7) == pytest.approx(
        float(F.cross_entropy(logits[0, :-1], text[1:])), abs=1e-5
    )


def test_cross_entropy_reads_streams_of_one_length_side_by_side() -> None:
    torch.manual_seed(0)
    network = CharRNN(5, width=6, embedding=3)
    text = torch.randint(5, (50,))
    with torch.no_grad():
        rows = text[:48].view(3, 16)
        logits, _ = network(rows)

    assert cross_entropy(network, text, streams=3, window=7) == pytest.approx(
        float(F.cross_entropy(logits[:, :-1].flatten(0, 1), rows[:, 1:].flatten())), abs=1e-5
    )


def test_each_character_is_a_token_and_unknown_ones_are_the_first() -> None:
    found = Recurrent(CharRNN(3, width=2, embedding=2), "?ab").tokens("abx")

    assert (found.ids.tolist(), found.spans.tolist()) == ([1, 2, 0], [[0, 1], [1, 2], [2, 3]])
