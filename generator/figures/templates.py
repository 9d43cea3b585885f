"""What a linear read-out looks for: each row of weights on the image's pixels, drawn as a picture.

Middle grey is no weight. A bright spot asks for light there, a red one for red, a dark one for the lack of it.
"""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import Field, model_validator

from generator import interp
from generator.artifact import Artifact
from generator.inputs import Inputs
from generator.readouts import pair_measures, picture_rows, safe_name
from generator.seeing import enlarged
from generator.spec import BuildError, FigureOptions

EXAMPLE = """\
model: tiny-linear
classes: ["0", "1", "8"]
scale: each
caption: What a linear classifier of digits looks for.
"""

MOST = 256  # pictures of one figure
MOST_PAIRED = 40  # rows whose every pair is a measure


class Options(FigureOptions):
    model: str = Field(description="a model of site.toml that takes images")
    layer: str | None = Field(
        None, description="a linear or convolution layer on the image itself; the first if not given"
    )
    classes: tuple[str, ...] | None = Field(None, min_length=1, description="classes shown, in order; all if not given")
    rows: tuple[int, ...] | None = Field(None, min_length=1, description="the same by number, for rows without a class")
    scale: Literal["shared", "each"] = Field(
        "shared", description="one scale for all, so that contrasts can be compared, or each its own"
    )
    size: int = Field(128, ge=1, le=1024, description="pixels on a side, about; a multiple of the template's own")

    @model_validator(mode="after")
    def _one_way(self) -> Options:
        if self.classes is not None and self.rows is not None:
            raise ValueError("give classes or rows, not both")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """With a shared scale a faint picture is a class with small weights, not one without a template."""
    rows = picture_rows(inputs.model, options.layer).chosen(options.classes, options.rows)
    count = len(rows.names)
    if count > MOST:
        raise BuildError(f"layer {rows.layer} has {count} rows; choose at most {MOST} by `classes` or `rows`")
    pixels = interp.pictures.to_pixels(interp.linear.pictures(rows.weights, shared=options.scale == "shared"))
    cosines = interp.linear.cosines(rows.weights).tolist()
    arrays: dict[str, NDArray[Any]] = {}
    pictures = []
    for number, label in enumerate(rows.names):
        array = f"row-{number:03d}"
        arrays[array] = enlarged(pixels[number], options.size)
        others = [other for other in range(count) if other != number]
        near = max(others, key=lambda other: cosines[number][other], default=None)
        pictures.append(
            {
                "array": array,
                "label": label,
                "nearest": "" if near is None else rows.names[near],
                "cosine": 0.0 if near is None else round(cosines[number][near], 3),
            }
        )
    largest = rows.weights.abs().flatten(1).amax(1).tolist()
    measures: dict[str, float] = {
        f"largest.{safe_name(label)}": value for label, value in zip(rows.names, largest, strict=True)
    }
    if count <= MOST_PAIRED:
        measures |= pair_measures("cosine", rows.names, cosines)
    data = {
        "pictures": pictures,
        "layer": rows.layer,
        "scale": options.scale,
        "largest": round(max(largest), 4),
        "named": rows.names[0] in inputs.model.classes,
    }
    return Artifact(arrays, data, measures)
