"""Finished pictures as PNG files, and the one evaluation that both sides are judged by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator import interp
from generator.deferred import Deferred
from tests.benchmarks import nets

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")


def write(folder: Path, layer: str, channel: int, picture: NDArray[Any]) -> None:
    """picture: (height, width, 3) in [0, 1]; rounded to eight bits."""
    pixels = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    (folder / layer).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / layer / f"{channel}.png")


def activations(folder: Path, layer: str, network: str) -> dict[int, float]:
    """Mean activation of channel c of the layer on the picture `layer/c.png`, in float32, for each that is there."""
    channels = sorted(int(path.stem) for path in (folder / layer).glob("*.png"))
    model = nets.network(network)
    found = {}
    with torch.no_grad():
        for channel in channels:
            with Image.open(folder / layer / f"{channel}.png") as picture:
                images = interp.pictures.from_pixels(np.asarray(picture)[None])
            outputs = interp.hooks.activations(model, nets.normalise(network, images), layer)[layer]
            found[channel] = float(outputs[0, channel].mean())
    return found
