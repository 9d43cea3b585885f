"""Two things measured in turn: what is read of a record, what is refused, and what is drawn of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.figures.measurements import APART, axis, place
from generator.records import MOST_BYTES, Record, read_record
from generator.spec import BuildError, BuildErrors
from tests.conftest import RECORD, SmallSite

FIGURE = "id: sorts\nkind: measurements\nfile: measured.json\n"
LEAST = {"unit": "words", "ours": [1, 2], "theirs": [3, 3]}
WHOLE = {
    **RECORD,
    "name": "sorts", "work": "sorting <b>", "date": "2026-11-30", "ratio": 3, "met": True,
    "machine": {"processor": "a <fast> one", "cores": 2, "load": 0.25},
    "versions": {"ours": {"python": "3.11.2"}, "theirs": {"python": "3.11.2", "old-sort": "1.0"}},
    "peak": {"ours": 3 * 2**20, "theirs": 5 * 2**30},
}  # fmt: skip
RUNS = st.floats(1e-12, 1e18)


def written(folder: Path, record: object) -> Path:
    path = folder / "measured.json"
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    return path


def built(site: SmallSite, record: dict[str, Any]) -> dict[str, float]:
    """The measures of the figure of a record."""
    written(site.content, record)
    site.figure(FIGURE)
    site.build()
    (figure,) = json.loads((site.out / "report.json").read_text())["figures"]
    return dict(figure["measures"])


def test_what_prose_and_claims_can_name_is_of_the_runs(quick_site: SmallSite) -> None:
    assert built(quick_site, RECORD) == {
        "ratio": 3, "ratio.low": 2, "ratio.high": 4, "ours": 2, "theirs": 6, "goal": 2, "runs": 3,
        "quality.share.least": 0.95, "quality.in-50-ms": 1,
    }  # fmt: skip


def test_all_that_a_record_tells_is_shown_as_it_is(quick_site: SmallSite) -> None:
    built(quick_site, WHOLE)
    page = quick_site.read()

    for part in (
        "old &lt;sort&gt; / new sort",
        "in pairs of runs from 2 to 4; the goal, at least 2, is reached",
        "sorting &lt;b&gt;", "2026-11-30", "a &lt;fast&gt; one", "0.25", "old-sort 1.0", "python 3.11.2",
        '<td class="number">5,120</td>',  # MiB
        '<th scope="row">in 50 ms</th>',
    ):  # fmt: skip
        assert part in page, part


def test_the_least_that_a_record_tells_is_enough(quick_site: SmallSite) -> None:
    measures = built(quick_site, LEAST)

    assert measures == {"ratio": 2, "ratio.low": 1.5, "ratio.high": 3, "ours": 1.5, "theirs": 3, "runs": 2}
    assert "goal" not in quick_site.read().partition("<figure")[2].partition("<figcaption")[0]


def test_a_record_that_was_edited_is_drawn_anew(small_site: SmallSite) -> None:
    first = built(small_site, RECORD)
    again = built(small_site, RECORD | {"ours": [1, 1, 1]})

    assert (first["ratio"], again["ratio"]) == (3, 6)
    assert small_site.build().computed == 0


def test_a_goal_that_is_missed_is_said_and_a_claim_of_it_is_broken(quick_site: SmallSite) -> None:
    written(quick_site.content, RECORD | {"goal": 3.5})
    quick_site.figure(FIGURE, "\n```claim\nid: fast\nfigure: sorts\nexpect: ratio >= 3.5\ntext: It is fast.\n```\n")
    done = quick_site.build()

    assert "the goal, at least 3.5, is missed" in quick_site.read()
    assert len(done.broken) == 1


def test_fast_but_worse_is_no_goal_that_was_met() -> None:
    record = Record.model_validate_json(json.dumps(RECORD))
    worse = Record.model_validate_json(json.dumps(RECORD | {"least": {"share.least": 0.96}}))

    assert (record.fast_enough, record.reached) == (True, True)
    assert (worse.fast_enough, worse.reached) == (True, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ours": None}, "ours: "),
        ({"ours": []}, "ours: "),
        ({"ours": [1, 2, 0]}, "ours.2: "),
        ({"ours": [1, 2, -1]}, "ours.2: "),
        ({"ours": [1, 2, "3"]}, "ours.2: "),
        ({"ours": [1, 2, True]}, "ours.2: "),
        ({"ours": [1, 2, 10**400]}, ""),
        ({"ours": [1.0] * 201, "theirs": [1.0] * 201}, "ours: Tuple should have at most 200 items"),
        ({"ours": [1, 2]}, "ours has 2 runs and theirs 3, but they make pairs"),
        ({"unit": ""}, "unit: "),
        ({"unit": "x" * 101}, "unit: "),
        ({"work": "x" * 2001}, "work: "),
        ({"peer": "a\0b"}, r"peer: it holds the control character '\x00'"),
        ({"machine": {"a\u202eb": 1}}, "machine."),
        ({"date": "yesterday"}, "date: "),
        ({"ratio": 3.01}, "ratio is 3.01, but the median of theirs over that of ours is 3"),
        ({"met": False}, "met is false, but by its numbers it is true"),
        ({"least": {"speed": 1}}, "least names 'speed', which quality has not"),
        ({"quality": {"a b": 1, "a-b": 2}, "least": {}}, "quality has two names that are one as that of a measure"),
        ({"quality": {str(number): 1 for number in range(51)}, "least": {}}, "quality: "),
        ({"peak": {"ours": 1}}, "peak.theirs: "),
        ({"peak": {"ours": -1, "theirs": 1}}, "peak.ours: "),
        ({"machine": {"cores": [2]}}, "machine.cores"),
        ({"gaol": 1}, "gaol: there is no such key; did you mean 'goal'?"),
        ({"versions": {"ours": {"python": 3}}}, "versions.ours.python: "),
    ],
)
def test_a_record_that_is_wrong_is_told_by_its_file_and_what_is_wrong(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(BuildError) as told:
        read_record(written(tmp_path, RECORD | change))

    assert str(told.value).startswith(f"record {tmp_path}/measured.json: {message}")
    assert len(str(told.value)) < 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no JSON: "),
        ('{"unit": "s", ', "is no JSON: "),
        ("[" * 100_000, "is no JSON: "),
        ("[]", ": "),
        ('{"unit": "s", "ours": [NaN], "theirs": [1]}', ": ours.0: "),
        ('{"unit": "s", "ours": [Infinity], "theirs": [1]}', ": ours.0: "),
        ('{"unit": "s", "ours": [1e999], "theirs": [1]}', ": ours.0: "),
        ('{"unit": "s", "ours": [1], "theirs": [1], "goal": NaN}', ": goal: "),
        ('{"unit": "s", "ours": [1], "theirs": [1], "quality": {"a": Infinity}}', ": quality.a: "),
        ('{"unit": "s", "ours": [1], "theirs": [1]}' + " " * MOST_BYTES, f" has more than {MOST_BYTES:,} bytes"),
    ],
)
def test_a_file_that_is_no_record_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BuildError) as told:
        read_record(written(tmp_path, text))

    assert str(told.value).startswith(f"record {tmp_path}/measured.json{' ' if message[0] == 'i' else ''}{message}")
    assert len(str(told.value)) < 1000


def test_a_damaged_record_is_told_with_the_figure_that_asks_for_it(quick_site: SmallSite) -> None:
    written(quick_site.content, "{")
    quick_site.figure(FIGURE)

    with pytest.raises(
        BuildErrors, match=r"content/posts/a.md:6: figure sorts: record content/measured.json is no JSON"
    ):
        quick_site.build()


def test_a_record_that_is_not_there_is_told(quick_site: SmallSite) -> None:
    quick_site.figure(FIGURE.replace("measured", "measuerd"))

    with pytest.raises(BuildErrors, match=r"content/posts/a.md:9: figure sorts: no file 'measuerd.json' in content"):
        quick_site.build()


@given(st.lists(st.tuples(RUNS, RUNS), min_size=1, max_size=9))
def test_the_ratio_of_medians_lies_among_those_of_the_pairs(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = zip(*pairs, strict=True)
    record = Record(unit="s", ours=ours, theirs=theirs)

    assert min(record.ratios) * (1 - 1e-9) <= record.found <= max(record.ratios) * (1 + 1e-9)


@given(st.lists(st.floats(1e-30, 1e30), min_size=1, max_size=9))
def test_all_that_is_measured_is_on_the_axis_in_its_order(values: list[float]) -> None:
    found = axis(values)
    places = [place(found, value) for value in sorted(values)]
    ticks = [tick["at"] for tick in found["ticks"]]

    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 100
    assert 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert found["logarithmic"] == (max(values) > APART * min(values))
    if not found["logarithmic"]:
        assert (found["first"], place(found, 0)) == (0, 0)
        assert places[-1] == pytest.approx(places[0] * max(values) / min(values), abs=0.3)


@pytest.mark.parametrize(("theirs", "said"), [(20.0, "from zero"), (20.1, "on a logarithmic scale")])
def test_the_axis_says_what_its_scale_is(quick_site: SmallSite, theirs: float, said: str) -> None:
    built(quick_site, {"unit": "s", "ours": [1], "theirs": [theirs]})

    assert f"seconds, {said}; dots: runs" in quick_site.read()


@pytest.mark.parametrize(
    ("unit", "values", "shown"),
    [
        ("s", [0.0123, 0.0246], "12.3 milliseconds"),
        ("ns", [1.5e9, 3e9], "1.5 seconds"),
        ("bytes", [3 * 2**20, 6 * 2**20], "3 MiB"),
        ("bytes", [1, 2], "1 bytes"),
        ("bytes", [3 * 2**20, 6 * 2**30], "3 MiB"),
        ("s", [0.25, 400], "0.25 seconds"),
        ("tokens", [12_500, 25_000], "12,500 tokens"),
    ],
)
def test_numbers_are_shown_in_what_is_easy_to_read_and_measured_in_their_unit(
    quick_site: SmallSite, unit: str, values: list[float], shown: str
) -> None:
    measures = built(quick_site, {"unit": unit, "ours": values[:1], "theirs": values[1:]})

    assert f"<b>ours</b> {shown}</p>" in quick_site.read()
    assert measures["ours"] == values[0]


def test_each_run_is_a_dot_and_its_words_and_the_drawing_says_what_the_table_says(quick_site: SmallSite) -> None:
    built(quick_site, RECORD)
    page = quick_site.read()

    assert re.findall(r'<circle cx="([\d.]+)%" cy="17" r="5"><title>run \d: (\d) seconds</title>', page) == [
        ("12.5", "1"), ("25.0", "2"), ("50.0", "4"), ("50.0", "4"), ("75.0", "6"), ("100.0", "8"),
    ]  # fmt: skip
    assert 'role="img" aria-label="new sort: 3 runs from 1 to 4 seconds, median 2. ' in page
    assert (
        '<th scope="row">new sort</th><td class="number">1</td><td class="number">2</td><td class="number">4</td>'
        in page
    )
