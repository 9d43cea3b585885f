"""One picture whose magnitudes are fixed (MACO), with equal steps and equal crops, beside dreamlens and horama.

horama 0.3.0 does not declare that it needs tqdm and einops, and it downloads its spectrum where none lies in its
folder; it is given ours. It crops by torchvision's roi_align, whose compiled operators may be missing here; then
its script puts the same sampling in plain PyTorch in its place. dreamlens 0.1.1 carries a spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generator import interp
from generator.deferred import Deferred
from tests.benchmarks import nets, ours, pictures
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")

SETTING = {
    "size": 256,
    "look": 224,
    "steps": 64,
    "crops": 6,
    "box": (0.5, 1.0),  # ours; a peer's shrink as it climbs, by its own schedule
    "network": "efficientnet-lite0",
    "layer": "_fc",
    "class": 130,
}


def grow(given: Task) -> None:
    setting, size = given.setting, given.setting["size"]
    network, normalise = ours.network(setting["network"])
    spectrum = torch.tensor(nets.spectrum(size, size))
    example = normalise(torch.zeros(1, 3, setting["look"], setting["look"]))
    pace = interp.pace.measured(network, (interp.hooks.OUTPUT,), example)  # once for a network; a build keeps it

    def work(steps: int) -> None:
        found = interp.visualise.visualise(
            network,
            interp.objectives.logit([setting["class"]]),
            interp.parameterisation.Maco([given.run], size, size, spectrum),
            normalise=normalise,
            transform=interp.transforms.Crops(setting["look"], setting["crops"], setting["box"]),
            steps=steps,
            rate=0.3,
            flat=0,
            pace=pace,
        )
        picture = found.images[0].permute(1, 2, 0).numpy()
        pictures.write(given.folder, setting["layer"], setting["class"], np.asarray(picture))

    work(1)  # warm
    answer(seconds(lambda: work(setting["steps"])))


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    """The class's logit on the whole of the last picture of each: the ranges of their crops differ."""
    found = {
        side: pictures.activations(outcomes[-1].folder, SETTING["layer"], SETTING["network"])[SETTING["class"]]
        for side, outcomes in (("ours", ours), ("theirs", theirs))
    }
    logits = {f"logit.{side}": logit for side, logit in found.items()}
    return logits | {"logit.share": found["ours"] / found["theirs"]}


def against(name: str, peer: str, theirs: Side) -> Benchmark:
    work = (
        "one MACO picture of a class of EfficientNet-Lite0 at 256 px, 64 steps of 6 crops of 224 px, at least its logit"
    )
    return Benchmark(
        name, work, peer, 3, Side("tests.benchmarks.maco"), theirs, SETTING, quality=quality, least={"logit.share": 1.0}
    )


DREAMLENS = against(
    "maco",
    "dreamlens",
    Side("tests.benchmarks.peers.dreamlens_maco", "dreamlens", ("dreamlens==0.1.1",), ("torch", "dreamlens")),
)
HORAMA = against(
    "maco-horama",
    "horama",
    Side("tests.benchmarks.peers.horama_maco", "horama", ("horama==0.3.0", "tqdm", "einops"), ("torch", "horama")),
)

if __name__ == "__main__":
    grow(task())
