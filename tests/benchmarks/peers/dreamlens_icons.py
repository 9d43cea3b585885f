"""dreamlens: `render_neurons`, its icons of many units in one batch, as PNG files."""

from __future__ import annotations

import numpy as np
import torch
from dreamlens import render_neurons
from torch import Tensor, nn

from generator.interp.hooks import activations
from tests.benchmarks import nets, pictures
from tests.benchmarks.child import Task, answer, seconds, task


class Means(nn.Module):
    """The mean of each channel of a layer, (batch, channels); the pass ends there."""

    def __init__(self, network: nn.Module, layer: str) -> None:
        super().__init__()
        self.network, self.layer, self.means = network, layer, nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.means(activations(self.network, images, self.layer)[self.layer].mean((2, 3)))
        return found


def main(given: Task) -> None:
    (layer,) = given.setting["layers"]
    network = Means(nets.network(layer["network"]), layer["layer"])

    def work(channels: list[int], steps: int, attempts: int) -> list[np.ndarray]:
        torch.manual_seed(given.run)
        np.random.seed(given.run)  # noqa: NPY002  (where it draws from)
        made, _ = render_neurons(
            channels,
            network,
            "means",
            size=given.setting["size"],
            n_steps=steps,
            num_attempts=attempts,
            preprocess=lambda images: nets.normalise(layer["network"], images),
        )
        return made

    def whole() -> None:
        made = work(layer["channels"], given.setting["peer_steps"], 3)
        for channel, picture in zip(layer["channels"], made, strict=True):
            pictures.write(given.folder / layer["network"], layer["layer"], channel, picture)

    work(layer["channels"][:1], 1, 1)  # warm
    answer(seconds(whole))


if __name__ == "__main__":
    main(task())
