"""Gates against the equations written out one character at a time."""

import pytest
import torch

from generator.interp.gates import gates, saturation
from generator.interp.recurrent import CharRNN, Recurrent


def reader(cell: str, layers: int = 2) -> Recurrent:
    torch.manual_seed(0)
    network = CharRNN(7, cell, layers, width=5, embedding=3)
    for parameter in network.parameters():
        parameter.data *= 4  # so that gates saturate
    return Recurrent(network.requires_grad_(False), "abcdefg")


@pytest.mark.parametrize(
    ("cell", "names"), [("lstm", ("input", "forget", None, "output")), ("gru", ("reset", "update", None))]
)
def test_gates_are_what_torch_s_equations_say(cell: str, names: tuple[str | None, ...]) -> None:
    one = reader(cell)
    ids = torch.randint(7, (2, 9))
    first, state = gates(one, ids[:, :4])
    rest, _ = gates(one, ids[:, 4:], state)
    hidden = one.read(ids, ("hidden", "hidden 1")).activations.chunk(2, 2)
    rnn = one.network.rnn

    assert set(first) == {(name, layer) for name in names if name for layer in (0, 1)}
    for layer in (0, 1):
        inputs = one.network.embedding(ids) if layer == 0 else hidden[0]
        before = torch.zeros(2, 5)
        for now in range(9):
            net = inputs[:, now] @ getattr(rnn, f"weight_ih_l{layer}").T + getattr(rnn, f"bias_ih_l{layer}")
            net = net + before @ getattr(rnn, f"weight_hh_l{layer}").T + getattr(rnn, f"bias_hh_l{layer}")
            for name, part in zip(names, net.chunk(len(names), 1), strict=True):
                if name is not None:
                    found = first[name, layer][:, now] if now < 4 else rest[name, layer][:, now - 4]
                    torch.testing.assert_close(found, part.sigmoid())
            before = hidden[layer][:, now]


def test_saturation_counts_every_character_once_however_the_text_is_cut() -> None:
    one = reader("lstm")
    documents = [torch.randint(7, (length,)) for length in (30, 7, 1)]
    whole = [gates(one, ids[None])[0] for ids in documents]
    told: list[tuple[int, int]] = []
    found = saturation(one, documents, batch=2, window=8, progress=lambda done, total: told.append((done, total)))

    assert [(one.gate, one.layer) for one in found[:3]] == [("input", 0), ("forget", 0), ("output", 0)]
    assert told[-1] == (38, 38)
    for each in found:
        values = torch.cat([part[each.gate, each.layer][0] for part in whole])
        torch.testing.assert_close(each.left, (values < 0.1).float().mean(0))
        torch.testing.assert_close(each.right, (values > 0.9).float().mean(0))
        assert (each.left + each.right <= 1).all()
    assert any(float(each.left.max()) > 0 for each in found)


def test_a_plain_rnn_has_no_gates() -> None:
    with pytest.raises(ValueError, match="a plain RNN has no gates"):
        gates(reader("rnn"), torch.zeros(1, 1, dtype=torch.long))


def test_ids_may_be_bytes() -> None:
    one = reader("gru")
    ids = torch.randint(7, (20,))

    found, expected = saturation(one, [ids.to(torch.uint8)]), saturation(one, [ids])

    assert all(torch.equal(each.left, other.left) for each, other in zip(found, expected, strict=True))


def test_gates_that_are_not_numbers_are_not_called_open_or_shut() -> None:
    one = reader("lstm")
    one.network.rnn.weight_hh_l0.data[0, 0] = torch.nan

    with pytest.raises(ValueError, match="some gates are not numbers"):
        saturation(one, [torch.zeros(5, dtype=torch.long)])
