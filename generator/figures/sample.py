"""Text that a character model writes, at several temperatures, from a given start.

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
    length: int = Field(400, ge=1, le=20_000, description="characters written at each temperature")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Each temperature starts from the same seed, so that what differs is the temperature."""
    reader = units.recurrent(inputs.model)
    if any(not 0.01 <= temperature <= 10 for temperature in options.temperatures):
        raise BuildError("temperatures: each must be between 0.01 and 10")
    samples = []
    for number, temperature in enumerate(options.temperatures):
        inputs.progress(number, len(options.temperatures))
        start = reader.tokens(options.start).ids.tolist()
        ids = interp.recurrent.sample(reader.network, start, options.length, temperature, options.seed)
        samples.append({"temperature": temperature, "text": "".join(map(reader.token, ids))})
    return Artifact(data={"start": options.start, "samples": samples}, measures={"characters": options.length})
