"""What the pages of units say of concepts: the words of a census, and nothing where it has none."""

from dataclasses import replace
from typing import Any

from generator.artifact import Artifact
from generator.followed import Followed, followed
from generator.spec import FigureOptions, FigureSpec, Job, Place, Post

PLACE = Place("a.md")
SCORES = {"auc": 0.9, "interval-low": 0.85, "interval-high": 0.95}
BARS = {"ngram": 0.7, "untrained": 0.6, "null": 0.65}


def census(concept: str, number: int = 3) -> Artifact:
    unit = {"group": "cell", "number": number, "concept": concept, "high": False, "readable": True, "scores": SCORES}
    concepts = [
        {"name": "digit", "description": "a digit", "scores": {"auc": 0.99, "f1": 0.5, **BARS}},
        {"name": "never", "description": "nowhere", "scores": {}},
    ]
    return Artifact(data={"concepts": concepts, "units": [unit]})


def told(*artifacts: Artifact, **changed: Any) -> dict[tuple[str, str, int], Followed]:
    """Of posts with one census of model m each."""
    posts, jobs = [], {}
    for number in range(len(artifacts)):
        figure = replace(FigureSpec("count", "unit-census", FigureOptions(model="m"), PLACE), **changed)
        posts.append(Post(f"posts/{number}.html", "", "", PLACE, figures=(figure,)))
        jobs[posts[-1].path, "count"] = Job(str(number), figure.kind, figure.options, {}, PLACE, "count")
    return followed(posts, jobs, {str(number): one for number, one in enumerate(artifacts)})


def test_a_unit_has_its_own_scores_beside_the_bars_of_its_concept() -> None:
    assert told(census("digit")) == {
        ("m", "cell", 3): Followed("digit", "a digit", False, True, {**BARS, **SCORES}, "posts/0.html#count")
    }


def test_nothing_is_said_of_a_concept_without_scores_or_by_another_kind() -> None:
    assert told(census("never")) == {}
    assert told(census("digit"), kind="top-contexts") == {}


def test_the_first_census_of_a_unit_counts_and_later_ones_add_others() -> None:
    found = told(census("digit"), census("digit"), census("digit", 4))

    assert {unit: one.census for unit, one in found.items()} == {
        ("m", "cell", 3): "posts/0.html#count",
        ("m", "cell", 4): "posts/2.html#count",
    }
