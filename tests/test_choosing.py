"""Units of a figure of text: which one is chosen, and that a wrong choice is told."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from generator.choosing import Chosen, chosen, told_apart
from generator.figures.activation_text import note, shown_name
from generator.spec import BuildError, UnitChoice

GROUPS = {"hidden": 1, "cell": 2}


@dataclass
class Searched:
    """What a search found: areas of three units for two concepts, the second undefined for one of them."""

    units = (("hidden", 0), ("cell", 0), ("cell", 1))
    areas = np.array([[0.6, 0.5], [0.1, 0.5], [0.8, np.nan]])
    corpus: Any = field(default_factory=lambda: type("Texts", (), {"concepts": ["a", "b"]}))


def names(**choice: Any) -> list[str]:
    return [shown_name(one) for one in chosen(UnitChoice(**choice), GROUPS, Searched())]  # type: ignore[arg-type]


def test_the_unit_that_follows_best_is_chosen_and_turned_where_it_is_low() -> None:
    assert names(concept="a") == ["−cell 0"]
    assert names(concept="a", rank=2) == ["cell 1"]
    assert names(concept="a", group="hidden") == ["hidden 0"]
    (best,) = chosen(UnitChoice(concept="a"), GROUPS, Searched())  # type: ignore[arg-type]
    assert best == Chosen("cell", 0, "a", 0.1)
    assert note(best) == "a, AUC 0.90 where it was searched, shown negated"


def test_an_undefined_area_counts_as_chance() -> None:
    assert names(concept="b") == ["hidden 0"]  # all are alike: the first


def test_units_are_named_by_group_and_number_or_by_a_range() -> None:
    assert names(group="cell", index=1) == ["cell 1"]
    assert names(index=0) == ["hidden 0"]
    assert names(group="cell", index="0:") == ["cell 0", "cell 1"]
    assert [one.label for one in chosen(UnitChoice(group="cell", index=1), GROUPS, None)] == ["cell-1"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"concept": "a", "group": "hidden", "rank": 2}, "rank 2 of a: there are 1 units"),
        ({"concept": "ab"}, "unknown concept 'ab'"),
        ({"group": "cel", "index": 0}, "no units 'cel'; did you mean 'cell'"),
        ({"group": "cell", "index": 2}, "no unit 2 in cell; it has 0 to 1"),
    ],
)
def test_a_choice_of_what_is_not_there_is_told(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(BuildError, match=message):
        names(**choice)


def test_units_of_one_concept_in_two_groups_have_measures_of_their_own() -> None:
    cell, hidden = Chosen("cell", 1, "inside-string"), Chosen("hidden 2", 5, "inside-string")

    assert [one.label for one in told_apart([cell, hidden])] == ["inside-string.cell", "inside-string.hidden-2"]
    assert [one.label for one in told_apart([cell, cell])] == ["inside-string", "inside-string"]
