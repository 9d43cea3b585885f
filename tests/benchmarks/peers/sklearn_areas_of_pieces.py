"""scikit-learn: `roc_auc_score` of one unit for each concept, once all of it has been read."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from tests.benchmarks import nets
from tests.benchmarks.child import Task, answer, seconds, task


def main(given: Task) -> None:
    positions, concepts = given.setting["positions"], given.setting["concepts"]
    pieces = list(nets.activations_in_pieces(positions, 1, concepts))
    unit = np.concatenate([activations[:, 0] for activations, _ in pieces])
    flags = np.concatenate([flags for _, flags in pieces])
    found = np.zeros(concepts)

    def work() -> None:
        found[:] = [roc_auc_score(holds, unit) for holds in flags.T]

    spent = seconds(work)
    np.save(given.folder / "areas.npy", found)
    answer(spent / (positions * concepts) * 1e9, seconds=spent)


if __name__ == "__main__":
    main(task())
