"""What every attention head of a transformer looks at in a text: from each token, how much at each.

A head's weights say where it looks, not what it does with what it sees there (Jain and Wallace, 2019,
https://arxiv.org/abs/1902.10186; Kobayashi et al., 2020, https://arxiv.org/abs/2004.10102). All heads stand side by
side as in BertViz's model view (Vig, 2019, https://arxiv.org/abs/1906.05714), and one of them is drawn large.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from generator import interp, readers
from generator.artifact import Artifact
from generator.short_texts import short_text
from generator.spec import BuildError, FigureOptions, TextChoice

if TYPE_CHECKING:
    from torch import Tensor

    from generator.inputs import Inputs

EXAMPLE = """\
model: tiny-transformer
text: {literal: "the cat sat on the mat."}
head: "1.0"
caption: Where the heads look.
"""

STEPS = 255  # of the square roots of weights, as they travel


class Options(FigureOptions):
    model: str = Field(description="a transformer of site.toml")
    text: TextChoice = Field(description="the text; of up to 64 tokens")
    head: str = Field("0.0", pattern=r"^\d+\.\d+$", description="layer and head, from 0, that is drawn large first")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Colours follow the square root of a weight, so that small ones are seen; one scale serves all heads."""
    reader = readers.reader_of(inputs.model)
    if not isinstance(reader, interp.hooked.Hooked) or reader.attention is None:
        raise BuildError(f"model {inputs.model.name} has no attention heads that are known; source transformers has")
    text = short_text(inputs, options.text)
    weights = reader.attention(text.ids)  # (layers, heads, from, to)
    if not bool(weights.isfinite().all()):
        raise BuildError(f"model {inputs.model.name}: some attention weights are not numbers (NaN or infinite)")
    layers, count, time, _ = weights.shape
    layer, head = map(int, options.head.split("."))
    if layer >= layers or head >= count:
        raise BuildError(f"head: there is no {options.head}; layers are 0 to {layers - 1}, heads 0 to {count - 1}")
    roots = weights.clamp(0, 1).sqrt()
    sheet = interp.heatmaps.coloured(roots.permute(0, 2, 1, 3).reshape(layers * time, count * time))
    heads = [
        [one_head(text.labels, weights[row, column], f"{row}.{column}") for column in range(count)]
        for row in range(layers)
    ]
    measures = {
        f"{one['name']}.{measure}": one[measure]
        for row in heads
        for one in row
        for measure in ("previous", "same", "first", "distance")
    }
    first = (roots[layer, head] * 10).round().int() + 10  # levels of the theme
    data = {
        "document": text.document, "tokens": text.labels, "heads": heads, "layer": layer, "head": head,
        "causal": reader.causal, "levels": first.tolist(),
    }  # fmt: skip
    pixels: np.ndarray[Any, np.dtype[np.uint8]] = (sheet * 255).round().byte().numpy()
    return Artifact({"heads": pixels}, data, {"layers": layers, "heads": count, "tokens": time} | measures)


def one_head(labels: tuple[str, ...], weights: Tensor, name: str) -> dict[str, Any]:
    """weights: (from, to). What a head looks at most from each token, and how much on average at the token before,
    at itself and at the first, and how far away.
    """
    time = len(weights)
    best = weights.max(1)
    far = (np.arange(time)[:, None] - np.arange(time)).__abs__()
    return {
        "name": name,
        "previous": round(float(weights.diagonal(-1).mean()), 4),
        "same": round(float(weights.diagonal().mean()), 4),
        "first": round(float(weights[:, 0].mean()), 4),
        "distance": round(float((weights.double().numpy() * far).sum(1).mean()), 3),
        "most": [
            [int(place), round(float(weight), 2)] for weight, place in zip(best.values, best.indices, strict=True)
        ],
        "roots": base64.b64encode((weights.clamp(0, 1).sqrt() * STEPS).round().byte().numpy().tobytes()).decode(),
    }
