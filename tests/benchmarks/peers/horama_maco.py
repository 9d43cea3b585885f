"""horama: MACO with our spectrum, and its own optimiser, noise and boxes."""

from __future__ import annotations

import os

import horama
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.extension import _has_ops

from tests.benchmarks import nets, pictures
from tests.benchmarks.child import Task, answer, seconds, task


def sampled(images: Tensor, boxes: Tensor, output_size: tuple[int, int]) -> Tensor:
    """roi_align of one image, (1, channels, size, size), where no box has more pixels than the output.

    It then takes one bilinear sample in the middle of each of the output's pixels, as does this.
    """
    size = images.shape[-1]
    middles = (torch.arange(output_size[0]) + 0.5) / output_size[0]
    left, top, right, bottom = boxes[:, 1:].unbind(1)
    across = left[:, None] + (right - left)[:, None] * middles  # (boxes, width), pixel 0 at 0
    down = top[:, None] + (bottom - top)[:, None] * middles
    grid = torch.stack(
        [
            across[:, None, :].expand(-1, output_size[0], -1),
            down[:, :, None].expand(-1, -1, output_size[1]),
        ],
        3,
    )
    looks = F.grid_sample(
        images.expand(len(boxes), -1, -1, -1), grid * 2 / (size - 1) - 1, padding_mode="border", align_corners=True
    )
    return looks * ((grid >= -1) & (grid <= size)).all(3).unsqueeze(1)  # beyond that it gives zero


def main(given: Task) -> None:
    setting = given.setting
    os.chdir(given.folder)  # where it looks for its spectrum
    np.save("spectrum_decorrelated.npy", nets.spectrum(setting["size"], setting["size"]))
    if not _has_ops():
        horama.common.roi_align = sampled
    network = nets.network(setting["network"])
    torch.manual_seed(given.run)

    def work(steps: int) -> None:
        picture, _ = horama.maco(
            lambda images: network(nets.normalise(setting["network"], images))[:, setting["class"]].mean(),
            total_steps=steps,
            image_size=setting["size"],
            model_input_size=setting["look"],
            values_range=(0, 1),
            crops_per_iteration=setting["crops"],
            device="cpu",
        )
        finished = picture.detach().permute(1, 2, 0).numpy()
        pictures.write(given.folder, setting["layer"], setting["class"], finished)

    work(1)  # warm
    answer(seconds(lambda: work(setting["steps"])))


if __name__ == "__main__":
    main(task())
