"""grad-cam: its `GradCAM`, all images in one batch."""

from __future__ import annotations

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from tests.benchmarks import nets
from tests.benchmarks.child import Task, answer, seconds, task


def main(given: Task) -> None:
    setting = given.setting
    network = nets.network(setting["network"])
    # It needs a gradient to start somewhere; starting here, it does no work before the layer, as ours does none.
    network.get_submodule(setting["layer"]).requires_grad_(True)
    images = nets.normalise(setting["network"], torch.tensor(nets.images(setting["images"], setting["size"])))
    with torch.no_grad():
        targets = [ClassifierOutputTarget(number) for number in network(images).argmax(1).tolist()]
    found: list[np.ndarray] = []
    with GradCAM(network, [network.get_submodule(setting["layer"])]) as peer:

        def work() -> None:
            found[:] = peer(images, targets)

        work()  # warm
        spent = seconds(work)
    np.save(given.folder / "maps.npy", np.stack(found))
    answer(spent)


if __name__ == "__main__":
    main(task())
