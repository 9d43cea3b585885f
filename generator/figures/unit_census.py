"""Every unit of a text model scored against concepts: which unit follows what, and how many are readable.

Karpathy, Johnson and Fei-Fei, 2015 (https://arxiv.org/abs/1506.02078) found about one cell in twenty readable by
eye. Here a unit is readable by a rule: chosen for its concept on validation documents, it separates the concept on
test documents, with an interval (documents resampled) that lies above the best of the last one to three characters,
above every unit of the same network untrained, and above what the best unit reaches by chance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from generator import census, interp
from generator.artifact import Artifact
from generator.callables import NAMED
from generator.labelling import Corpus, Labelling, corpus
from generator.spec import FigureOptions

if TYPE_CHECKING:
    from generator.inputs import Inputs
    from generator.model import Model

EXAMPLE = """\
model: tiny-text
dataset: tiny-corpus
documents: 3
length: 200
concepts: {def-line: "^def .*$"}
caption: Which unit follows what.
"""

BINS = np.linspace(0.5, 1.0, 21)
NAME = re.compile(r"[a-z][\w-]*")
MOST = 40  # concepts of the author's own


class Options(FigureOptions):
    """Options of a census."""

    model: str = Field(description="a text model of site.toml")
    dataset: str = Field(
        description="a text data set: units are searched on its validation split, measured on its test split"
    )
    language: str = Field("python", description="prose, python, or a language that Pygments knows, such as c")
    concepts: dict[str, str] = Field(
        {}, max_length=MOST, description="your own: a name and a regular expression; it holds at what that matches"
    )
    functions: dict[str, str] = Field(
        {}, max_length=MOST // 2, description='your own: a name and "module:function"; given a text, it returns a mask'
    )
    documents: int = Field(20, ge=1, description="documents of each split")
    length: int = Field(1600, ge=100, description="characters read of each document")
    threshold: float = Field(0.9, gt=0.5, le=1, description="area under the curve that is marked in the table")

    @field_validator("language")
    @classmethod
    def _known(cls, language: str) -> str:
        if not interp.concepts.knows(language):
            raise ValueError(f"{language!r} is neither prose nor python nor a language that Pygments knows")
        return language

    @field_validator("concepts", "functions")
    @classmethod
    def _named(cls, own: dict[str, str]) -> dict[str, str]:
        for name in own:
            if not NAME.fullmatch(name) or name in interp.concepts.DESCRIPTIONS:
                reason = "is built in" if name in interp.concepts.DESCRIPTIONS else "is no name, such as page-number"
                raise ValueError(f"the concept {name!r} {reason}; choose another name")
        return own

    @field_validator("concepts")
    @classmethod
    def _regular(cls, own: dict[str, str]) -> dict[str, str]:
        for name, pattern in own.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{name}: {pattern!r} is no regular expression: {error}") from error
        return own

    @field_validator("functions")
    @classmethod
    def _callable(cls, own: dict[str, str]) -> dict[str, str]:
        for name, function in own.items():
            if not re.fullmatch(NAMED, function):
                raise ValueError(f'{name}: {function!r} is not "module:function"')
        return own


@dataclass(frozen=True)
class Network:
    """One network on both corpora. high: (units, concepts), whether a unit is high where a concept holds."""

    searched: census.Counted
    judged: census.Counted

    @property
    def high(self) -> NDArray[np.bool_]:
        return self.searched.areas >= 0.5

    @property
    def held_out(self) -> census.Scores:
        """Areas on the judged corpus, of the sign that was chosen on the other, (units, concepts)."""
        return np.where(self.high, self.judged.areas, 1 - self.judged.areas)


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Units, signs and thresholds are chosen on the validation split; all that is shown is of the test split.

    Baselines may choose on the test split itself, which only makes them harder to beat.
    """
    labelling = Labelling(options.language, options.concepts, options.functions)
    texts = [
        corpus(inputs.documents(options.dataset, split), labelling, options.documents, options.length)
        for split in ("validation", "test")
    ]

    def read(model: Model, part: int) -> Network:
        scale = census.scale_of(model, texts[0])
        return Network(*(counted(model, number, scale, part + number) for number in (0, 1)))

    def counted(model: Model, number: int, scale: interp.histograms.Scale, part: int) -> census.Counted:
        return census.count(
            model, texts[number], scale, lambda done, total: inputs.progress(part * total + done, 4 * total)
        )

    trained, untrained = read(inputs.model, 0), read(inputs.untrained(options.seed + 1), 2)
    return Artifact(*described(options, labelling, texts[1], trained, untrained))
