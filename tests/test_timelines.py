"""Lines of measures over checkpoints."""

import pytest

from generator.artifact import Measures
from generator.timelines import HEIGHT, MARGIN, WIDTH, lines

TAKEN = [
    Measures({"auc": 0.5, "size": 3, "once": 1}, {"auc": (0.4, 0.6)}),
    Measures(failure="gone"),
    Measures({"auc": 0.7, "size": 3}, {"auc": (0.65, 0.75)}),
    Measures({"auc": 0.9, "size": 3}, {"auc": (0.8, 1.0)}),
]


def test_a_line_has_a_place_for_each_checkpoint_and_a_gap_where_one_is_missing() -> None:
    (line,) = lines(TAKEN, ["auc"], [])
    first, second = line["pieces"]

    assert [at for at, *_ in first + second] == [0, 2, 3]
    assert [round(across, 1) for _, across, _ in second] == [
        round(MARGIN + (WIDTH - 2 * MARGIN) * share, 1) for share in (2 / 3, 1)
    ]
    assert first[0][2] == pytest.approx(MARGIN + (HEIGHT - 2 * MARGIN) * (1 - (0.5 - 0.4) / 0.6), abs=0.1)
    assert len(line["bands"]) == 1, "no band over the gap, nor of a single point"


def test_lines_are_of_what_is_asked_for_or_else_quoted_or_else_changes() -> None:
    assert [line["name"] for line in lines(TAKEN, ["size"], ["auc"])] == ["size"]
    assert [line["name"] for line in lines(TAKEN, [], ["size@2", "size"])] == ["size"]
    assert [line["name"] for line in lines(TAKEN, [], ["nothing"])] == ["auc"]


def test_a_measure_that_was_taken_once_is_drawn_where_it_is_asked_for() -> None:
    (line,) = lines(TAKEN[:1], ["auc"], [])

    assert len(line["pieces"][0]) == 1


def test_an_unknown_measure_is_told_with_the_nearest_right_word() -> None:
    with pytest.raises(ValueError, match=r"none called 'aux'; did you mean 'auc'\?"):
        lines(TAKEN, ["aux"], [])


def test_a_measure_that_never_changes_is_a_level_line() -> None:
    (line,) = lines(TAKEN, ["size"], [])

    assert {down for piece in line["pieces"] for _, _, down in piece} == {HEIGHT / 2}
