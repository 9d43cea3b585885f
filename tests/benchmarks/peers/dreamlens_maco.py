"""dreamlens: MACO with its own spectrum, optimiser, noise and boxes."""

from __future__ import annotations

import numpy as np
import torch
from dreamlens import FeatureTarget, FeatureVisualizer, MacoConfig

from tests.benchmarks import nets, pictures
from tests.benchmarks.child import Task, answer, seconds, task


def main(given: Task) -> None:
    setting = given.setting
    network = nets.network(setting["network"])
    visualizer = FeatureVisualizer(
        network, quiet=True, preprocess=lambda images: nets.normalise(setting["network"], images)
    )
    target = FeatureTarget.for_class(setting["class"], layer=setting["layer"])
    torch.manual_seed(given.run)
    np.random.seed(given.run)  # noqa: NPY002  (where it draws from)

    def work(steps: int) -> None:
        config = MacoConfig(
            width=setting["size"],
            height=setting["size"],
            input_shape=(3, setting["look"], setting["look"]),
            steps=steps,
            crops=setting["crops"],
        )
        picture = visualizer.maco(target, config).image.detach().reshape(3, setting["size"], setting["size"])
        pictures.write(given.folder, setting["layer"], setting["class"], picture.permute(1, 2, 0).numpy())

    work(1)  # warm
    answer(seconds(lambda: work(setting["steps"])))


if __name__ == "__main__":
    main(task())
