"""Areas under the curve of many units and concepts, beside scikit-learn's, which is in our own environment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generator import interp
from generator.deferred import Deferred
from tests.benchmarks import nets
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")


def rank(given: Task) -> None:
    activations, concepts = map(torch.tensor, nets.activations_and_concepts(**given.setting))
    found = interp.selectivity.areas(activations, concepts)  # warm
    spent = seconds(lambda: interp.selectivity.areas(activations, concepts))
    np.save(given.folder / "areas.npy", found.numpy())
    answer(spent)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    mine, other = (np.load(side[-1].folder / "areas.npy") for side in (ours, theirs))
    return {"agreement": 1 - float(np.abs(mine - other).max())}


BENCHMARK = Benchmark(
    "selectivity",
    "areas under the ROC curve of 16 units for 5 concepts at 40,000 positions",
    "scikit-learn",
    10,
    Side("tests.benchmarks.selectivity"),
    Side("tests.benchmarks.peers.sklearn_areas", named=("scikit-learn", "numpy")),
    {"positions": 40_000, "units": 16, "concepts": 5},
    quality=quality,
    least={"agreement": 0.9999},
)

if __name__ == "__main__":
    rank(task())
