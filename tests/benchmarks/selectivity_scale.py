"""A census of ten million characters: areas, F1 and information of a thousand units for twenty concepts.

Both sides are given activations piece by piece, as a network gives them, and time only what they do with them.
scikit-learn ranks a unit anew for each concept and would take hours, so it is given one unit; the time is told for
each character, unit and concept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from generator import interp
from tests.benchmarks import nets
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

MINUTES = 5  # in which the whole must be done


def score(given: Task) -> None:
    positions, units, concepts = (given.setting[name] for name in ("positions", "units", "concepts"))
    histograms = interp.histograms.Histograms(units, concepts)
    scale: interp.histograms.Scale | None = None
    spent = 0.0

    def count(activations: np.ndarray, flags: np.ndarray) -> None:
        nonlocal scale
        scale = scale or interp.histograms.Scale.of(activations)
        histograms.add(scale.levels(activations), interp.histograms.packed(flags))

    def scores() -> np.ndarray:
        holding, total = histograms.fold().holding, histograms.total
        areas = interp.separation.areas(holding, total)
        interp.separation.best_levels(holding, total, areas >= 0.5)
        interp.separation.information(holding, total)
        return areas

    for piece in nets.activations_in_pieces(positions, units, concepts):
        spent += seconds(partial(count, *piece))
    spent += seconds(lambda: np.save(given.folder / "areas.npy", scores()[0]))
    answer(spent / (positions * units * concepts) * 1e9, seconds=spent)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    mine, other = (np.load(side[-1].folder / "areas.npy") for side in (ours, theirs))
    longest = max(one.details["seconds"] for one in ours)
    return {
        "agreement": 1 - float(np.abs(mine - other).max()),
        "minutes to spare": MINUTES - longest / 60,
        "gigabytes below two": 2 - max(one.peak for one in ours) / 1e9,
    }


BENCHMARK = Benchmark(
    "selectivity-scale",
    f"10 million characters × 1,024 units × 20 concepts, streamed, in under {MINUTES} minutes and 2 GB",
    "scikit-learn",
    100,
    Side("tests.benchmarks.selectivity_scale", named=("numpy",)),
    Side("tests.benchmarks.peers.sklearn_areas_of_pieces", named=("scikit-learn", "numpy")),
    {"positions": 10_000_000, "units": 1024, "concepts": 20},
    runs=1,
    unit="ns",
    quality=quality,
    least={"agreement": 0.999, "minutes to spare": 0, "gigabytes below two": 0},
)

if __name__ == "__main__":
    score(task())
