"""What natural images do to the channels of a layer: each image's mean and peak, its spectrum, and what is shown of it.

Recorded once for a layer, a size and a data set, whichever figure comes first, and kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.artifact import Artifact
from generator.channels import Layer, Progress, common
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.seeing import RECORDED, all_resized, image_of, in_colour, pictured, recorded, resized
from generator.spec import BuildError

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

MOST = 600  # natural images that a figure is held against, where its author does not say
SHOWN = 104  # pixels of an example's longer side
NOISES = 8  # images of noise that show what a position sees


@dataclass(frozen=True)
class Natural:
    """What every channel does on images of a data set.

    means: (images, channels). earlier: the same in the checkpoint before the newest, None where there is none.
    spectra: (images, octaves), see interp.evidence.radial_power. positions: (images, channels, 2), of the maximum, in
    maps of `size`. numbers: (images,), which images of the split they are. skipped: sentences about those that could
    not be read.
    """

    means: NDArray[np.float32]
    earlier: NDArray[np.float32] | None
    spectra: NDArray[np.float64]
    positions: NDArray[np.int64]
    size: tuple[int, int]
    numbers: NDArray[np.int64]
    skipped: tuple[str, ...]


def natural(
    inputs: Inputs,
    layer: Layer,
    dataset: str,
    split: str,
    most: int = MOST,
    progress: Progress = lambda done, total: None,
    skip: bool = False,
) -> Natural:
    """Record up to `most` images, spread evenly over the split, at the size of the synthetic ones.

    BuildError where one is damaged, unless whoever asks tells its reader, and so can `skip` it.
    """

    def record() -> Artifact:
        images = inputs.images(dataset, split, skip=True)
        if not len(images.pixels):
            raise BuildError(f"data set {dataset} has no images in split {split}")
        numbers = spread(len(images.pixels), most)
        pixels = images.pixels[numbers]
        found = recorded(inputs.model, layer.name, pixels, layer.side, progress)
        batches = pictured(inputs.model, pixels, RECORDED, layer.side)
        arrays = {
            "means": found.means.numpy(),
            "positions": found.positions.numpy().astype(np.int32),
            "numbers": numbers,
            "spectra": torch.cat([interp.evidence.radial_power(batch.cpu()) for batch in batches]).numpy(),
        }
        if inputs.earlier is not None:
            arrays["earlier"] = recorded(inputs.earlier, layer.name, pixels, layer.side).means.numpy()
        return Artifact(arrays, {"size": found.size, "skipped": images.skipped})

    before = None if inputs.random is not None else inputs.library.before(layer.model)
    asked = common(inputs, layer, "natural", __name__) | {
        "data": inputs.library.data_fingerprint(dataset),
        "split": split,
        "most": most,
        "earlier": before.digest() if before else None,
    }
    kept = inputs.kept(asked, record)
    skipped = tuple(kept.data["skipped"])
    if skipped and not skip:
        raise BuildError(f"data set {dataset}: {skipped[0]}")
    rows, columns = kept.data["size"]
    return Natural(
        kept.arrays["means"],
        kept.arrays.get("earlier"),
        kept.arrays["spectra"],
        kept.arrays["positions"].astype(np.int64),
        (rows, columns),
        kept.arrays["numbers"],
        skipped,
    )


def natural_pixels(inputs: Inputs, dataset: str, split: str, height: int, width: int) -> NDArray[np.uint8]:
    """Up to MOST images spread over a data set, at the size of synthetic ones: (images, height, width, 3)."""
    pixels = inputs.images(dataset, split).pixels
    return all_resized(pixels[spread(len(pixels), MOST)], width, height)


def spread(count: int, most: int) -> NDArray[np.int64]:
    """Numbers of at most `most` of `count` images, evenly from the first to the last.

    >>> spread(7, 3).tolist()
    [0, 3, 6]
    """
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)


def field(inputs: Inputs, layer: Layer) -> interp.receptive.Field:
    """What a position of the layer sees of an image."""

    def measure() -> Artifact:
        model = inputs.model
        source = torch.Generator().manual_seed(0)
        noise = torch.rand(NOISES, image_of(model).channels, layer.height, layer.width, generator=source)
        images = model.normalise(noise.to(interp.hooks.device(model.network)))
        found = asdict(interp.receptive.field(model.network, layer.name, images))
        return Artifact(data={side: None if np.isinf(value) else value for side, value in found.items()})

    kept = inputs.kept(common(inputs, layer, "field", __name__), measure).data
    return interp.receptive.Field(**{side: np.inf if value is None else value for side, value in kept.items()})


def cut(pixels: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """The part of an image, (height, width, channels), in a box of shares, as a colour picture of SHOWN pixels."""
    height, width = pixels.shape[:2]
    top, left = int(box[0] * height), int(box[1] * width)
    bottom, right = max(top + 1, round(box[2] * height)), max(left + 1, round(box[3] * width))
    part = in_colour(pixels[top:bottom, left:right])
    scale = SHOWN / max(part.shape[:2])
    return resized(part, max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
