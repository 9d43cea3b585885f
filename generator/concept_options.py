"""What every kind that knows concepts of text can be told of them: a language, and the author's own."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from generator import interp, plugins
from generator.callables import NAMED
from generator.labelling import Labelling
from generator.spec import FigureOptions, nearest

NAME = re.compile(r"[a-z][\w-]*")
MOST = 40  # concepts of the author's own
BUILT_IN = 11  # of prose, which has the most


class ConceptOptions(FigureOptions):
    """Options beside `dataset`, whose documents the concepts are read from."""

    language: str = Field("python", description="prose, python, or a language that Pygments knows, such as c")
    concepts: dict[str, str] = Field(
        {}, max_length=MOST, description="your own: a name and a regular expression; it holds at what that matches"
    )
    functions: dict[str, str] = Field(
        {},
        max_length=MOST // 2,
        description='your own: a name and "module:function", or a package\'s concept; given a text, it returns a mask',
    )
    documents: int = Field(20, ge=1, description="documents read of each split")
    length: int = Field(1600, ge=100, description="characters read of each")

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
        added = {} if all(re.fullmatch(NAMED, one) for one in own.values()) else plugins.added("concepts", "concept")
        for name, function in own.items():
            if not re.fullmatch(NAMED, function) and function not in added:
                known = f", nor one of installed packages{nearest(function, added)}" if added else ""
                raise ValueError(f'{name}: {function!r} is not "module:function"{known}')
        return {name: added.get(function, function) for name, function in own.items()}

    @model_validator(mode="after")
    def _fit(self) -> Self:
        own, most = len(self.concepts) + len(self.functions), interp.histograms.CONCEPTS - BUILT_IN
        if own > most:
            raise ValueError(f"{own} concepts of your own; at most {most} can be told apart beside those built in")
        return self

    def labelling(self) -> Labelling:
        """Of one's own concepts in the order of their names: that in which they are written changes nothing."""
        return Labelling(self.language, dict(sorted(self.concepts.items())), dict(sorted(self.functions.items())))
