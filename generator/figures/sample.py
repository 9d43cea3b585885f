"""Text that a network writes, at several temperatures, from a given start.

Temperature 1 is the model's own distribution; below, it prefers what it is sure of (Karpathy, 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from generator import interp, units
from generator.artifact import Artifact
from generator.spec import BuildError, FigureOptions

if TYPE_CHECKING:
    from generator.inputs import Inputs

EXAMPLE = """\
model: tiny-text
start: "def "
temperatures: [0.5, 1.0]
length: 40
caption: What the model writes.
"""


class Options(FigureOptions):
    """Options of a sample."""

    model: str = Field(description="a text model of site.toml")
    start: str = Field("def ", min_length=1, description="what the model reads before it writes")
    temperatures: tuple[float, ...] = Field(
        (0.5, 0.8, 1.1), min_length=1, max_length=8, description="what the logits are divided by, one text for each"
    )
    length: int = Field(
        400,
        ge=1,
        le=20_000,
        description="tokens written at each temperature: characters, of a character model",
    )


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Each temperature starts from the same seed, so that what differs is the temperature."""
    reader = units.reader_of(inputs.model)
    if any(not 0.01 <= temperature <= 10 for temperature in options.temperatures):
        raise BuildError("temperatures: each must be between 0.01 and 10")
    start = reader.tokens(options.start).ids
    try:
        drawn = interp.sampling.sample(
            reader, start, options.length, options.temperatures, options.seed, inputs.progress
        )
    except ValueError as error:
        raise BuildError(f"model {inputs.model.name} writes no text: {error}") from error
    samples = [
        {"temperature": temperature, "text": reader.text(ids)}
        for temperature, ids in zip(options.temperatures, drawn.tolist(), strict=True)
    ]
    characters = round(sum(len(str(sample["text"])) for sample in samples) / len(samples))
    data = {"start": options.start, "samples": samples, "by_character": characters == options.length}
    return Artifact(data=data, measures={"characters": characters, "tokens": options.length})
