"""Units of a text model: what is chosen, how it is shown, and that naming the wrong one is told."""

from typing import Any

import numpy as np
import pytest
import torch

from generator import interp
from generator.data import Document
from generator.figures.activation_text import chosen
from generator.model import Model
from generator.spec import BuildError, UnitChoice
from generator.units import Excerpts, Selectivity, activations, excerpts, selectivity, strength

AREAS = np.array([[0.6, 0.5], [0.1, 0.5], [0.8, np.nan]], dtype=np.float32)
SEARCHED = Selectivity(["hidden 0", "cell 0", "cell 1"], ["a", "b"], AREAS, np.zeros(3, np.float32), np.zeros(2), 1, 1)


def test_strength_counts_both_ways_and_takes_the_undefined_for_chance() -> None:
    np.testing.assert_allclose(strength(AREAS), [[0.6, 0.5], [0.9, 0.5], [0.8, 0.5]], atol=1e-6)


def test_the_unit_that_follows_best_is_chosen_and_turned_where_it_is_low() -> None:
    def names(**choice: Any) -> list[str]:
        return [one.name for one in chosen(UnitChoice(**choice), {"hidden": 1, "cell": 2}, SEARCHED)]

    assert names(concept="a") == ["−cell 0"]
    assert names(concept="a", rank=2) == ["cell 1"]
    assert names(concept="a", group="hidden") == ["hidden 0"]
    with pytest.raises(BuildError, match="rank 2 of a: there are 1 units"):
        names(concept="a", group="hidden", rank=2)
    (best,) = chosen(UnitChoice(concept="a"), {"hidden": 1, "cell": 2}, SEARCHED)
    assert "AUC 0.90" in best.note
    assert "negated" in best.note


def test_excerpts_begin_at_a_definition_and_none_is_cut_because_another_is_short() -> None:
    documents = [
        Document("a", '"""Long."""\n\ndef f(x):\n    return x\n'),
        Document("b", "import os\nclass A:\n    x = 1\n    y = 2\n    z = 3\n"),
        Document("c", "this is no Python ("),
    ]
    found = excerpts(documents, "python", most=5, length=1000)

    assert [text.split("(")[0].split(":")[0] for text in found.texts] == ["class A", "def f"]
    assert [text[-2:] for text in found.texts] == ["3\n", "x\n"]
    assert found.flags.shape == (sum(map(len, found.texts)), len(found.concepts))


def test_units_are_scored_on_texts_of_any_length_as_if_each_were_read_alone() -> None:
    torch.manual_seed(0)
    network = interp.recurrent.CharRNN(5, width=3, embedding=2).eval()
    model = Model("m", network, reader=interp.recurrent.Recurrent(network, "?abc\n"))
    texts = ["abcabc\nab", "ca\n"]
    flags = np.array([[character == "a"] for text in texts for character in text])
    columns = np.arange(len(flags))

    found = selectivity(model, Excerpts(texts, ["a"], flags, columns))

    alone = torch.cat([activations(model, [text])[1][0] for text in texts])
    np.testing.assert_allclose(found.areas, interp.selectivity.areas(alone, torch.from_numpy(flags)), atol=1e-3)
    assert found.characters == len(flags)
