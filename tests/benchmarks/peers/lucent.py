"""torch-lucent: pictures of channels with its defaults, as PNG files.

Its defaults are 512 steps, its own transforms, and pictures below 224 pixels enlarged to 224 before the network sees
them. Only its normalisation is replaced, by that of the network. It makes one picture after the other, each in the
same time, so a run makes only `each_run` channels of each layer, other ones than the run before, and answers with
the seconds that all channels would take.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from lucent.optvis import objectives, param, render, transform

from tests.benchmarks import nets, pictures
from tests.benchmarks.child import Task, answer, seconds, task


def grow(network: torch.nn.Module, layer: dict[str, Any], channel: int, setting: dict[str, Any], steps: int) -> Any:
    """(height, width, 3) in [0, 1]."""
    torch.manual_seed(channel)
    np.random.seed(channel)  # noqa: NPY002  (where its transforms draw from)
    normalise = [lambda images: nets.normalise(layer["network"], images)]
    (made,) = render.render_vis(
        network,
        objectives.channel(layer["layer"].replace(".", "_"), channel),
        lambda: param.image(setting["size"]),
        transforms=transform.standard_transforms + normalise,
        thresholds=(steps,),
        preprocess=False,
        progress=False,
        show_image=False,
        fixed_image_size=setting["fixed"],
    )
    return made[0]


def main(given: Task) -> None:
    setting, total = given.setting, 0.0
    for layer in setting["layers"]:
        network, folder = nets.network(layer["network"]), given.folder / layer["network"]
        start = given.run * setting["each_run"]
        channels = layer["channels"][start : start + setting["each_run"]]
        grow(network, layer, channels[0], setting, 2)  # warm

        def work(layer: Any = layer, channels: Any = channels, network: Any = network, folder: Any = folder) -> None:
            for channel in channels:
                pictures.write(
                    folder, layer["layer"], channel, grow(network, layer, channel, setting, setting["peer_steps"])
                )

        total += seconds(work) / len(channels) * len(layer["channels"])
    answer(total)


if __name__ == "__main__":
    main(task())
