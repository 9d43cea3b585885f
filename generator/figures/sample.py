"""Text that a network writes, at several temperatures, from a given start; if asked, coloured by one of its units.

Temperature 1 is the model's own distribution; below, it prefers what it is sure of (Karpathy, 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import interp, readers
from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.spec import BuildError, FigureOptions, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from generator.inputs import Inputs
    from generator.model import Model
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-text
start: "def "
temperatures: [0.5, 1.0]
unit: hidden 1
length: 40
caption: What the model writes.
"""


class Options(FigureOptions):
    model: str = Field(description="a text model of site.toml")
    start: str = Field("def ", min_length=1, description="what the model reads before it writes")
    temperatures: tuple[float, ...] = Field(
        (0.5, 0.8, 1.1), min_length=1, max_length=8, description="what the logits are divided by, one text for each"
    )
    unit: str | None = Field(
        None, description='a unit such as "cell 37" or "mlp 3.37", by whose activation what is written is coloured'
    )
    length: int = Field(
        400,
        ge=1,
        le=20_000,
        description="tokens written at each temperature: characters, of a character model",
    )


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Each temperature starts from the same seed, so that what differs is the temperature."""
    reader = readers.reader_of(inputs.model)
    if any(not 0.01 <= temperature <= 10 for temperature in options.temperatures):
        raise BuildError("temperatures: each must be between 0.01 and 10")
    start = reader.tokens(options.start).ids
    try:
        drawn = interp.sampling.sample(
            reader, start, options.length, options.temperatures, options.seed, inputs.progress
        )
    except ValueError as error:
        raise BuildError(f"model {inputs.model.name} writes no text: {error}") from error
    samples: list[dict[str, Any]] = [
        # Decoded with what it goes on from: some tokenizers drop the space before a text's first token.
        {"temperature": temperature, "text": reader.text([*start.tolist(), *ids])[len(reader.text(start.tolist())) :]}
        for temperature, ids in zip(options.temperatures, drawn.tolist(), strict=True)
    ]
    characters = round(sum(len(sample["text"]) for sample in samples) / len(samples))
    data = {"start": options.start, "samples": samples, "by_character": characters == options.length, "unit": None}
    measures: dict[str, float] = {"characters": characters, "tokens": options.length}
    if options.unit is not None:
        values = activations(inputs.model, options.unit, start, drawn)
        low, high = (float(value) for value in np.percentile(values, [2, 98]))
        for sample, ids, row in zip(samples, drawn.tolist(), values, strict=True):
            spans = interp.tokenising.aligned(sample["text"], ids, reader.text, reader.special)
            sample["runs"] = runs(sample["text"], spans, (row - low) / max(high - low, 1e-6))
        data["unit"] = {"name": options.unit, "low": round(low, 3), "high": round(high, 3)}
        measures |= {"low": low, "high": high}
    return Artifact(data=data, measures=measures)


def activations(model: Model, unit: str, start: Tensor, drawn: Tensor) -> NDArray[np.float32]:
    """Of a unit at each token that was drawn, (temperatures, length), as the network reads it all again."""
    reader = readers.reader_of(model)
    places = {interp.reading.unit_name(*one): one for one in interp.reading.units(reader)}
    if unit not in places:
        raise BuildError(f"unit: model {model.name} has no {unit!r}{nearest(unit, places)}")
    group, number = places[unit]
    documents = [torch.cat([start, row]) for row in drawn]
    found = np.zeros((len(documents), len(documents[0])), np.float32)
    for piece in interp.reading.record(reader, documents, (group,)):
        readers.check_numbers(model.name, piece.activations)
        found[piece.documents, piece.positions] = piece.activations[:, number].numpy()
    return found[:, len(start) :]


def runs(text: str, spans: Sequence[tuple[int, int]], shares: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The text cut where its colour changes. shares: of each token, 0 low to 1 high; space goes with what follows it.

    >>> runs("ab c", [(0, 1), (1, 2), (3, 4)], np.array([0.0, 0.0, 1.0], np.float32))
    [{'text': 'ab', 'level': 0}, {'text': ' c', 'level': 20}]
    """
    found: list[dict[str, Any]] = []
    at = 0
    for (_, end), share in zip(spans, np.clip(shares, 0, 1), strict=True):
        level = round(20 * float(share))
        if end > at and found and found[-1]["level"] == level:
            found[-1]["text"] += text[at:end]
        elif end > at:
            found.append({"text": text[at:end], "level": level})
        at = max(at, end)
    return [*found, {"text": text[at:], "level": 10}] if at < len(text) else found
