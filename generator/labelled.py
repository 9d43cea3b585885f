"""How well each unit of a layer answers to each label: to classes of images, or to concepts that masks show.

One half of the images chooses a unit's label, the other measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.data import Images
from generator.deferred import Deferred
from generator.model import Model
from generator.seeing import RECORDED, prepared, recorded
from generator.spec import BuildError

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")

FEWEST = 4  # images of a label: two to choose by, two to measure on
MASK_SIDE = 112  # pixels, at most, on which maps and masks are laid over each other: as in Network Dissection

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Halves:
    """Numbers of images, (images,), the first half to choose by; of which labels each is, (images, labels)."""

    numbers: NDArray[np.int64]
    holds: NDArray[np.bool_]
    labels: tuple[str, ...]
    masks: NDArray[np.uint8] | None = None  # (images, height, width), 0 or the number of a label, from 1


@dataclass(frozen=True)
class Scores:
    """(units, labels) on either half, and errors of the second; units that are still, (units,).

    strengths: (images of the second half, units), by which images excite a unit most. thresholds: (units,), above
    which a unit fires, where there are masks.
    """

    chosen: NDArray[np.float64]
    measured: NDArray[np.float64]
    errors: NDArray[np.float64]
    strengths: NDArray[np.float32]
    silent: NDArray[np.bool_]
    thresholds: NDArray[np.float32] | None = None

    @property
    def labels(self) -> NDArray[np.int64]:
        """The label of each unit, chosen on the first half."""
        return np.asarray(self.chosen.argmax(1))

    @property
    def of_labels(self) -> NDArray[np.float64]:
        """Each unit's score for its label, measured on the second half."""
        return self.measured[np.arange(len(self.measured)), self.labels]


def by_class(images: Images, most: int, seed: int, where: str) -> Halves:
    """The same number of images of each class in either half, drawn by the seed; a class with too few is left out."""
    draw = np.random.default_rng(seed)
    members = [np.flatnonzero(images.labels == number) for number in range(len(images.classes))]
    kept = [number for number, found in enumerate(members) if len(found) >= FEWEST]
    if len(kept) < 2:
        raise BuildError(
            f"{where}, has {len(kept)} classes with {FEWEST} images or more; "
            "units are chosen by one half of the images and measured on the other, so two such classes are needed"
        )
    each = min(most // len(kept), *(len(members[number]) for number in kept)) // 2
    if each < FEWEST // 2:
        raise BuildError(f"images: {len(kept)} classes need at least {FEWEST * len(kept)} images")
    drawn = [draw.permutation(members[number])[: 2 * each] for number in kept]
    numbers = np.concatenate([found[part * each : (part + 1) * each] for part in (0, 1) for found in drawn])
    labels = np.tile(np.repeat(np.arange(len(kept)), each), 2)
    return Halves(numbers, labels[:, None] == np.arange(len(kept)), tuple(images.classes[number] for number in kept))


def by_mask(images: Images, masks: NDArray[np.uint8], most: int, seed: int, where: str) -> Halves:
    """Images drawn by the seed; a concept that either half shows in too few of them is left out."""
    middle = min(most, len(masks)) // 2
    numbers = np.random.default_rng(seed).permutation(len(masks))[: 2 * middle]
    drawn = masks[numbers]
    shown = np.stack([(drawn == number + 1).any((1, 2)) for number in range(len(images.concepts))], 1)
    counts = np.minimum(shown[:middle].sum(0), shown[middle:].sum(0))
    kept = np.flatnonzero(counts >= FEWEST // 2)
    if not len(kept):
        raise BuildError(
            f"{where}, has no concept that {FEWEST // 2} masks of either half show; "
            "units are chosen by one half of the images and measured on the other"
        )
    numbered = np.zeros(256, np.uint8)
    numbered[kept + 1] = np.arange(len(kept)) + 1
    return Halves(numbers, shown[:, kept], tuple(images.concepts[number] for number in kept), numbered[drawn])


def areas(
    model: Model, layer: str, pixels: NDArray[np.uint8], halves: Halves, size: int | None, tell: Progress
) -> Scores:
    """Areas under the ROC curve: how well a unit's mean activation on an image separates a class from the others."""
    means = recorded(model, layer, pixels, size, tell).means
    middle = len(means) // 2
    holds = torch.from_numpy(halves.holds)
    chosen, measured = (
        interp.selectivity.areas(means[part], holds[part]) for part in (slice(middle), slice(middle, None))
    )
    positive = holds[middle:].double().sum(0)
    errors = interp.selectivity.area_errors(measured, positive, middle - positive)
    silent = means[:middle].amax(0) == means[:middle].amin(0)
    # A unit that never changes answers to no class: it is chosen last.
    chosen = chosen.double().masked_fill(silent[:, None], 0)
    return Scores(chosen.numpy(), measured.double().numpy(), errors.numpy(), means[middle:].numpy(), silent.numpy())


def overlaps(
    model: Model, layer: str, pixels: NDArray[np.uint8], halves: Halves, size: int | None, tell: Progress
) -> Scores:
    """Intersection over union of where a unit fires with the masks of a concept; its threshold is the first half's."""
    assert halves.masks is not None
    middle, passes = len(pixels) // 2, 3
    masks = fitted(torch.from_numpy(halves.masks))

    def outputs(part: slice, number: int) -> Iterator[Tensor]:
        done = 0
        for batch in prepared(model, pixels[part], RECORDED, size):
            with torch.inference_mode():
                found = interp.hooks.activations(model.network, batch, layer)[layer]
            if found.ndim != 4:
                raise BuildError(
                    f"layer {layer} of model {model.name} has no maps to lay over masks; name one before it"
                )
            if not bool(found.isfinite().all()):
                raise BuildError(f"model {model.name}: some activations of layer {layer} are not numbers")
            yield found
            done += len(batch)
            tell(number * middle + done, passes * middle)

    first, second = slice(middle), slice(middle, None)
    above = interp.dissection.thresholds(outputs(first, 0), middle)
    count = len(halves.labels)
    chosen = interp.dissection.overlaps(outputs(first, 1), masks[first], above, count)
    measured = interp.dissection.overlaps(outputs(second, 2), masks[second], above, count)
    silent = (chosen.sizes == 0).numpy()  # nowhere above its threshold, which is then its only value
    return Scores(
        chosen.overlaps.numpy(),
        measured.overlaps.numpy(),
        measured.errors.numpy(),
        measured.maxima.numpy(),
        silent,
        above.numpy(),
    )


def fitted(masks: Tensor) -> Tensor:
    """Masks, (images, height, width), no larger than MASK_SIDE; no value is mixed with another."""
    height, width = masks.shape[1:]
    scale = min(1.0, MASK_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return torch.nn.functional.interpolate(masks[:, None].float(), size, mode="nearest-exact")[:, 0].long()
