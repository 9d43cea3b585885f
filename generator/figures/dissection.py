"""Which class each unit of a layer answers to, on images that did not choose it, and whether random weights do as well.

After Network Dissection (Bau et al., 2017, https://arxiv.org/abs/1704.05796), which labels a unit by the
overlap (IoU) of its map with masks of concepts. Data sets of images have classes and no masks, so here a
unit's mean activation on an image is judged by how well it separates a class from the rest: the area under
the ROC curve. A unit's class is chosen on one half of the images and its area measured on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.readouts import enlarged, recorded, resized, safe_name
from generator.spec import BuildError, FigureOptions

if TYPE_CHECKING:
    import torch

    from generator.data import Images
    from generator.model import Model
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-vision
layer: relu2
dataset: digits
images: 200
caption: Which digit each channel of a small network answers to.
"""

FEWEST = 4  # images of a class: two to choose by, two to measure on
MOST_ROWS = 20  # of the table
PICTURED, EXEMPLARS = 6, 5  # units that are pictured, and images of each
SIDE = 64  # pixels of an exemplar's longer side
BINS = np.linspace(0.3, 1.0, 29)
CONFIDENCE = 1.96  # standard errors either way: 95%


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that takes images")
    layer: str = Field(description="whose channels are labelled")
    dataset: str = Field(description="a data set of images, whose classes are the labels")
    split: str = Field("test", description="the split of the data set; one that the network was not trained on")
    images: int = Field(1000, ge=8, description="how many images are read, the same number of each class")
    size: int | None = Field(
        None, ge=8, le=1024, description="pixels on a side; the network's input size if not given, smaller is faster"
    )
    top: int = Field(1, ge=1, le=5, description="units shown for each class")
    threshold: float = Field(0.8, gt=0.5, le=1, description="area from which a unit counts as a detector of its class")


@dataclass(frozen=True)
class Halves:
    """Numbers of images, (images,), the first half to choose by; their classes, as indices into `classes`."""

    numbers: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Areas:
    """(units, classes) on either half; mean activations on the second half, (images, units); units that are still."""

    chosen: NDArray[np.float64]
    measured: NDArray[np.float64]
    errors: NDArray[np.float64]
    means: NDArray[np.float32]
    silent: NDArray[np.bool_]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each unit, chosen on the first half."""
        return np.asarray(self.chosen.argmax(1))

    @property
    def of_labels(self) -> NDArray[np.float64]:
        """Each unit's area for its class, measured on the second half."""
        return self.measured[np.arange(len(self.measured)), self.labels]


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The random network chooses its units on the same images as the trained one, and is measured on the same."""
    images = inputs.images(options.dataset, options.split)
    halves = divided(images, options)
    pixels = images.pixels[halves.numbers]

    def judged(model: Model, part: int) -> Areas:
        record = recorded(
            model,
            options.layer,
            pixels,
            options.size,
            lambda done, total: inputs.progress(part * total + done, 2 * total),
        )
        return areas(record.means, halves)

    trained, untrained = judged(inputs.model, 0), judged(inputs.untrained(options.seed + 1), 1)
    passing, control = (one.of_labels >= options.threshold for one in (trained, untrained))
    classes: list[dict[str, Any]] = []
    measures: dict[str, float] = {}
    for number, name in enumerate(halves.classes):
        units, others = (best_units(one, number, options.top) for one in (trained, untrained))
        rows = [
            row(trained, unit, number) | {"untrained": round(float(untrained.measured[other, number]), 4)}
            for unit, other in zip(units, others, strict=True)
        ]
        own, random = (
            int((one & (of.labels == number)).sum()) for one, of in ((passing, trained), (control, untrained))
        )
        classes.append({"name": name, "rows": rows, "detectors": own, "untrained_detectors": random})
        found = {key: rows[0][key] for key in ("unit", "auc", "low", "high", "untrained")} | {"detectors": own}
        measures |= {f"{safe_name(name)}.{key}": float(value) for key, value in found.items()}
    classes.sort(key=lambda one: (-one["rows"][0]["auc"], one["name"]))
    shown = classes[: max(1, MOST_ROWS // options.top)]
    arrays, exemplars = pictured(trained, halves, pixels, shown)
    measures |= {
        "units": len(passing),
        "silent": int(trained.silent.sum()),
        "images": len(pixels),
        "share": float(passing.mean()),
        "untrained-share": float(control.mean()),
        "classes-detected": sum(one["detectors"] > 0 for one in classes),
        "untrained-classes-detected": sum(one["untrained_detectors"] > 0 for one in classes),
    }
    data = {
        "layer": options.layer,
        "threshold": options.threshold,
        "classes": shown,
        "class_count": len(classes),
        "exemplars": exemplars,
        "bins": [round(float(edge), 3) for edge in BINS],
        "counts": counts(trained),
        "untrained_counts": counts(untrained),
        "detectors": int(passing.sum()),
        "untrained_detectors": int(control.sum()),
        **{key.replace("-", "_"): measures[key] for key in ("units", "silent", "images")},
    }
    return Artifact(arrays, data, measures)


def divided(images: Images, options: Options) -> Halves:
    """The same number of images of each class in either half, drawn by the seed; a class with too few is left out."""
    draw = np.random.default_rng(options.seed)
    by_class = [np.flatnonzero(images.labels == number) for number in range(len(images.classes))]
    kept = [number for number, found in enumerate(by_class) if len(found) >= FEWEST]
    if len(kept) < 2:
        raise BuildError(
            f"data set {options.dataset}, split {options.split}, has {len(kept)} classes with {FEWEST} images or more; "
            "units are chosen by one half of the images and measured on the other, so two such classes are needed"
        )
    each = min(options.images // len(kept), *(len(by_class[number]) for number in kept)) // 2
    if each < FEWEST // 2:
        raise BuildError(f"images: {len(kept)} classes need at least {FEWEST * len(kept)} images")
    drawn = [draw.permutation(by_class[number])[: 2 * each] for number in kept]
    numbers = np.concatenate([found[part * each : (part + 1) * each] for part in (0, 1) for found in drawn])
    labels = np.tile(np.repeat(np.arange(len(kept)), each), 2)
    return Halves(numbers, labels, tuple(images.classes[number] for number in kept))


def areas(means: torch.Tensor, halves: Halves) -> Areas:
    """How well each unit separates each class from the others, on either half."""
    middle = len(means) // 2
    holds = torch.from_numpy(halves.labels[:, None] == np.arange(len(halves.classes)))
    chosen, measured = (
        interp.selectivity.areas(means[part], holds[part]) for part in (slice(middle), slice(middle, None))
    )
    positive = holds[middle:].double().sum(0)
    errors = interp.selectivity.area_errors(measured, positive, middle - positive)
    silent = means[:middle].amax(0) == means[:middle].amin(0)
    # A unit that never changes answers to no class: it is chosen last.
    chosen = chosen.double().masked_fill(silent[:, None], 0)
    return Areas(chosen.numpy(), measured.double().numpy(), errors.numpy(), means[middle:].numpy(), silent.numpy())


def best_units(found: Areas, number: int, top: int) -> list[int]:
    """The units that separate a class best, by the half that chooses; fewer where the layer has fewer."""
    return [int(unit) for unit in np.argsort(-found.chosen[:, number], kind="stable")[:top]]


def row(found: Areas, unit: int, number: int) -> dict[str, Any]:
    """A unit's measured area for a class, with its 95% interval."""
    area, error = float(found.measured[unit, number]), float(found.errors[unit, number])
    low, high = max(0.0, area - CONFIDENCE * error), min(1.0, area + CONFIDENCE * error)
    return {"unit": unit, "auc": round(area, 4), "low": round(low, 4), "high": round(high, 4)}


def counts(found: Areas) -> list[int]:
    """How many units lie in each of BINS, by the area for their class; lower ones in the first."""
    inside: list[int] = np.histogram(np.clip(found.of_labels, BINS[0], BINS[-1]), BINS)[0].tolist()
    return inside


def pictured(
    found: Areas, halves: Halves, pixels: NDArray[np.uint8], shown: list[dict[str, Any]]
) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
    """The images of the measured half that excite the best units most."""
    arrays: dict[str, NDArray[Any]] = {}
    exemplars = []
    middle = len(pixels) // 2
    firsts = {one["rows"][0]["unit"]: one["name"] for one in reversed(shown)}  # a unit may be best for two classes
    for unit, name in list(reversed(firsts.items()))[:PICTURED]:
        pictures: list[dict[str, Any]] = []
        for place in np.argsort(-found.means[:, unit], kind="stable")[:EXEMPLARS].tolist():
            array = f"unit-{unit}-{len(pictures)}"
            arrays[array] = thumbnail(pixels[middle + place])
            label = halves.classes[halves.labels[middle + place]]
            pictures.append({"array": array, "label": label, "mean": round(float(found.means[place, unit]), 3)})
        right = sum(picture["label"] == name for picture in pictures)
        exemplars.append({"unit": unit, "name": name, "pictures": pictures, "right": right})
    return arrays, exemplars


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(height, width, channels) as a small colour picture."""
    colour = pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels
    height, width = colour.shape[:2]
    if max(height, width) <= SIDE:
        return enlarged(colour, SIDE)
    scale = SIDE / max(height, width)
    return resized(colour, max(1, round(width * scale)), max(1, round(height * scale)))
