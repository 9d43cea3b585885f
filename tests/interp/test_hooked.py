"""Any network as a reader: its modules' outputs are units, padding changes nothing, and what is held is held."""

import pytest
import torch
from torch import nn

from generator.interp.hooked import Directions, Heads, Hooked, Site, given
from generator.interp.reading import Clamp
from generator.interp.sampling import sample
from generator.interp.tokenising import characters
from tests.interp.test_reading import collected


class Reader(nn.Module):
    """Embeds, mixes in both directions or one, and scores four symbols."""

    def __init__(self, both: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(4, 6)
        self.mix = nn.GRU(6, 5, batch_first=True, bidirectional=both)
        self.score = nn.Linear(10 if both else 5, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        mixed, _ = self.mix(self.embed(ids))
        return self.score(mixed)


def stateless(network: nn.Module):
    return lambda ids, there, state: (network(ids), None)


def reader(both: bool, context: int = 8) -> Hooked:
    network = Reader(both).eval()
    return Hooked(network, given(network), characters("?abc"), context, stateless(network), masked=False)


def test_every_module_that_gives_a_vector_for_each_token_is_a_group_under_its_name() -> None:
    assert reader(both=True).groups == {"embed": 6, "mix": 10, "score": 4}


@pytest.mark.parametrize("both", [True, False])
def test_whether_a_network_looks_ahead_is_tried(both: bool) -> None:
    assert reader(both).causal is not both


@pytest.mark.parametrize("both", [True, False])
def test_texts_of_several_lengths_are_read_as_if_each_were_alone(both: bool) -> None:
    one = reader(both)
    texts = [one.tokens(text).ids for text in ("abcab", "c", "bca")]

    for ids, values in zip(texts, collected(one, texts, ("mix", "embed")), strict=True):
        alone = one.read(ids[None], ("mix", "embed")).activations[0]
        torch.testing.assert_close(values, alone)


def test_what_comes_next_is_foretold_for_each_of_several_texts() -> None:
    one = reader(both=True)
    ids, lengths = torch.tensor([[1, 2, 3, 1], [2, 3, 0, 0]]), torch.tensor([4, 2])
    found = one.read(ids, (), lengths=lengths, logits=True)

    for row, length, scores in zip(ids, lengths.tolist(), found.logits, strict=True):
        torch.testing.assert_close(scores[:length], one.read(row[None, :length], (), logits=True).logits[0])
    assert found.logits.shape == (2, 4, 4)


def test_a_unit_that_is_held_is_read_as_it_is_held_and_changes_what_comes_after() -> None:
    one = reader(both=False)
    ids = one.tokens("abc").ids[None]
    clamp = Clamp("embed", torch.tensor([2]), torch.tensor([7.0]))

    free, held = (one.read(ids, ("embed", "mix"), clamps=clamps, logits=True) for clamps in ((), (clamp,)))

    assert held.activations[0, :, 2].tolist() == [7.0] * 3
    torch.testing.assert_close(held.activations[0, :, :2], free.activations[0, :, :2])
    assert not torch.allclose(held.activations[0, :, 6:], free.activations[0, :, 6:])
    assert not torch.allclose(held.logits, free.logits)
    torch.testing.assert_close(one.read(ids, ("mix",)).activations, free.activations[:, :, 6:])  # no hook is left


def test_a_network_that_raises_leaves_no_hook() -> None:
    one = reader(both=False)

    with pytest.raises(IndexError):
        one.read(torch.full((1, 2), 99), ("embed", "mix"))

    assert not any(module._forward_hooks or module._forward_pre_hooks for module in one.network.modules())


def test_a_head_is_as_active_as_the_vector_that_it_adds_is_long() -> None:
    torch.manual_seed(0)
    projection, values = torch.randn(6, 5), torch.randn(2, 3, 6)  # three heads, each two wide
    heads = Heads(projection, 3)

    lengths = heads.read(values)

    for head in range(3):
        part = slice(2 * head, 2 * head + 2)
        torch.testing.assert_close(lengths[..., head], (values[..., part] @ projection[part]).norm(dim=-1))


def test_a_head_is_held_at_a_length_and_the_others_stay() -> None:
    torch.manual_seed(0)
    heads, values = Heads(torch.randn(6, 5), 3), torch.randn(2, 3, 6)

    held = heads.hold(values, Clamp("head 0", torch.tensor([0, 2]), torch.tensor([0.0, 4.0])))

    torch.testing.assert_close(heads.read(held)[..., 2], torch.full((2, 3), 4.0))
    assert not held[..., :2].any()
    torch.testing.assert_close(held[..., 2:4], values[..., 2:4])


def test_what_enters_a_module_is_a_site_too() -> None:
    network = Reader(both=False).eval()
    sites = {"before": Site(network.score, True, Directions(5)), "after": Site(network.mix, False, Directions(5))}
    one = Hooked(network, sites, characters("?abc"), 8, stateless(network), masked=False)

    read = one.read(torch.tensor([[1, 2]]), ("before", "after"))

    torch.testing.assert_close(read.activations[..., :5], read.activations[..., 5:])


def test_samples_repeat_by_seed_and_never_draw_what_stands_for_no_text() -> None:
    one, start = reader(both=False), torch.tensor([1])

    drawn = sample(one, start, 100, (2.0, 0.01), seed=1)

    assert drawn.shape == (2, 100)
    assert torch.equal(drawn, sample(one, start, 100, (2.0, 0.01), seed=1))
    assert not torch.equal(drawn[0], sample(one, start, 100, (2.0,), seed=2)[0])
    assert set(drawn[0].tolist()) == {1, 2, 3}
    assert drawn[1, 0] == one.read(start[None], (), logits=True).logits[0, -1, 1:].argmax() + 1


def test_a_network_that_looks_ahead_writes_nothing() -> None:
    with pytest.raises(ValueError, match="does not foretell"):
        sample(reader(both=True), torch.tensor([1]), 3, (1.0,), seed=0)


def test_without_a_token_to_start_from_nothing_is_written() -> None:
    one = reader(both=False)

    with pytest.raises(ValueError, match="no token to start from"):
        sample(one, one.tokens("").ids, 3, [1.0], 0)


def test_sites_are_tried_on_no_more_tokens_than_the_network_reads_at_once() -> None:
    class Placed(nn.Module):
        """Adds what stands for each of four places."""

        def __init__(self) -> None:
            super().__init__()
            self.embed, self.places = nn.Embedding(4, 6), nn.Parameter(torch.zeros(4, 6))

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.embed(ids) + self.places[: ids.shape[1]]

    assert list(given(Placed(), context=4)) == ["embed"]
    with pytest.raises(RuntimeError, match="must match the size"):
        given(Placed())
