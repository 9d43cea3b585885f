"""How the gates of an LSTM or GRU work: for each unit the share of characters at which its gate is shut, and open.

A gate is shut below 0.1 and open above 0.9. Each point is a unit; near the corner between both axes a gate is
graded, near the far end of an axis it is stuck. After Karpathy, Johnson and Fei-Fei, 2015,
https://arxiv.org/abs/1506.02078.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator import interp, readers
from generator.artifact import Artifact
from generator.spec import BuildError, FigureOptions

if TYPE_CHECKING:
    from generator.inputs import Inputs

EXAMPLE = """\
model: tiny-text
dataset: tiny-corpus
length: 200
caption: Its gates.
"""

SIDE, MARGIN = 100, 4  # of a drawing, and around it
ALWAYS = 0.9  # of the characters: from here on a unit's gate counts as always open, or always shut


class Options(FigureOptions):
    model: str = Field(description="a character model of site.toml that is an LSTM or a GRU")
    dataset: str = Field(description="the text data set that it reads")
    split: str = Field("test", description="its split")
    documents: int = Field(20, ge=1, description="documents read")
    length: int = Field(5000, ge=1, description="characters read of each")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Points are in a square whose sides are the shares; they lie below its diagonal."""
    reader = readers.recurrent(inputs.model)
    texts = (one.text[: options.length] for one in inputs.documents(options.dataset, options.split) if one.text)
    ids = [reader.tokens(text).ids for text in islice(texts, options.documents)]
    if not ids:
        raise BuildError(f"data set {options.dataset} has no text in split {options.split}")
    try:
        found = interp.gates.saturation(reader, ids, progress=inputs.progress)
    except ValueError as error:
        raise BuildError(f"model {inputs.model.name}: {error}") from error
    characters = sum(map(len, ids))
    panels: list[dict[str, Any]] = []
    measures: dict[str, float] = {"characters": characters, "documents": len(ids)}
    for one in found:
        shares = {
            "shut": float((one.left > ALWAYS).float().mean()),
            "open": float((one.right > ALWAYS).float().mean()),
            "left": float(one.left.mean()),
            "right": float(one.right.mean()),
        }
        name = f"{one.gate}.{one.layer}"
        measures |= {f"{name}.{key}": value for key, value in shares.items()}
        points = [
            (round(MARGIN + SIDE * left, 1), round(MARGIN + SIDE * (1 - right), 1))
            for left, right in zip(one.left.tolist(), one.right.tolist(), strict=True)
        ]
        panels.append({"gate": one.gate, "layer": one.layer, "points": sorted(set(points)), **shares})
    data = {
        "panels": panels,
        "layers": 1 + max(one.layer for one in found),
        "units": len(found[0].left),
        "size": SIDE + 2 * MARGIN,
        "plot": [MARGIN, MARGIN + SIDE],
        "characters": characters,
        "documents": len(ids),
        "always": ALWAYS,
    }
    return Artifact(data=data, measures=measures)
