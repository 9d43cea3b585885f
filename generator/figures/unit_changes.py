"""Which units changed most between two checkpoints of a model, or differ most between two models.

Units are compared by the correlation of their activations on held-out data. Those of one network at two checkpoints
are matched by their numbers; those of networks that were trained apart by the pairs whose correlations have the
greatest sum (Li et al., "Convergent learning", 2015, https://arxiv.org/abs/1511.07543).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from generator import interp, readers
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.model import Model
from generator.natural import spread
from generator.seeing import prepared
from generator.spec import BuildError, FigureOptions, Step, called, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from generator.inputs import Inputs
else:
    torch = Deferred("torch")

EXAMPLE = """\
models: [tiny-text, second-text]
dataset: tiny-corpus
length: 200
caption: Two networks that were trained apart.
"""

BINS = 20  # of the histogram
BATCH = 32  # images at once
TOGETHER = 32  # documents whose activations are held at once
POSITIONS = 16  # of a map, on a side: more say the same again

Unit = tuple[str, int]  # group and number
Compared = tuple[list[Unit], list[Unit], "Iterator[tuple[Tensor, Tensor]]"]  # units of both, and what they do


class Options(FigureOptions):
    checkpoints: tuple[Step, Step] | None = Field(None, description="two checkpoints of the model")
    models: tuple[str, ...] = Field((), max_length=2, description="or two models, in place of `model`")
    dataset: str = Field(description="the data set of text or images that both see")
    split: str = Field("test", description="its split")
    layer: str | None = Field(
        None, description="of networks that see: the layer; the last if not given. Of those that read: the group; all"
    )
    matching: Literal["number", "best"] | None = Field(
        None, description="by number, or in the best pairs; by number for checkpoints of one model if not given"
    )
    documents: int = Field(20, ge=1, description="documents read")
    length: int = Field(2000, ge=2, description="characters read of each")
    images: int = Field(256, ge=2, description="images seen")
    shown: int = Field(12, ge=1, le=100, description="units listed, those that changed most first")

    @model_validator(mode="after")
    def _two(self) -> Options:
        if (self.checkpoints is None) == (not self.models):
            raise ValueError("give either checkpoints, with a model, or two models")
        if self.checkpoints is not None and self.model is None:
            raise ValueError("checkpoints: name their model")
        if self.models and (self.model is not None or len(self.models) != 2):
            raise ValueError("models: name two, and no `model`")
        if self.checkpoints is not None and len(set(self.checkpoints)) < 2:
            raise ValueError("checkpoints: name two that differ")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """A unit that kept its place and does the same has a correlation of 1, one that does something else has about 0."""
    names = options.models or tuple(inputs.library.at(str(options.model), one) for one in options.checkpoints or ())
    first, second = (inputs.library.model(name) for name in names)
    units, others, pairs = (text if first.reader else images)(first, second, options, inputs)
    try:
        matrix, still, others_still = interp.matching.correlations(pairs)
    except ValueError as error:
        raise BuildError(str(error)) from error
    by_number = options.matching == "number" or (options.matching is None and options.checkpoints is not None)
    if by_number and units != others:
        raise BuildError(f"{names[0]} has other units than {names[1]}, so none goes by number; give `matching: best`")
    if by_number:
        own = partner = np.arange(len(units))
    else:
        try:
            own, partner = (one.numpy() for one in interp.matching.partners(matrix))
        except ModuleNotFoundError as error:
            raise BuildError("the best pairs are found with SciPy: pip install 'whatfires[matching]'") from error
    moving = ~(still.numpy()[own] & others_still.numpy()[partner])
    own, partner = own[moving], partner[moving]
    if not len(own):
        raise BuildError("no unit of either network ever changes on these data, so there is nothing to compare")
    values = matrix.numpy()[own, partner]
    alike = values if by_number else np.abs(values)
    order = np.argsort(alike, kind="stable")
    rows = [
        {
            "unit": unit(units[own[number]]),
            "partner": None if by_number else unit(others[partner[number]]),
            "correlation": round(float(values[number]), 4),
        }
        for number in order[: options.shown].tolist()
    ]
    low = -1.0 if by_number else 0.0
    counts, _ = np.histogram(alike, bins=BINS, range=(low, 1.0))
    measures = {
        "units": len(alike),
        "median": float(np.median(alike)),
        "mean": float(alike.mean()),
        "least": float(alike.min()),
        "kept-share": float((alike >= 0.9).mean()),
    }
    data = {
        "names": [called(one) for one in options.checkpoints] if options.checkpoints else list(options.models),
        "by_number": by_number,
        "one_model": options.checkpoints is not None,
        "rows": rows,
        "bins": counts.tolist(),
        "low": low,
        "tallest": int(counts.max()),
        "still": int((~moving).sum()),
        "split": options.split,
    }
    return Artifact(data=data, measures=measures)


def unit(one: Unit) -> dict[str, Any]:
    """A unit as the page prints it, and links to it."""
    return {"group": one[0], "number": one[1], "name": interp.reading.unit_name(*one)}


def text(first: Model, second: Model, options: Options, inputs: Inputs) -> Compared:
    """The units of two networks that read, and what they do at the tokens of the same documents."""
    pair = [readers.reader_of(one) for one in (first, second)]
    for reader, model in zip(pair, (first, second), strict=True):
        if options.layer is not None and options.layer not in reader.groups:
            raise BuildError(
                f"model {model.name} has no group {options.layer!r}{nearest(options.layer, reader.groups)}"
            )
    documents = inputs.documents(options.dataset, options.split)[: options.documents]
    texts = [one.text[: options.length] for one in documents if one.text]
    groups = [[options.layer] if options.layer else list(reader.groups) for reader in pair]

    def activations() -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(texts), TOGETHER):
            ids = [[reader.tokens(one).ids for one in texts[start : start + TOGETHER]] for reader in pair]
            if [len(one) for one in ids[0]] != [len(one) for one in ids[1]]:
                raise BuildError(f"{first.name} and {second.name} read text in other tokens, so no two do the same")
            yield in_order(pair[0], ids[0], groups[0]), in_order(pair[1], ids[1], groups[1])
            inputs.progress(min(start + TOGETHER, len(texts)), len(texts))

    units = [
        [(group, number) for group in own for number in range(reader.groups[group])]
        for reader, own in zip(pair, groups, strict=True)
    ]
    return units[0], units[1], activations()


def in_order(reader: interp.reading.Reader, ids: Sequence[Tensor], groups: Sequence[str]) -> Tensor:
    """Activations of documents, (tokens of all, units), in the order of their tokens."""
    starts = torch.tensor([0, *map(len, ids)]).cumsum(0)  # of each document, and where the last one ends
    found = torch.empty(0)
    for piece in interp.reading.record(reader, ids, groups):
        if not len(found):
            found = piece.activations.new_empty(int(starts[-1]), piece.activations.shape[1])
        found[starts[piece.documents] + piece.positions] = piece.activations
    return found


def images(first: Model, second: Model, options: Options, inputs: Inputs) -> Compared:
    """The same of two networks that see: channels, at positions spread over their maps."""
    pixels = inputs.images(options.dataset, options.split).pixels
    pixels = pixels[spread(len(pixels), options.images)]
    layers = [options.layer or model.layers()[-1] for model in (first, second)]
    for layer, model in zip(layers, (first, second), strict=True):
        if layer not in model.layers():
            raise BuildError(f"model {model.name} has no layer {layer!r}{nearest(layer, model.layers())}")

    def seen(model: Model, layer: str) -> Iterator[Tensor]:
        for batch in prepared(model, pixels, BATCH):
            found = interp.hooks.maps(interp.hooks.activations(model.network, batch, layer)[layer])
            yield interp.matching.spread(found, POSITIONS).cpu()

    streams = [seen(model, layer) for model, layer in zip((first, second), layers, strict=True)]
    heads = [next(stream) for stream in streams]
    if len(heads[0]) != len(heads[1]):
        raise BuildError(f"the maps of layer {layers[0]} and of layer {layers[1]} have other sizes")
    units = [[(layer, number) for number in range(head.shape[1])] for layer, head in zip(layers, heads, strict=True)]

    def both() -> Iterator[tuple[Tensor, Tensor]]:
        total, done = -(-len(pixels) // BATCH), 0
        for pair in chain([(heads[0], heads[1])], zip(*streams, strict=True)):
            yield pair
            inputs.progress(done := done + 1, total)

    return units[0], units[1], both()
