"""Pictures of channels, many at once: beside torch-lucent, which makes one at a time, and dreamlens' icons.

A picture is judged by the mean activation of its channel on the finished PNG file, at its own size, in float32.
Lucent's pictures are slow to make, so what its defaults reach can be kept in `targets/NAME.json`, recorded by
`python -m tests.benchmarks.targets NAME`. Each run makes some of them again: `peer.again` says how near those come,
and where nothing is recorded they are what ours is judged by; `judged` counts the pictures.

torch-lucent 0.1.8 needs nothing but pip; it brings kornia 0.4.1 along. dreamlens 0.1.1 maximises the neuron at the
centre of a convolution's output, so it is given a network that ends in the means of the layer's channels: the
same objective as ours, and no work after the layer.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generator import interp
from tests.benchmarks import ours, pictures
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

TARGETS = Path(__file__).parent / "targets"

LUCENT = Side(
    "tests.benchmarks.peers.lucent",
    "torch-lucent",
    ("torch-lucent==0.1.8",),
    ("torch", "torch-lucent", "kornia", "numpy"),
)
ICONS = Side("tests.benchmarks.peers.dreamlens_icons", "dreamlens", ("dreamlens==0.1.1",), ("torch", "dreamlens"))


def of(network: str, layer: str, channels: Sequence[int]) -> dict[str, Any]:
    return {"network": network, "layer": layer, "channels": list(channels)}


def grow(given: Task) -> None:
    """All pictures of all layers, from a network in memory to files; how to run it fastest is measured each time."""
    setting, spent = given.setting, 0.0
    for layer in setting["layers"]:
        network, normalise = ours.network(layer["network"])
        name, folder = ours.layer(layer["layer"]), given.folder / layer["network"]

        def work(
            channels: list[int], steps: int, name: str = name, network: Any = network, normalise: Any = normalise
        ) -> Any:
            size = setting["size"]
            return interp.visualise.visualise(
                network,
                interp.objectives.channel(name, channels),
                interp.parameterisation.Fourier(channels, size, size),
                normalise=normalise,
                seeds=channels,
                steps=steps,
                **setting["ascent"],
            ).images

        def whole(work: Any = work, layer: Any = layer, folder: Any = folder) -> None:
            made = work(layer["channels"], setting["steps"]).permute(0, 2, 3, 1).numpy()
            for channel, picture in zip(layer["channels"], made, strict=True):
                pictures.write(folder, layer["layer"], channel, picture)

        work(layer["channels"][:1], 1)  # warm
        spent += seconds(whole)
    answer(spent)


def evaluated(folder: Path, layers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The activation of every picture below a side's folder, by "network layer channel"."""
    return {
        f"{layer['network']} {layer['layer']} {channel}": activation
        for layer in layers
        for channel, activation in pictures.activations(
            folder / layer["network"], layer["layer"], layer["network"]
        ).items()
    }


def shares(reached: Mapping[str, float], wanted: Mapping[str, float]) -> list[float]:
    """Of each picture, what it reached over what was wanted of it."""
    return [reached[name] / wanted[name] for name in wanted]


def judged(ours: Mapping[str, float], recorded: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    """Our activations against those recorded of the peer, and where none is recorded against this run's."""
    found = shares(ours, {**theirs, **recorded})
    quality = {"share.least": min(found), "share.median": statistics.median(found), "judged": len(found)}
    again = [theirs[name] / recorded[name] for name in theirs if name in recorded]
    return quality | ({"peer.again": statistics.median(again)} if again else {})


def against_targets(benchmark: str, layers: Sequence[Mapping[str, Any]]) -> Any:
    def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
        file = TARGETS / f"{benchmark}.json"
        recorded = json.loads(file.read_text())["activations"] if file.exists() else {}
        reached = {name: one for outcome in theirs for name, one in evaluated(outcome.folder, layers).items()}
        return judged(evaluated(ours[-1].folder, layers), recorded, reached)

    return quality


def against_theirs(layers: Sequence[Mapping[str, Any]]) -> Any:
    def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
        found = shares(evaluated(ours[-1].folder, layers), evaluated(theirs[-1].folder, layers))
        return {"share.least": min(found), "share.median": statistics.median(found)}

    return quality


FEATURES = [
    of("efficientnet-lite0", "_blocks.5", range(0, 80, 5)),
    of("efficientnet-lite0", "_blocks.14", range(0, 192, 12)),
    of("resnet18", "layer2", range(0, 128, 8)),
    of("resnet18", "layer4", range(0, 512, 32)),
]
FEATURE_CHANNELS = Benchmark(
    "feature-channels",
    "16 channels of a middle and of a late layer of EfficientNet-Lite0 and of a ResNet-18 with random weights, 128 px, "
    "to 90 % of the activation that the peer's defaults (512 steps) end with. The peer makes one picture after the "
    "other: one of each layer is timed in a run, and counted 16 times",
    "torch-lucent",
    10,
    Side("tests.benchmarks.channels"),
    LUCENT,
    {
        "size": 128,
        "fixed": None,
        "steps": 160,
        "ascent": {"rate": 0.1},
        "peer_steps": 512,
        "each_run": 1,
        "layers": FEATURES,
    },
    runs=2,
    quality=against_targets("feature-channels", FEATURES),
    least={"share.least": 0.9},
)

SMALL = [of("small", "third", range(64))]
SMALL_NETWORK = Benchmark(
    "small-network",
    "64 channels of a small convolutional network with random weights, 32 px, to 90 % of the activation that the "
    "peer's defaults (512 steps), its size fixed at 32 px, end with. Four of the peer's pictures are timed in a run, "
    "and counted 16 times",
    "torch-lucent",
    8,
    Side("tests.benchmarks.channels"),
    LUCENT,
    {"size": 32, "fixed": 32, "steps": 320, "ascent": {"rate": 0.1}, "peer_steps": 512, "each_run": 4, "layers": SMALL},
    quality=against_targets("small-network", SMALL),
    least={"share.least": 0.9},
)

ICON_LAYER = [of("efficientnet-lite0", "_blocks.9", range(64))]
UNIT_ICONS = Benchmark(
    "unit-icons",
    "64 channels of a layer of EfficientNet-Lite0 as icons of 80 px, files written; the peer's defaults (128 steps, the "
    "best of three attempts), all in one batch; the median activation at least as high as the peer's",
    "dreamlens",
    4,
    Side("tests.benchmarks.channels"),
    ICONS,
    {"size": 80, "steps": 64, "ascent": {"rate": 0.1}, "peer_steps": 128, "layers": ICON_LAYER},
    runs=2,
    quality=against_theirs(ICON_LAYER),
    least={"share.median": 1.0},
)

if __name__ == "__main__":
    grow(task())
