"""What is told of two builds' reports."""

import copy
import json
from pathlib import Path

import pytest

from generator.report_diff import differences
from tests.conftest import SmallSite
from tests.test_cli import run

FIGURE = {
    "id": "f",
    "page": "p.html",
    "kind": "sample",
    "key": "a",
    "measures": {"auc": 0.9, "size": 3.0},
    "intervals": {"auc": [0.85, 0.95]},
}
CLAIM = {"id": "c", "page": "p.html", "text": "So.", "expect": "auc ≥ 0.8", "value": 0.9, "status": "holds"}
MODEL = {"source": "python", "checkpoint": "step-1.pt", "digest": "x", "measures": {"loss": 2.0}}
OLD = {"schema": 1, "pages": [], "figures": [FIGURE], "claims": [CLAIM], "models": {"m": MODEL}}


def told(change: dict) -> dict[str, list[str]]:
    """What is told after figure, claim or model have other values."""
    new = copy.deepcopy(OLD)
    new["figures"][0].update(change.get("figure", {}))
    new["claims"][0].update(change.get("claim", {}))
    new["models"]["m"].update(change.get("model", {}))
    return dict(differences(OLD, new))


def test_equal_reports_differ_in_nothing() -> None:
    assert told({"figure": {"seconds": 3}}) == {}


def test_a_claim_that_flipped_is_told_with_both_values() -> None:
    found = told({"claim": {"status": "broken", "value": 0.7}})

    assert found == {"Claims": ["holds → broken: p.html#c: So. (auc ≥ 0.8, 0.7), was 0.9"]}


def test_a_measure_with_an_interval_is_told_only_beyond_it() -> None:
    within = {"measures": {"auc": 0.93, "size": 3.0}, "intervals": {"auc": [0.9, 0.97]}}
    beyond = {"measures": {"auc": 0.99, "size": 3.0}, "intervals": {"auc": [0.96, 1.0]}}

    assert told({"figure": within}) == {}
    assert told({"figure": beyond}) == {"Measures": ["p.html#f: auc 0.9 → 0.99, beyond its interval"]}


def test_a_measure_without_an_interval_is_told_where_it_changed_but_not_for_rounding() -> None:
    assert told({"figure": {"measures": {"auc": 0.9, "size": 3.0 + 1e-12}}}) == {}
    assert told({"figure": {"measures": {"auc": 0.9, "size": 4.0}}}) == {"Measures": ["p.html#f: size 3 → 4"]}


def test_figures_computed_anew_new_and_gone_are_told() -> None:
    new = copy.deepcopy(OLD)
    new["figures"] = [{**FIGURE, "id": "g"}]

    assert told({"figure": {"key": "b"}}) == {"Figures": ["computed anew: p.html#f (sample)"]}
    assert dict(differences(OLD, new)) == {"Figures": ["new: p.html#g (sample)", "gone: p.html#f (sample)"]}


def test_a_new_checkpoint_is_told_with_what_it_measures() -> None:
    found = told({"model": {"digest": "y", "checkpoint": "step-2.pt", "measures": {"loss": 1.5}}})

    assert found == {"Models": ["m: step-1.pt → step-2.pt; loss 2 → 1.5"]}


def test_the_command_compares_two_builds(small_site: SmallSite, tmp_path: Path) -> None:
    small_site.build()
    first = tmp_path / "old.json"
    first.write_bytes((small_site.out / "report.json").read_bytes())
    same = run("report", "diff", str(first), "site/report.json")
    small_site.post(small_site.content.joinpath("posts/a.md").read_text().replace("length: 30", "length: 31"))
    small_site.build()
    code, output = run("report", "diff", str(first), "site/report.json", "--markdown")

    assert same == (0, "Nothing changed.\n")
    assert code == 0
    assert "### Figures" in output
    assert "computed anew: posts/a.html\\#written" in output
    assert "characters 30 → 31" in output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("{", "is not JSON"),
        ("[]", "is no report.json"),
        ("[" * 100_000, "is not JSON: nested too deeply"),
        (json.dumps({"schema": 2}), "no report"),
        (
            json.dumps({**OLD, "figures": [{**FIGURE, "measures": ["auc"]}]}),
            "(of schema 1): figures.0.measures: Input should",
        ),
    ],
)
def test_what_is_no_report_is_told(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content)
    code, output = run("report", "diff", str(path), str(path))

    assert code == 1
    assert message in output
