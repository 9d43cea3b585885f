"""Networks that see: images as they want them, what their layers do on these, and pictures for the eye."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator import interp
from generator.model import ImageInput, Model
from generator.spec import BuildError, ImageChoice

if TYPE_CHECKING:
    from torch import Tensor

RECORDED = 32  # images at once where the maps of a layer are read, which may be large


def image_of(model: Model) -> ImageInput:
    """The images that the model wants; BuildError where it takes none."""
    if model.image is None:
        raise BuildError(f"model {model.name} takes no images")
    return model.image


def image_name(choice: ImageChoice, label: str) -> str:
    """How texts call the image that an author chose: by its class, "" where it has none, or by where it is from."""
    return label or choice.sample or choice.file or "the image"


def as_input(model: Model, pixels: NDArray[np.uint8]) -> Tensor:
    """(images, height, width, 3) to (images, channels, height, width) in [0, 1], where the network is."""
    return interp.pictures.from_pixels(pixels, image_of(model).channels, interp.hooks.device(model.network))


def prepared(model: Model, pixels: NDArray[np.uint8], count: int, size: int | None = None) -> Iterator[Tensor]:
    """Images as the network wants them, (count, channels, height, width), at its own size or `size` on a side."""
    for images in pictured(model, pixels, count, size):
        yield model.normalise(images)


def pictured(model: Model, pixels: NDArray[np.uint8], count: int, size: int | None = None) -> Iterator[Tensor]:
    """The same in [0, 1]."""
    image = image_of(model)
    height, width = (size, size) if size else (image.height, image.width)
    for start in range(0, len(pixels), count):
        yield as_input(model, all_resized(pixels[start : start + count], width, height))


def recorded(
    model: Model,
    layer: str,
    pixels: NDArray[np.uint8],
    size: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> interp.recording.Record:
    """What every channel of a layer does on each of these images; BuildError where that is not a number."""

    def outputs() -> Iterator[Tensor]:
        done = 0
        for batch in prepared(model, pixels, RECORDED, size):
            yield interp.hooks.activations(model.network, batch, layer)[layer]
            done += len(batch)
            progress(done, len(pixels))

    try:
        record = interp.recording.means_and_maxima(outputs())
    except ValueError as error:
        raise BuildError(f"layer {layer} of model {model.name}: {error}") from error
    if not bool(record.means.isfinite().all()):
        raise BuildError(f"model {model.name}: some activations of layer {layer} are not numbers (NaN or infinite)")
    return record


def in_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels, (…, channels), with three channels: grey has the same in all of them."""
    return pixels.repeat(3, axis=-1) if pixels.shape[-1] == 1 else pixels


def all_resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Images, (images, any height, any width, channels), in colour, at one size: (images, height, width, 3)."""
    return np.stack([resized(one, width, height) for one in in_colour(pixels)])


def resized(pixels: NDArray[np.uint8], width: int, height: int, smooth: bool = True) -> NDArray[np.uint8]:
    """One image, (height, width, 3), at another size; bicubic, or with every pixel a block."""
    if pixels.shape[:2] == (height, width):
        return pixels
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(pixels).resize((width, height), method))


def enlarged(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """For the eye: made larger until the longer side has about `side` pixels; never smaller.

    Below 16 pixels each is shown as a block, since bicubic interpolation would draw shapes that are not there.
    """
    height, width = pixels.shape[:2]
    factor = max(1, round(side / max(height, width)))
    return resized(pixels, width * factor, height * factor, smooth=max(height, width) >= 16)
