"""The source `edges`: two filters, of edges across and edges down."""

from pathlib import Path
from typing import Any, Literal

from generator.deferred import Deferred
from generator.model import ImageInput, Model
from generator.spec import UnitPagesOptions
from generator.weights import Weights

torch: Any = Deferred("torch")  # imported at its first use: `whatfires kinds` should not wait for it


class Settings(UnitPagesOptions):
    source: Literal["edges"]
    classes: tuple[str, str] = ("across", "down")


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    return {}  # its settings and this code, both in the key, decide it


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    torch.manual_seed(seed)
    nn = torch.nn
    network = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if weights is None:  # else an untrained one is asked for
        down = [[0.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
        network[0].weight.data = torch.tensor([[list(map(list, zip(*down, strict=True)))], [down]])
    return Model(name, network.eval().requires_grad_(False), settings.classes, ImageInput(1, 16, 16))
