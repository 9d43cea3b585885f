"""`make bench`: areas under the curve of many units and concepts, beside scikit-learn's in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from sklearn.metrics import roc_auc_score

from generator.interp.selectivity import areas

POSITIONS, UNITS, CONCEPTS, RUNS = 40_000, 16, 5, 3


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    activations = torch.randn(POSITIONS, UNITS, generator=generator)
    concepts = torch.rand(POSITIONS, CONCEPTS, generator=generator) < 0.2
    columns, holds = activations.numpy(), concepts.numpy()

    def peer() -> list[float]:
        return [
            float(roc_auc_score(holds[:, concept], columns[:, unit]))
            for unit in range(UNITS)
            for concept in range(CONCEPTS)
        ]

    areas(activations, concepts), peer()  # both warm
    pairs = [(seconds(lambda: areas(activations, concepts)), seconds(peer)) for _ in range(RUNS)]
    ratios = [theirs / ours for ours, theirs in pairs]
    print(f"{UNITS} units × {CONCEPTS} concepts × {POSITIONS:,} positions, {RUNS} paired runs")  # noqa: T201
    for name, times in (
        ("whatfires areas", [one for one, _ in pairs]),
        ("scikit-learn roc_auc_score", [one for _, one in pairs]),
    ):
        print(f"{name:28} {min(times):.3f} {statistics.median(times):.3f} {max(times):.3f} s (min, median, max)")  # noqa: T201
    print(f"scikit-learn / whatfires: {min(ratios):.1f} {statistics.median(ratios):.1f} {max(ratios):.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
