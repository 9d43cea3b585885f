"""Which concept each unit of a model follows best, as the censuses of the posts tell it: for the units' own pages.

Nothing is computed here: a census judges every unit of its model, and its artifact keeps what it found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generator.artifact import Artifact
from generator.spec import Job, Post

CENSUS = "unit-census"


@dataclass(frozen=True)
class Followed:
    """What one unit follows, and whether it is high there.

    scores: auc, interval-low and interval-high of the unit; ngram, untrained and null, above which all of the
    interval lies where the unit is readable. census: path and anchor in the site.
    """

    concept: str
    description: str
    high: bool
    readable: bool
    scores: Mapping[str, float]
    census: str


def followed(
    posts: Sequence[Post], jobs: Mapping[tuple[str, str], Job], artifacts: Mapping[str, Artifact]
) -> dict[tuple[str, str, int], Followed]:
    """By model, group and number. Of several censuses of a unit the first counts; an undefined concept says nothing."""
    found: dict[tuple[str, str, int], Followed] = {}
    for post in posts:
        for figure in post.figures:
            if figure.kind != CENSUS:
                continue
            job = jobs[post.path, figure.id]
            if job.model not in (None, figure.options.model):
                continue  # of an old checkpoint; the units' pages are of the newest
            if job.key not in artifacts:
                continue  # it failed
            data = artifacts[job.key].data
            concepts = {row["name"]: row for row in data["concepts"]}
            for unit in data["units"]:
                concept = concepts[unit["concept"]]
                if not concept["scores"]:
                    continue
                bars = {name: concept["scores"][name] for name in ("ngram", "untrained", "null")}
                own = Followed(
                    unit["concept"],
                    concept["description"],
                    unit["high"],
                    unit["readable"],
                    {**bars, **unit["scores"]},
                    f"{post.path}#{figure.id}",
                )
                found.setdefault((str(figure.options.model), unit["group"], unit["number"]), own)
    return found
