"""Grad-CAM of a batch of images, beside grad-cam; the maps must be the same.

grad-cam 1.5.7 comes as source and builds without a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generator import interp
from generator.deferred import Deferred
from tests.benchmarks import nets, ours
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")


def look(given: Task) -> None:
    """Maps of the size of the images, as the peer makes them, each divided by its largest value."""
    setting = given.setting
    network, normalise = ours.network(setting["network"])
    images = normalise(torch.tensor(nets.images(setting["images"], setting["size"])))
    with torch.no_grad():
        classes = network(images).argmax(1).tolist()
    found = []

    def work() -> None:
        maps = interp.attribution.grad_cam(network, ours.layer(setting["layer"]), images, classes).unsqueeze(1)
        size = (setting["size"], setting["size"])
        found[:] = torch.nn.functional.interpolate(maps, size, mode="bilinear", align_corners=False)

    work()  # warm
    spent = seconds(work)
    np.save(given.folder / "maps.npy", torch.cat(found).numpy())
    answer(spent)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    """The least correlation of a map with the peer's of the same image."""
    pairs = zip(*(np.load(side[-1].folder / "maps.npy") for side in (ours, theirs)), strict=True)
    return {"correlation.least": min(float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one, other in pairs)}


BENCHMARK = Benchmark(
    "grad-cam",
    "Grad-CAM of 32 images of 224 px at the last block of EfficientNet-Lite0, in one batch",
    "grad-cam",
    1,
    Side("tests.benchmarks.grad_cam"),
    Side("tests.benchmarks.peers.gradcam", "grad-cam", ("grad-cam==1.5.7",), ("torch", "grad-cam", "numpy")),
    {"network": "efficientnet-lite0", "layer": "_blocks.15", "images": 32, "size": 224},
    runs=5,
    quality=quality,
    least={"correlation.least": 0.99},
)

if __name__ == "__main__":
    look(task())
