"""Which label each unit of a layer answers to, on images that did not choose it, and whether random weights do as well.

After Network Dissection (Bau et al., 2017, https://arxiv.org/abs/1704.05796): where a data set has masks, a unit is
labelled by the concept whose masks the regions that it fires in overlap most, by intersection over union. Where it has
none, a unit's mean activation on an image is judged by how well it separates a class from the rest: the area under
the ROC curve. A unit's label is chosen on one half of the images and its score measured on the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import interp
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.labelled import Halves, Scores, areas, by_class, by_mask, overlaps
from generator.readouts import safe_name
from generator.seeing import enlarged, in_colour, prepared, resized
from generator.spec import FigureOptions

if TYPE_CHECKING:
    import torch

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

MOST_ROWS = 20  # of the table
PICTURED, EXEMPLARS = 6, 5  # units that are pictured, and images of each
SIDE = 64  # pixels of an exemplar's longer side
BINS = 28  # of all units by their score
DIMMED = 0.3  # of its brightness is left of an image where a unit does not fire
CONFIDENCE = 1.96  # standard errors either way: 95%


@dataclass(frozen=True)
class Scale:
    """A score: what it is called, from where a unit is a detector, what chance gives, where its drawings begin and end.

    last: None for as far as the best unit reaches.
    """

    name: str
    threshold: float
    chance: float
    least: float
    last: float | None


AREA = Scale("AUC", 0.8, 0.5, 0.3, 1.0)
OVERLAP = Scale("IoU", 0.04, 0.0, 0.0, None)  # the threshold of Bau et al.


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that takes images")
    layer: str = Field(description="whose channels are labelled")
    dataset: str = Field(description="a data set of images; the labels are what its masks show, or else its classes")
    split: str = Field("test", description="the split of the data set; one that the network was not trained on")
    images: int = Field(1000, ge=8, description="how many images are read; of classes the same number of each")
    size: int | None = Field(
        None, ge=8, le=1024, description="pixels on a side; the network's input size if not given, smaller is faster"
    )
    top: int = Field(1, ge=1, le=5, description="units shown for each label")
    threshold: float | None = Field(
        None,
        gt=0,
        le=1,
        description="score from which a unit counts as a detector of its label: an area of 0.8, or with masks an "
        "overlap of 0.04, if not given",
    )


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The random network chooses its units on the same images as the trained one, and is measured on the same."""
    images = inputs.images(options.dataset, options.split)
    where = f"data set {options.dataset}, split {options.split}"
    if images.masks is None:
        scale, score, halves = AREA, areas, by_class(images, options.images, options.seed, where)
    else:
        scale, score, halves = OVERLAP, overlaps, by_mask(images, images.masks, options.images, options.seed, where)
    threshold = scale.threshold if options.threshold is None else options.threshold
    pixels = images.pixels[halves.numbers]

    def judged(model: Model, part: int) -> Scores:
        return score(model, options.layer, pixels, halves, options.size, inputs.part(part, 2))

    trained, untrained = judged(inputs.model, 0), judged(inputs.untrained(options.seed + 1), 1)
    passing, control = (one.of_labels >= threshold for one in (trained, untrained))
    classes: list[dict[str, Any]] = []
    measures: dict[str, float] = {}
    for number, name in enumerate(halves.labels):
        one = detectors(trained, untrained, number, options.top, threshold)
        classes.append({"name": name, **one})
        best = {key: one["rows"][0][key] for key in ("unit", "low", "high", "untrained")}
        best |= {scale.name.lower(): one["rows"][0]["score"], "detectors": one["detectors"]}
        measures |= {f"{safe_name(name)}.{key}": float(value) for key, value in best.items()}
    classes.sort(key=lambda one: (-one["rows"][0]["score"], one["name"]))
    shown = classes[: max(1, MOST_ROWS // options.top)]
    regions = None if trained.thresholds is None else partial(fires, inputs.model, options, trained.thresholds)
    arrays, exemplars = pictured(trained, halves, pixels, shown, regions)
    last = scale.last or max(0.1, np.ceil(10 * max(one["rows"][0]["high"] for one in shown)) / 10)
    bins = np.linspace(scale.least, last, BINS + 1)
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
        "measure": scale.name,
        "axis": [scale.chance, float(last)],
        "threshold": threshold,
        "classes": shown,
        "class_count": len(classes),
        "exemplars": exemplars,
        "bins": [round(float(edge), 3) for edge in bins],
        "counts": counts(trained, bins),
        "untrained_counts": counts(untrained, bins),
        "detectors": int(passing.sum()),
        "untrained_detectors": int(control.sum()),
        **{key.replace("-", "_"): measures[key] for key in ("units", "silent", "images")},
    }
    return Artifact(arrays, data, measures)


def detectors(trained: Scores, untrained: Scores, number: int, top: int, threshold: float) -> dict[str, Any]:
    """The best units for a label, beside the best of the untrained network; how many of either are its detectors."""
    units, others = (best_units(one, number, top) for one in (trained, untrained))
    own, random = (int(((one.of_labels >= threshold) & (one.labels == number)).sum()) for one in (trained, untrained))
    rows = [
        row(trained, unit, number) | {"untrained": round(float(untrained.measured[other, number]), 4)}
        for unit, other in zip(units, others, strict=True)
    ]
    return {"rows": rows, "detectors": own, "untrained_detectors": random}


def best_units(found: Scores, number: int, top: int) -> list[int]:
    """The units that answer to a label best, by the half that chooses; fewer where the layer has fewer."""
    return [int(unit) for unit in np.argsort(-found.chosen[:, number], kind="stable")[:top]]


def row(found: Scores, unit: int, number: int) -> dict[str, Any]:
    """A unit's measured score for a label, with its 95% interval."""
    score, error = float(found.measured[unit, number]), float(found.errors[unit, number])
    low, high = max(0.0, score - CONFIDENCE * error), min(1.0, score + CONFIDENCE * error)
    return {"unit": unit, "score": round(score, 4), "low": round(low, 4), "high": round(high, 4)}


def counts(found: Scores, bins: NDArray[np.float64]) -> list[int]:
    """How many units lie in each of the bins, by the score for their label; lower ones in the first."""
    inside: list[int] = np.histogram(np.clip(found.of_labels, bins[0], bins[-1]), bins)[0].tolist()
    return inside


def pictured(
    found: Scores,
    halves: Halves,
    pixels: NDArray[np.uint8],
    shown: list[dict[str, Any]],
    regions: Callable[[int, NDArray[np.uint8]], NDArray[np.bool_]] | None,
) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
    """The images of the measured half that excite the best units most; dim where these do not fire, if known."""
    arrays: dict[str, NDArray[Any]] = {}
    exemplars = []
    middle = len(pixels) // 2
    firsts = {one["rows"][0]["unit"]: one["name"] for one in reversed(shown)}  # a unit may be best for two classes
    for unit, name in list(reversed(firsts.items()))[:PICTURED]:
        pictures: list[dict[str, Any]] = []
        places = np.argsort(-found.strengths[:, unit], kind="stable")[:EXEMPLARS]
        images = pixels[middle + places]
        if regions is not None:
            fire = regions(unit, images)[..., None]
            images = np.where(fire, images, (DIMMED * images).astype(np.uint8))
        for place, image in zip(places.tolist(), images, strict=True):
            array = f"unit-{unit}-{len(pictures)}"
            arrays[array] = thumbnail(image)
            holds = halves.holds[middle + place]
            label = ", ".join(halves.labels[number] for number in np.flatnonzero(holds)) or "none of the labels"
            pictures.append(
                {
                    "array": array,
                    "label": label,
                    "right": bool(holds[halves.labels.index(name)]),
                    "strength": round(float(found.strengths[place, unit]), 3),
                }
            )
        right = sum(picture["right"] for picture in pictures)
        exemplars.append({"unit": unit, "name": name, "pictures": pictures, "right": right})
    return arrays, exemplars


def fires(
    model: Model, options: Options, thresholds: NDArray[np.float32], unit: int, images: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Where a unit is above its threshold in images, (images, height, width)."""
    (batch,) = prepared(model, images, len(images), options.size)
    with torch.inference_mode():
        found = interp.hooks.activations(model.network, batch, options.layer)[options.layer][:, unit : unit + 1]
    size = images.shape[1:3]
    larger = torch.nn.functional.interpolate(found.float(), size, mode="bilinear", align_corners=False)[:, 0]
    return np.asarray(larger.cpu().numpy() > thresholds[unit])


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(height, width, channels) as a small colour picture."""
    colour = in_colour(pixels)
    height, width = colour.shape[:2]
    if max(height, width) <= SIDE:
        return enlarged(colour, SIDE)
    scale = SIDE / max(height, width)
    return resized(colour, max(1, round(width * scale)), max(1, round(height * scale)))
