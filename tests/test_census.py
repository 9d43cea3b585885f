"""A network whose units are known on paper, read with its concepts: what is counted, chosen and called readable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from generator import census, interp, labelling
from generator.census import Counted, count, scale_of
from generator.data import Document
from generator.labelling import Corpus, Labelling, corpus
from generator.model import Model
from generator.readable import Bars, Network, bars, ngram_areas, verdict

PROSE = Labelling("prose", {"inside": r"<[^>]*>"}, {})


class Counting:
    """Reads characters, or pairs of them; unit 0 is the depth of angle brackets, the others are noise of the place."""

    causal, context = True, None

    def __init__(self, follows: bool = True, size: int = 1) -> None:
        self.follows, self.size = follows, size
        self.groups = {"depth": 1, "noise": 7}

    def tokens(self, text: str) -> interp.reading.Tokens:
        ends = torch.tensor([*range(self.size, len(text), self.size), len(text)])
        codes = torch.tensor([text.count("<", 0, end) - text.count(">", 0, end) for end in ends])
        starts = torch.cat([torch.zeros(1, dtype=torch.long), ends[:-1]])
        return interp.reading.Tokens(codes, torch.stack([starts, ends], 1))

    def token(self, number: int) -> str:
        return str(number)

    def read(self, ids: Tensor, groups: Sequence[str], state: Any = None, **more: Any) -> interp.reading.Reading:
        noise = torch.randn(*ids.shape, 7, generator=torch.Generator().manual_seed(int(ids.sum())))
        first = ids[..., None].float() if self.follows else noise[..., :1]
        return interp.reading.Reading(torch.cat([first, noise], 2), None, None)


def texts(seed: int) -> list[Document]:
    source = np.random.default_rng(seed)
    words = ["<abc abc>", "abc", "a", " b ", "<b c a c b>", "c "]
    return [Document(f"{number}", "".join(source.choice(words, 150))) for number in range(12)]


def read(reader: Counting, *corpora: Corpus) -> Network:
    model = Model("m", nn.Identity(), reader=reader)
    scale = scale_of(model, corpora[0])
    return Network(*(count(model, one, scale) for one in corpora))


@pytest.fixture(scope="module")
def corpora() -> tuple[Corpus, Corpus]:
    first, second = (corpus(texts(seed), PROSE, 12, 600) for seed in (0, 1))
    return first, second


def test_a_unit_that_knows_what_no_ngram_knows_is_readable_and_noise_is_not(corpora: tuple[Corpus, Corpus]) -> None:
    trained, untrained = read(Counting(), *corpora), read(Counting(follows=False), *corpora)
    bar = bars(trained, untrained, seed=0)
    found = verdict(trained, untrained, bar.highest(), seed=0)
    number = corpora[0].concepts.index("inside")

    assert found.readable.tolist() == [True] + [False] * 7
    assert found.concepts[0] == number
    assert trained.held_out[0, number] > 0.95
    assert 0.6 < bar.ngram[number] < found.intervals[0, 0]
    assert bar.untrained[number] < 0.6
    assert bar.chance[number] < bar.ngram[number]


def test_the_highest_bar_counts_whichever_it_is() -> None:
    bar = Bars(np.array([0.6, 0.5, 0.5]), np.array([0.5, 0.6, 0.5]), np.array([0.5, 0.5, 0.6]))

    assert bar.highest().tolist() == [0.6, 0.6, 0.6]


def test_chance_of_a_quantity_is_of_the_best_of_all_units(corpora: tuple[Corpus, Corpus]) -> None:
    counted = read(Counting(), *corpora).judged
    number = corpora[0].quantity_names.index("position-in-line")
    chance = counted.chance_correlations(seed=0)[number]

    alone = interp.resampling.best_correlation_by_chance(
        counted.levels[:1], counted.quantities, counted.documents, seed=0
    )[number]
    assert 0 < alone < chance < 0.5


def test_a_unit_is_not_above_its_equal_in_the_untrained_network(corpora: tuple[Corpus, Corpus]) -> None:
    trained = read(Counting(), *corpora)
    number = corpora[0].concepts.index("inside")
    low = trained.intervals(np.array([0]), np.array([number]), 0)[0, 0]
    bar = bars(trained, trained, 0)

    assert bar.ngram[number] < low < bar.untrained[number]
    assert not verdict(trained, trained, bar.highest(), 0).readable.any()


def test_a_unit_that_is_low_where_the_concept_holds_counts_as_one_that_is_high(
    corpora: tuple[Corpus, Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    high = read(Counting(), *corpora)
    whole = Counting.read

    def turned(self: Counting, *given: Any, **named: Any) -> interp.reading.Reading:
        found = whole(self, *given, **named)
        return interp.reading.Reading(-found.activations, None, None)

    monkeypatch.setattr(Counting, "read", turned)
    low = read(Counting(), *corpora)
    number = np.array([corpora[0].concepts.index("inside")])
    unit = np.array([0])

    assert not low.high[0, number[0]]
    assert low.held_out[0, number[0]] == pytest.approx(high.held_out[0, number[0]], abs=1e-6)
    np.testing.assert_allclose(low.intervals(unit, number, 0), high.intervals(unit, number, 0), atol=1e-6)
    assert low.f1[0, number[0]] == pytest.approx(high.f1[0, number[0]], abs=1e-6)


def test_a_token_of_several_characters_stands_at_its_last_one(corpora: tuple[Corpus, Corpus]) -> None:
    network = read(Counting(size=2), *corpora)
    counted: Counted = network.judged
    expected = sum(-(-len(text) // 2) for text in corpora[1].texts)

    assert counted.histograms.total[0].sum() == len(counted.read) == expected
    lengths = np.diff(corpora[1].starts)
    assert np.isin(corpora[1].starts[1:] - 1, counted.read).all()
    assert np.isin(corpora[1].starts[:-1][lengths > 1] + 1, counted.read).all()


def test_where_the_character_decides_the_ngram_ends_before_it(corpora: tuple[Corpus, Corpus]) -> None:
    own = Labelling("prose", {"a-itself": "a", "after-a": "(?<=a)b"}, {})
    network = read(Counting(), *(corpus(texts(seed), own, 12, 600) for seed in (0, 1)))
    found = dict(zip(network.judged.corpus.concepts, ngram_areas(network), strict=True))

    assert found["after-a"] == pytest.approx(1)
    assert 0.5 < found["a-itself"] < 0.99


def test_ngrams_of_a_long_text_are_counted_at_some_of_its_characters(
    corpora: tuple[Corpus, Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, "NGRAMS", 1000)

    assert read(Counting(), *corpora).judged.read.tolist() == list(range(0, len(corpora[1].codes), 8))


def test_what_holds_at_a_character_is_kept_as_the_number_of_its_pattern(corpora: tuple[Corpus, Corpus]) -> None:
    known = corpora[0]
    for document in texts(0):
        masks = PROSE.concepts(document)
        assert masks is not None
        at = known.starts[known.texts.index(document.text[:600])]
        expected = np.stack([masks[name][:600] for name in known.concepts], 1)
        assert (known.flags(np.arange(at, at + 600)) == expected).all()

    assert known.codes.dtype == np.uint8
    assert len(set(known.patterns.tolist())) == len(known.patterns) < 256


def test_a_long_text_is_sampled_evenly_and_its_quantities_stand_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling, "SAMPLE", 1000)
    long = corpus(texts(0), PROSE, 12, 600)
    counted = read(Counting(), long, long).judged

    assert long.stride == 8
    assert (counted.places == np.arange(0, len(long.codes), 8)).all()
    for place, row in zip(counted.places[:300], counted.quantities[:300], strict=True):
        number = int(np.searchsorted(long.starts, place, side="right")) - 1
        amounts = interp.concepts.quantities(long.texts[number], "prose")
        assert amounts is not None
        assert row.tolist() == [amounts[name][place - long.starts[number]] for name in long.quantity_names]


def test_excerpts_begin_at_a_definition_and_none_is_cut_because_another_is_short() -> None:
    documents = [
        Document("a", '"""Long."""\n\ndef f(x):\n    return x\n'),
        Document("b", "import os\nclass A:\n    x = 1\n    y = 2\n    z = 3\n"),
        Document("c", "this is no Python ("),
    ]
    found = corpus(documents, Labelling("python", {}, {}), most=5, length=1000)

    assert [text.split("(")[0].split(":")[0] for text in found.texts] == ["class A", "def f"]
    assert [text[-2:] for text in found.texts] == ["3\n", "x\n"]
    assert len(found.codes) == sum(map(len, found.texts))
