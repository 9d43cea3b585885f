"""Claims: how an expectation is read, when a claim holds, and what is said of its history."""

import pytest

from generator.artifact import Measures
from generator.claims import Moment, expectation, judged, story
from generator.spec import Claim, Place


def claim(expect: str, by_interval: bool = False) -> Claim:
    return Claim("c", "f", expectation(expect), "It is so.", Place("a.md"), by_interval)


def status(expect: str, value: float, interval: tuple[float, float] | None = None) -> str:
    intervals = {} if interval is None else {"auc": interval}
    measures = Measures({"auc": value}, intervals)
    return judged(claim(expect, by_interval=interval is not None), "p", [(None, measures)]).status


@pytest.mark.parametrize(
    ("expect", "holding", "broken"),
    [
        ("auc >= 0.95", 0.95, 0.9499),
        ("auc > 0.95", 0.9501, 0.95),
        ("auc > 0.95", 0.97, 0.9),
        ("auc <= .5", 0.5, 0.51),
        ("auc < 1e-3", 0.0009, 0.001),
        ("auc < 1e-3", -1.0, 0.1),
        ("auc == 0.3", 0.1 + 0.2, 0.3001),
        ("auc == 0", 0.0, 1e-12),
        ("auc == 3e9", 3e9 + 1, 3e9 + 6),
        ("auc == 3e9", 3e9 - 1, 3e9 - 6),
        ("auc between 0.9 and 0.95", 0.95, 0.951),
        ("auc between 0.9 and 0.9", 0.9, 0.901),
        ("auc about 0.9", 0.94, 0.96),
        ("auc about -2", -2.09, -2.11),
        ("auc about 0 ± 0.01", 0.01, 0.011),
        ("auc about 90% ± 1%", 0.909, 0.911),
        ("auc about 0.9 ± 0.01", 0.909, 0.92),
        ("auc about -2 +/- 0.5", -2.5, -1.4),
        ("auc >= 90%", 0.9, 0.8999),
        ("auc>=0.95", 0.95, 0.94),
        ("auc >= −0.5", -0.5, -0.6),
    ],
)
def test_a_claim_holds_where_its_measure_is_as_expected(expect: str, holding: float, broken: float) -> None:
    assert (status(expect, holding), status(expect, broken)) == ("holds", "broken")


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ("auc", "is not like 'auc >= 0.95'"),
        ("auc is high", "is not like"),
        ("auc betwen 1 and 2", "did you mean 'between'?"),
        ("auc between 2 and 1", "2 is above 1; write the lower first"),
        ("auc about 0", "say how far from 0"),
        ("auc >= 0.9.5", "is not like"),
        ("auc >= nan", "is not like"),
        ("auc => 0.9", "did you mean '>='?"),
        ("auc about 93% ± 1", "write both numbers with %, or neither"),
    ],
)
def test_an_expectation_that_cannot_be_read_is_told(expect: str, reason: str) -> None:
    with pytest.raises(ValueError, match="auc") as caught:
        expectation(expect)

    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("expect", "interval", "expected"),
    [
        ("auc >= 0.9", (0.9, 0.97), "holds"),
        ("auc >= 0.9", (0.89, 0.97), "unknown"),
        ("auc >= 0.9", (0.8, 0.899), "broken"),
        ("auc > 0.9", (0.8, 0.9), "broken"),
        ("auc > 0.9", (0.9, 0.95), "unknown"),
        ("auc < 0.9", (0.9, 0.95), "broken"),
        ("auc < 0.9", (0.8, 0.9), "unknown"),
        ("auc between 0.9 and 0.95", (0.91, 0.94), "holds"),
        ("auc between 0.9 and 0.95", (0.8, 0.99), "unknown"),
        ("auc between 0.9 and 0.95", (0.96, 0.99), "broken"),
        ("auc between 0.9 and 0.95", (0.95, 0.99), "unknown"),
        ("auc between 0.9 and 0.95", (0.8, 0.9), "unknown"),
    ],
)
def test_a_claim_by_interval_holds_only_where_all_of_the_interval_does(
    expect: str, interval: tuple[float, float], expected: str
) -> None:
    assert status(expect, sum(interval) / 2, interval) == expected


def test_what_cannot_be_known_never_holds() -> None:
    failed = judged(claim("auc >= 0"), "p", [(None, Measures(failure="it raised"))])
    absent = judged(claim("aux >= 0"), "p", [(None, Measures({"auc": 1.0}))])
    without = judged(claim("auc >= 0", by_interval=True), "p", [(None, Measures({"auc": 1.0}))])

    assert {failed.status, absent.status, without.status} == {"unknown"}
    assert failed.now.reason == "it raised"
    assert absent.now.reason == "f has no measure 'aux'; did you mean 'auc'?"
    assert "has no interval" in without.now.reason


def test_a_claim_is_judged_at_every_checkpoint_and_at_one_that_it_names() -> None:
    course = [(100, Measures({"auc": 0.5})), (200, Measures(failure="gone")), (300, Measures({"auc": 0.9}))]
    verdict = judged(claim("auc >= 0.8"), "p", course)
    early = judged(claim("auc@100 <= 0.5"), "p", course)

    assert [(one.step, one.status) for one in verdict.history] == [(100, "broken"), (200, "unknown"), (300, "holds")]
    assert (verdict.status, early.status, early.history) == ("holds", "holds", ())
    assert story(verdict.history) == "It began to hold at step 300."


def test_what_about_means_is_told_as_it_is_judged() -> None:
    assert expectation("auc about 0.37").comparison == "about 0.37 ± 5% of it"
    assert expectation("auc about 0.37 ± 0.05").comparison == "about 0.37 ± 0.05"


def test_a_measure_that_there_is_one_of_has_no_history() -> None:
    course = [(1, Measures({"auc": 1.0})), (2, Measures({"auc": 1.0, "control.auc": 0.5, "changes.median": 0.5}))]

    assert [judged(claim(f"{name} < 0.6"), "p", course).history for name in ("control.auc", "changes.median")] == [
        (),
        (),
    ]


def test_a_claim_that_was_judged_once_has_no_history() -> None:
    assert judged(claim("auc > 0.6"), "p", [(100, Measures({"auc": 1.0}))]).history == ()


def test_a_claim_at_a_checkpoint_that_is_left_out_is_unknown_and_says_why() -> None:
    verdict = judged(claim("auc@1 >= 0"), "p", [(1, Measures(failure="it is damaged")), (2, Measures({"auc": 1.0}))])

    assert (verdict.status, verdict.now.reason) == ("unknown", "this checkpoint is left out: it is damaged")


def test_the_story_tells_when_a_claim_began_to_hold_and_when_it_broke() -> None:
    def told(*states: str) -> str:
        return story([Moment(state, step=number * 1000) for number, state in enumerate(states, 1)])

    assert told("holds", "broken", "holds") == "It broke at step 2,000 and began to hold at step 3,000."
    assert told("holds", "unknown", "holds") == "It held at 2 of the 3 checkpoints."
    assert told("broken", "broken") == "It was broken at each of the 2 checkpoints."
    assert told("unknown", "unknown") == "It could be judged at none of the checkpoints."
