"""scikit-learn: `roc_auc_score` of each unit and concept."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from tests.benchmarks import nets
from tests.benchmarks.child import Task, answer, seconds, task


def main(given: Task) -> None:
    activations, concepts = nets.activations_and_concepts(**given.setting)

    def work() -> np.ndarray:
        return np.array([[roc_auc_score(holds, unit) for holds in concepts.T] for unit in activations.T])

    found = work()  # warm
    spent = seconds(work)
    np.save(given.folder / "areas.npy", found)
    answer(spent)


if __name__ == "__main__":
    main(task())
