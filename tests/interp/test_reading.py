"""Reading: each token once, in bounded pieces, as if its text were read alone."""

import pytest
import torch
from torch import Tensor

from generator.interp.reading import Reading, Tokens, record, unit_name
from generator.interp.recurrent import CharRNN, Recurrent


class Window:
    """A reader that sees 8 tokens at once; a unit tells how many of them came before, another how many follow."""

    context = 8
    causal = False

    def __init__(self) -> None:
        self.groups = {"before": 1, "after": 1}
        self.looked_at = 0  # tokens

    def tokens(self, text: str) -> Tokens:
        starts = torch.arange(len(text))
        return Tokens(torch.zeros(len(text), dtype=torch.long), torch.stack([starts, starts + 1], 1))

    def token(self, number: int) -> str:
        return "x"

    def read(self, ids, groups, state=None, *, lengths=None, clamps=(), logits=False) -> Reading:
        assert int(lengths.max()) <= ids.shape[1] <= self.context
        self.looked_at += ids.numel()
        before = torch.arange(ids.shape[1]).expand(ids.shape).float()
        return Reading(torch.stack([before, lengths[:, None] - 1 - before], 2), None, None)


def collected(reader, documents: list[Tensor], groups, **options) -> list[Tensor]:
    """Of each document (tokens, units); NaN where a token was left out. Fails where one came twice."""
    found = [torch.full((len(one), sum(reader.groups[group] for group in groups)), torch.nan) for one in documents]
    for piece in record(reader, documents, groups, **options):
        for document, position, values in zip(piece.documents, piece.positions, piece.activations, strict=True):
            assert found[document][position].isnan().all()
            found[document][position] = values
    return found


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("window", [3, 100])
def test_every_character_is_recorded_once_and_as_if_its_text_were_read_alone(batch: int, window: int) -> None:
    torch.manual_seed(0)
    reader = Recurrent(CharRNN(4, "lstm", 2, width=3, embedding=2), "?abc")
    documents = [reader.tokens(text).ids for text in ("abcabca", "c", "", "bcabcabcabcab", "aaaa")]

    found = collected(reader, documents, ("cell 1", "hidden"), batch=batch, window=window)

    for ids, values in zip(documents, found, strict=True):
        with torch.no_grad():
            alone = reader.read(ids[None], ("cell 1", "hidden")).activations[0]
        torch.testing.assert_close(values, alone)


@pytest.mark.parametrize("length", [1, 5, 8, 9, 12, 13, 40, 41])
def test_where_windows_overlap_each_token_counts_where_it_has_more_around_it(length: int) -> None:
    reader = Window()

    (found,) = collected(reader, [torch.zeros(length, dtype=torch.long)], ("before", "after"))

    assert not found.isnan().any()
    inner = found[2:-2]  # the ends of a text have nothing beyond them
    assert length < 9 or inner.amin() >= 2  # of eight tokens


def test_windows_overlap_by_half_and_no_more() -> None:
    reader = Window()
    collected(reader, [torch.zeros(40, dtype=torch.long)], ("before", "after"))

    assert reader.looked_at == 9 * 8  # from 0, 4, … 32


def test_windows_of_texts_of_several_lengths_leave_nothing_out() -> None:
    documents = [torch.zeros(length, dtype=torch.long) for length in (3, 17, 9, 30, 4)]

    assert not any(one.isnan().any() for one in collected(Window(), documents, ("before", "after"), batch=3))


def test_units_are_named_by_group_and_number() -> None:
    assert unit_name("cell", 37) == "cell 37"
    assert unit_name("mlp 3", 37) == "mlp 3.37"
