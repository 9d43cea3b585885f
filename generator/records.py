"""Records of two things measured in turn: JSON files, in which every number agrees with the others.

What a record says is told by the kind of figures that shows it, `measurements`.
"""

from __future__ import annotations

import datetime
import math
import re
import statistics
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from generator.spec import CONTROL, BuildError, Options, mistakes, refusals, shown

MOST_BYTES = 2**18  # of a record
MOST_RUNS = 200
TOLD = 3  # mistakes of a record that are told at once
SAME = 1e-6  # of the ratio: how far off its digits in a record may be


def printable(text: str) -> str:
    """The text. ValueError where a terminal or a page could not show it."""
    if sign := CONTROL.search(text):
        raise ValueError(f"it holds the control character {sign[0]!a}")
    return text


Measured = Annotated[float, Field(ge=1e-12, le=1e18)]  # in the unit of the record; what is zero has no ratio
Number = Annotated[float, Field(allow_inf_nan=False)]
Printable = Annotated[str, AfterValidator(printable)]
Name = Annotated[Printable, Field(min_length=1, max_length=100)]
Text = Annotated[Printable, Field(min_length=1, max_length=2000)]


class Strict(Options):
    """Numbers are numbers here, and texts are texts."""

    model_config = ConfigDict(strict=True)


class Memory(Strict):
    """The most bytes of memory that each of the two took."""

    ours: int = Field(ge=0, le=2**60)
    theirs: int = Field(ge=0, le=2**60)


class Versions(Strict):
    """Versions of packages, by their names, that each of the two ran with."""

    ours: dict[Name, Name] = Field({}, max_length=50)
    theirs: dict[Name, Name] = Field({}, max_length=50)


class Record(Strict):
    """What was measured of two things, in turn."""

    unit: Name
    ours: tuple[Measured, ...] = Field(min_length=1, max_length=MOST_RUNS)
    theirs: tuple[Measured, ...] = Field(min_length=1, max_length=MOST_RUNS)
    subject: Name = "ours"
    peer: Name = "theirs"
    work: Text | None = None
    name: Name | None = None
    date: datetime.date | None = None
    goal: Measured | None = None
    quality: dict[Name, Number] = Field({}, max_length=50)
    least: dict[Name, Number] = Field({}, max_length=50)
    peak: Memory | None = None
    machine: dict[Name, Text | Number] = Field({}, max_length=50)
    versions: Versions = Versions()
    ratio: Number | None = None
    met: bool | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Record:
        if len(self.ours) != len(self.theirs):
            raise ValueError(f"ours has {len(self.ours)} runs and theirs {len(self.theirs)}, but they make pairs")
        if absent := self.least.keys() - self.quality.keys():
            raise ValueError(f"least names {min(absent)!r}, which quality has not")
        parts = [measure_name(name) for name in self.quality]
        if len(set(parts)) < len(parts):
            raise ValueError("quality has two names that are one as that of a measure")
        if self.ratio is not None and not math.isclose(self.ratio, self.found, rel_tol=SAME):
            raise ValueError(f"ratio is {self.ratio:g}, but the median of theirs over that of ours is {self.found:g}")
        if self.met is not None and self.met != self.reached:
            raise ValueError(f"met is {str(self.met).lower()}, but by its numbers it is {str(self.reached).lower()}")
        return self

    @property
    def medians(self) -> dict[str, float]:
        return {"ours": statistics.median(self.ours), "theirs": statistics.median(self.theirs)}

    @property
    def found(self) -> float:
        """The ratio of the medians."""
        return self.medians["theirs"] / self.medians["ours"]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each pair of runs. That of the medians lies among them: where all of `theirs` are k times as much as those
        of `ours`, or more, so is the median.
        """
        return tuple(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def fast_enough(self) -> bool:
        """Whether the goal was reached, whatever the quality is."""
        return self.goal is None or self.found >= self.goal

    @property
    def reached(self) -> bool:
        return self.fast_enough and all(self.quality[name] >= least for name, least in self.least.items())


def read_record(path: Path) -> Record:
    """The record in a file. BuildError names the file and what is wrong with it."""
    called = f"record {shown(path)}"
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BuildError(f"{called} has more than {MOST_BYTES:,} bytes")
    try:
        return Record.model_validate_json(content)
    except ValidationError as error:
        broken = next((message for _, kind, message in refusals(error, Record) if kind == "json_invalid"), "")
        if broken:
            raise BuildError(f"{called} is no JSON: {broken.partition(', not ')[0]}") from error
        found = [f"{key}: {message}" if key else message for key, message in mistakes(error, Record)]
        more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
        raise BuildError(f"{called}: {'; '.join(found[:TOLD])}{more}") from error


def measure_name(name: str) -> str:
    """The name of a quality as part of the name of a measure.

    >>> measure_name("share.least"), measure_name("in 50 ms, or less")
    ('share.least', 'in-50-ms-or-less')
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "unnamed"
