"""Contexts: what is found in one pass is what looking at everything at once would find."""

import pytest
import torch
from torch import Tensor

from generator.interp.contexts import REACH, Wanted, gather
from generator.interp.reading import Reading, Tokens
from generator.interp.tallies import BINS, Tally

WANTED = Wanted(before=2, after=3, most=4, drawn=3, anywhere=5)


class Echo:
    """A reader whose unit 0 is the token itself, and whose unit 1 its negative; it needs to see nothing else."""

    context = None
    causal = True
    groups = {"echo": 2}  # noqa: RUF012  (as a reader has it)

    def tokens(self, text: str) -> Tokens:
        starts = torch.arange(len(text))
        return Tokens(torch.tensor([ord(one) for one in text]), torch.stack([starts, starts + 1], 1))

    def token(self, number: int) -> str:
        return chr(number)

    def read(self, ids, groups, state=None, *, lengths=None, clamps=(), logits=False) -> Reading:
        return Reading(torch.stack([ids, -ids], 2).float(), None, None)


def texts(*lengths: int) -> list[Tensor]:
    source = torch.Generator().manual_seed(1)
    return [torch.randint(0, 1000, (length,), generator=source) for length in lengths]


def found(documents: list[Tensor], wanted: Wanted = WANTED, **options):
    return gather(Echo(), documents, "echo", torch.arange(1000), wanted, **options)


@pytest.mark.parametrize(("batch", "window"), [(1, 7), (3, 50), (64, 1000)])
def test_the_highest_and_lowest_of_all_passages_are_found_however_the_text_is_cut(batch: int, window: int) -> None:
    documents = texts(100, 3, 0, 57, 1)
    every = [passage.max() for one in documents for passage in one.split(WANTED.span) if len(one)]
    least = [passage.min() for one in documents for passage in one.split(WANTED.span) if len(one)]

    contexts = found(documents, batch=batch, window=window)

    assert contexts.highest.values[0].tolist() == sorted(every, reverse=True)[:4]
    assert contexts.highest.values[1].tolist() == [-one for one in sorted(least)[:4]]
    assert (contexts.lowest.values[1] == -contexts.highest.values[0]).all()
    assert contexts.passages == len(every)


def test_the_activations_around_a_place_are_those_of_its_document_and_nothing_beyond() -> None:
    documents = texts(100, 3, 57)

    contexts = found(documents, batch=2, window=9)

    for places in (contexts.highest, contexts.drawn, contexts.anywhere):
        for number, position, around in zip(places.documents[0], places.positions[0], places.around[0], strict=True):
            for offset, value in zip(range(-2, 4), around, strict=True):
                at = int(position) + offset
                if 0 <= at < len(documents[number]):
                    assert value == documents[number][at].half()
                else:
                    assert value.isnan()


def test_a_passage_that_is_repeated_counts_once() -> None:
    (text,) = texts(40)
    text[20] = 999
    documents = [text, text.clone(), torch.cat([text[20 - REACH :], text])]

    contexts = found(documents, Wanted(before=20, after=20, most=4))

    assert (contexts.highest.values[0] == 999).sum() == 1


def test_tokens_that_count_as_alike_make_passages_alike() -> None:
    (text,) = texts(30)
    text[:15], text[15], text[16:] = 1, 900, 2
    other = text.clone()
    other[14] = 3
    like = torch.arange(1000)

    def count(like: Tensor) -> int:
        contexts = gather(Echo(), [text, other], "echo", like, Wanted(before=15, after=15))
        return int((contexts.highest.values[0] == 900).sum())

    assert count(like) == 2
    like[3] = 1
    assert count(like) == 1


def test_only_passages_in_which_the_unit_is_active_are_drawn() -> None:
    document = torch.randperm(1000, generator=torch.Generator().manual_seed(1))[:600]

    contexts = found([document], Wanted(before=0, after=0, drawn=600, threshold=900.0))

    high = document[document > 900]
    drawn = contexts.drawn.values[0]
    assert sorted(drawn[~drawn.isnan()].tolist()) == sorted(high.tolist())
    assert contexts.active.tolist() == contexts.tally.above.tolist() == [len(high), 0]
    assert (contexts.drawn.documents[1] == -1).all()


def test_what_is_drawn_depends_on_the_seed_and_on_nothing_else() -> None:
    documents = texts(100, 30, 57)
    one, two, other = (
        found(documents, Wanted(before=2, after=3, drawn=3, anywhere=5, seed=seed), batch=batch)
        for seed, batch in ((0, 1), (0, 64), (1, 64))
    )

    assert (one.drawn.positions == two.drawn.positions).all()
    assert (one.anywhere.positions == two.anywhere.positions).all()
    assert one.anywhere.positions.tolist() != other.anywhere.positions.tolist()


def test_memory_does_not_grow_with_the_text() -> None:
    contexts = found(texts(5000), Wanted(before=1, after=1, most=4, drawn=3))

    assert contexts.highest.around.shape == (2, 4, 3)
    assert contexts.drawn.around.shape == (2, 3, 3)


def test_a_histogram_that_had_to_widen_counts_all_and_knows_the_ends() -> None:
    tally = Tally(2, 3)
    values = torch.tensor([[0.1, 0.0], [0.2, 0.0], [50.0, 0.0], [-30.0, 0.0], [0.15, 0.0]])
    for row in values:
        tally.add(row[None], torch.tensor([1]))

    assert tally.counts.sum(1).tolist() == [5, 5]
    assert tally.counts.shape == (2, BINS)
    assert (tally.least.tolist(), tally.most.tolist()) == ([-30.0, 0.0], [50.0, 0.0])
    assert tally.histogram(8)[0].tolist() == [1, 0, 0, 3, 0, 0, 0, 1]
    assert tally.above.tolist() == [4, 0]


def test_the_mean_on_each_token_is_that_of_the_places_where_it_was_read() -> None:
    tally = Tally(1, 3)
    tally.add(torch.tensor([[1.0], [2.0], [5.0]]), torch.tensor([0, 2, 2]))
    tally.add(torch.tensor([[4.0]]), torch.tensor([0]))

    assert tally.seen.tolist() == [2, 0, 2]
    assert tally.sums[:, 0].tolist() == [5.0, 0.0, 7.0]
