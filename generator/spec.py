"""What the author asked for, as plain frozen data, and what can be said against it.

Nothing here reads a file, loads a model or knows HTML.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

# A number in plain text, such as a description: {value:.0%} svm.accuracy, with or without backticks around it.
TOLD = re.compile(r"`?\{value(?::(?P<format>[^}]*))?\}\s+(?P<figure>[\w-]+)\.(?P<measure>[^\s`]*[^\s`.,;:!?)])`?")
UNIT_PAGES = "models"  # the folder of the site that their pages lie in; no post can take it
UNITS = re.compile(r"(?P<layers>[^\[\]]+)(\[(?P<units>\d+|\d*:\d*)\])?")  # such as blocks.*[0:16]
# What would steer a terminal, turn the direction of text, or cannot be written as UTF-8.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
RANGE = re.compile(r"\d*:\d*")  # such as 0:64, as Python slices


@dataclass(frozen=True, order=True)
class Place:
    """Where something was written: a file, relative to where the build was started, and a line from 1."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def shown(path: Path) -> str:
    """A path as messages show it: relative to where the build was started, if it lies below."""
    return os.path.relpath(path) if not os.path.relpath(path).startswith("..") else str(path)


def printable(text: str) -> str:
    """A text as a terminal may show it: what would steer that is written out.

    >>> print(printable(chr(27) + "[31mred"))
    \\x1b[31mred
    """
    return CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


class BuildError(Exception):
    """Something that its author can put right: it says what, where, and what would be right."""

    def __init__(self, message: str, place: Place | None = None, cause: str = "") -> None:
        message = printable(message)  # names from files may hold anything
        super().__init__(f"{place}: {message}" if place else message)
        self.message, self.place = message, place
        self.cause = cause  # if it lies elsewhere, such as in a model: what else it stops is told with it, once

    def __reduce__(self) -> tuple[type[BuildError], tuple[object, ...]]:
        return type(self), (self.message, self.place, self.cause)

    def of(self, what: str, place: Place | None) -> BuildError:
        """The same error, told of what it stopped, once; the place is that of the error where it has one."""
        kind = type(self) if isinstance(self, Changed | DiskFull) else BuildError
        cause = "" if self.place or self.message.startswith(f"{what}: ") else self.message
        return kind(f"{what}: {self.message.removeprefix(f'{what}: ')}", self.place or place, cause)


class Changed(BuildError):
    """What a build read is no longer what its keys say: nothing is kept of it, and another build is right."""


class DiskFull(BuildError):
    """A disk has no room for what was to be written: all else that is computed could not be kept either."""


class BuildErrors(BuildError):
    """All that is wrong with one build, so that an author reads it once; sorted by place, each cause told once."""

    def __init__(self, errors: Iterable[BuildError]) -> None:
        every = sorted(errors, key=lambda error: (error.place is None, error.place or Place(""), str(error)))
        of_cause: dict[str, list[BuildError]] = {}
        for error in every:
            of_cause.setdefault(error.cause or str(error), []).append(error)
        self.errors = [with_others(*same) for same in of_cause.values()]
        Exception.__init__(self, "\n".join(map(str, self.errors)))

    def __reduce__(self) -> tuple[type[BuildError], tuple[object, ...]]:
        return type(self), (self.errors,)


def counted(count: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "page"), counted(2_000, "page")
    ('1 page', '2,000 pages')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"


def with_others(error: BuildError, *others: BuildError) -> BuildError:
    """An error, and what else the same cause stops."""
    places = [str(other.place or other.message) for other in others if str(other) != str(error)]
    if not places:
        return error
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return type(error)(f"{error.message}; so it is at {', '.join(places[:3])}{more}", error.place, error.cause)


def nearest(name: object, known: Iterable[str], most: int = 12) -> str:
    """The end of a sentence about an unknown name: the nearest right word, else what there is.

    >>> nearest("lsmt", ["lstm", "head"])
    "; did you mean 'lstm'?"
    >>> nearest("zebra", ["lstm", "head"])
    '; known: head, lstm'
    """
    choices = sorted(set(known))
    close = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    more = f", … ({len(choices)} in all)" if len(choices) > most else ""
    return f"; known: {', '.join(choices[:most])}{more}" if choices else "; there is none"


class Options(BaseModel):
    """The base of everything an author sets: an unknown key is an error, and nothing changes after reading."""

    # Built at first use: a report uses few of all the kinds that there are.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


def options_in(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of every option of a block or a row, and of those within it, at any depth.

    >>> dict(options_in(UnitChoice(index=7)))
    {'group': None, 'index': 7, 'concept': None, 'rank': 1}
    """
    inside: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Options):
        inside = value  # its fields and what they hold
    elif isinstance(value, list | tuple):
        inside = enumerate(value)
    for key, inner in inside:
        here = f"{path}.{key}" if path else str(key)
        yield here, inner
        yield from options_in(inner, here)


def fields_at(model: type[Options], path: tuple[str | int, ...]) -> Iterator[str]:
    """Names of the fields of the options model that stands at `path` inside `model`."""
    for part in path:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        inside = [
            one
            for one in (annotation, *getattr(annotation, "__args__", ()))
            if isinstance(one, type) and issubclass(one, Options)
        ]
        if not inside:
            return
        model = inside[0]
    yield from model.model_fields


def refusals(problem: ValidationError, model: type[Options] | None) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """(path, Pydantic's type, message) of each value that an author must put right; `model` if it is of an author's."""
    found = problem.errors()
    inside = {tuple(one["loc"][:-1]) for one in found}
    for one in found:
        path, kind, message = tuple(one["loc"]), one["type"], one["msg"].removeprefix("Value error, ")
        if kind == "too_short" and path in inside:
            continue  # what is wrong in it was not counted
        if kind == "string_type" and isinstance(one["input"], bool | int | float):
            message = f'this is text: write it in quotes, "{brief(one["input"])}"'
        elif kind == "model_type" and model is not None and (keys := list(fields_at(model, path))):
            message = f"write it with its keys, {{{', '.join(keys)}}}, not {brief(one['input'])}"
        elif kind != "missing" and not isinstance(one["input"], Mapping):
            message = f"{message}, not {brief(one['input'])}"
        yield path, kind, message


def brief(value: object, most: int = 200) -> str:
    """A value as messages show it.

    >>> brief("a"), brief("a" * 1000, 8), brief(1 << 20_000)
    ("'a'", "'aaaaaaa…", 'a number of thousands of digits')
    """
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= most else f"{text[:most]}…"


def mistakes(problem: ValidationError, model: type[Options]) -> Iterator[tuple[str, str]]:
    """(dotted key, what is wrong with it and the nearest right word) of a table that is not like `model`."""
    for path, kind, message in refusals(problem, model):
        if kind == "extra_forbidden":
            message = f"there is no such key{nearest(str(path[-1]), fields_at(model, path[:-1]))}"
        yield ".".join(map(str, path)), message


class FigureOptions(Options):
    """What every kind of figure can be told.

    Names mean the same in every kind, and are checked before anything is computed: `model` a model of
    site.toml, `dataset` a data set of site.toml, `layer` and `layers` layers of the model, `classes`
    names of its classes.
    """

    compares_checkpoints: ClassVar[bool] = False  # whether the kind also reads the checkpoint before the one it shows
    # Whether it has `setting` and `values`, and trains the model by its recipe once for each value of that setting.
    varies_training: ClassVar[bool] = False

    model: str | None = Field(None, description="a model of site.toml")
    seed: int = Field(0, description="the only source of randomness of the figure")


class SyntheticOptions(FigureOptions):
    """What every kind that makes pictures can be told of the evidence beside them."""

    compares_checkpoints: ClassVar[bool] = True

    dataset: str | None = Field(None, description="a data set of natural images to hold the pictures against")
    split: str = Field("train", description="its split")


class UnitOptions(SyntheticOptions):
    """The same of every kind whose pictures are of units: those of one unit should be alike."""

    twins: bool = Field(
        True, description="grow each picture again from another seed, in half the steps, to see whether the two agree"
    )


class ModelOptions(Options):
    """What every source of networks can be told of where they run."""

    resources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="what a worker must have free for a figure of the network, by the names that workers were started "
        "with, such as { GPU = 1, MEMORY = 16e9 }; it changes no figure",
    )


class UnitPagesOptions(ModelOptions):
    """What every source of networks can be told of pages for their units."""

    dataset: str | None = Field(None, description="the data set, of natural images or text, that pages of units show")
    units: tuple[str, ...] = Field(
        (),
        description='whose units have pages: layers such as "blocks.3", "blocks.*" or, some units, "cell[0:64]"; '
        '"*" for the whole network',
    )

    @field_validator("units", mode="before")
    @classmethod
    def _one_or_several(cls, units: Any) -> Any:
        return (units,) if isinstance(units, str) else units

    @field_validator("units")
    @classmethod
    def _shown_on(cls, units: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if units and not info.data.get("dataset"):
            raise ValueError("their pages show natural images or text, so name a `dataset`")
        for one in units:
            if not UNITS.fullmatch(one):
                raise ValueError(
                    f"{one!r} is no layer or group, such as blocks.3 or blocks.*, with or without units, as [0:16]"
                )
        return units


class ImageChoice(Options):
    """One image: from a data set of site.toml, a file beside the post, or a sample that scikit-image carries."""

    dataset: str | None = Field(None, description="a data set of site.toml")
    split: str = "test"
    label: str | None = Field(None, description="only images of this class are counted")
    index: int = Field(0, ge=0, description="which image of the split (and label), from 0")
    file: str | None = Field(None, description="an image file, relative to the content folder")
    sample: str | None = Field(None, description="the name of an image in skimage.data, such as chelsea")

    @model_validator(mode="after")
    def _one_of(self) -> ImageChoice:
        if sum(value is not None for value in (self.dataset, self.file, self.sample)) != 1:
            raise ValueError("give exactly one of dataset, file, sample")
        return self


class TextChoice(Options):
    """A stretch of text: from a document of a text data set, or written in the post itself."""

    dataset: str | None = Field(None, description="a text data set of site.toml")
    split: str = "test"
    document: str | None = Field(None, description="the document's name; the first of the split if not given")
    start: int = Field(0, ge=0, description="where it starts, in characters; the network reads what comes before, too")
    length: int = Field(600, gt=0, le=1_000_000, description="characters shown")
    literal: str | None = Field(None, description="the text itself")

    @field_validator("literal")
    @classmethod
    def _is_text(cls, literal: str | None) -> str | None:
        if literal is not None and (half := re.search("[\ud800-\udfff]", literal)):
            raise ValueError(f"it holds half a character, {half[0]!a}: write those beyond \\uffff as \\U0001f600")
        return literal

    @model_validator(mode="after")
    def _one_of(self) -> TextChoice:
        if (self.dataset is None) == (self.literal is None):
            raise ValueError("give either dataset or literal")
        return self


class UnitChoice(Options):
    """Units of a text model: one or a range of a group by number, or the one that follows a concept best."""

    group: str | None = Field(
        None, description="such as cell; the model's first if not given, and with a concept all of them"
    )
    index: int | str | None = Field(None, description='number in the group from 0, or a range of them, such as "0:64"')
    concept: str | None = Field(None, description="what it follows, such as inside-string")
    rank: int = Field(1, ge=1, le=100, description="1 is the unit that follows the concept best")

    @field_validator("index")
    @classmethod
    def _is_number_or_range(cls, index: int | str | None) -> int | str | None:
        if (isinstance(index, int) and index < 0) or (isinstance(index, str) and not RANGE.fullmatch(index)):
            raise ValueError(f'give a number from 0, or a range such as "0:64", not {index!r}')
        return index

    @model_validator(mode="after")
    def _one_of(self) -> UnitChoice:
        if (self.index is None) == (self.concept is None):
            raise ValueError("give either index or concept")
        return self

    def numbers(self, width: int) -> range:
        """Those chosen of a group of `width` units; empty where there are none.

        >>> UnitChoice(index="2:").numbers(5), UnitChoice(index=7).numbers(5)
        (range(2, 5), range(5, 5))
        """
        if isinstance(self.index, int):
            return range(width)[self.index : self.index + 1]
        start, _, stop = (self.index or "").partition(":")
        return range(width)[int(start or 0) : int(stop or width)]


Layout = Literal["margin", "text", "wide", "screen"]  # where a figure stands: see `place` of figure blocks
Step = int | str  # a checkpoint by its training step, or, where its file tells none, by the file's name


def called(step: Step | None) -> str:
    """A checkpoint as prose calls it.

    >>> called(2000), called("final")
    ('step 2,000', 'final')
    """
    return f"step {step:,}" if isinstance(step, int) else str(step)


@dataclass(frozen=True)
class FigureSpec:
    """One figure block. `absent` says which data were missing where `otherwise` had to replace its options."""

    id: str
    kind: str
    options: FigureOptions
    place: Place
    caption: str = ""  # Markdown
    source: str = ""  # the block's YAML, as written
    lines: Mapping[str, int] = field(default_factory=dict)  # line of each top-level key, in the file
    otherwise: FigureOptions | None = None
    absent: str = ""
    layout: Layout = "text"
    control: bool = False  # the same is also computed with random weights
    checkpoint: Step | Literal["newest", "all"] | tuple[Step, ...] = "newest"  # several make a timeline
    diff: tuple[Step, Step] | None = None  # two checkpoints side by side, and the units that changed most between them
    measures: tuple[str, ...] = ()  # whose course over the checkpoints is drawn

    @property
    def several(self) -> bool:
        """Whether it shows its model at more than one checkpoint."""
        return self.diff is not None or self.checkpoint == "all" or isinstance(self.checkpoint, tuple)

    def at(self, key: str) -> Place:
        return replace(self.place, line=self.lines.get(key, self.place.line))


@dataclass(frozen=True)
class UnitPage:
    """The page of one unit of a model; `label` is what it is called beside its number."""

    path: str  # in the site
    model: str
    layer: str
    unit: int
    label: str
    figure: FigureSpec


def unit_folder(model: str, layer: str = "", unit: int | None = None) -> str:
    """Where the page of a unit lies in the site, or of its layer, or of its model; always the same.

    >>> unit_folder("mine", "blocks.3", 7), unit_folder("my/net")
    ('models/mine/blocks.3/7', 'models/my-net')
    """
    names = [re.sub(r"[^\w.-]+", "-", name).strip(".") or "-" for name in (model, layer) if name]
    return "/".join([UNIT_PAGES, *names, *([] if unit is None else [str(unit)])])


@dataclass(frozen=True)
class Expectation:
    """What a measure is expected to be: as written, and the numbers that are as expected, from `low` to `high`."""

    measure: str
    comparison: str  # such as "≥ 0.95"
    low: float = -math.inf
    high: float = math.inf
    strict: bool = False  # the ends themselves are not as expected

    def __str__(self) -> str:
        return f"{self.measure} {self.comparison}"

    def __contains__(self, value: float) -> bool:
        return self.low < value < self.high if self.strict else self.low <= value <= self.high


@dataclass(frozen=True)
class Claim:
    """A sentence that holds as long as a measure is as expected; checked on every build.

    by_interval: all of the measure's interval must be as expected, not its value alone. history: also at all earlier
    checkpoints of the figure's model, whether or not the figure shows them.
    """

    id: str
    figure: str
    expect: Expectation
    text: str
    place: Place
    by_interval: bool = False
    history: bool = False

    @property
    def expected(self) -> str:
        """What is expected of what, such as "census.auc ≥ 0.95"."""
        return f"{self.figure}.{self.expect}"


@dataclass(frozen=True)
class Value:
    """A number in the prose: the measure of a figure, and how it is written."""

    figure: str
    measure: str
    format: str
    place: Place


@dataclass(frozen=True)
class Site:
    """What every page knows of its site; base_url has no slash at its end."""

    title: str
    description: str
    author: str
    base_url: str
    language: str
    theme: str = ""


@dataclass(frozen=True)
class OwnImage:
    """An author's own image: its path in the content folder, and (path in the site, width, height) of its files."""

    source: str
    files: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Post:
    """One content file, read: its body is HTML with holes where figures, claims and values go."""

    path: str  # in the site, such as posts/cells.html
    title: str
    body: str
    place: Place
    date: str = ""  # ISO 8601; a page without a date is no post
    description: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    draft: bool = False
    updated: str = ""  # ISO 8601
    series: str = ""  # what it is a part of
    order: int = 0  # of a page among those of its folder
    picture: str = ""  # the figure that stands for the post in lists
    contents: str = ""  # the table of contents, HTML
    text: str = ""  # the words of the body, for those who search them: HTML without tags, but for holes in a line
    figures: tuple[FigureSpec, ...] = ()
    claims: tuple[Claim, ...] = ()
    values: tuple[Value, ...] = ()
    references: tuple[tuple[str, Place], ...] = ()  # anchors that the body points to
    images: tuple[OwnImage, ...] = ()
    reads: tuple[str, ...] = ()  # paths, in the content folder, of the other files that it was read from
    deprecations: tuple[str, ...] = ()  # what is written in a way that goes, with its place and what to write instead

    @property
    def quoted(self) -> set[str]:
        """The figures and models whose measures its prose and claims state."""
        return {one.figure for one in self.values} | {one.figure for one in self.claims}


@dataclass(frozen=True)
class Job:
    """A figure to compute: equal keys give equal artifacts, whatever the figures are called."""

    key: str
    kind: str
    options: FigureOptions
    ingredients: Mapping[str, Any]  # what the key was made of: the provenance
    place: Place  # of the first figure that asks for it
    id: str  # of that figure
    lines: Mapping[str, int] = field(default_factory=dict)  # and its keys
    random: int | None = None  # the seed of random weights, in place of the model's own
    control: Job | None = None  # the same with random weights, shown below the figure
    model: str | None = None  # the network, as the library calls it: one of site.toml, or one of its checkpoints
    chooser: str | None = None  # the network in which units are found by concept, where that is another
    step: Step | None = None  # of the checkpoint, where the figure does not simply show the newest
    earlier: tuple[Job, ...] = ()  # the same at other checkpoints, in order
    changes: Job | None = None  # which units changed most between two of them

    def all(self) -> tuple[Job, ...]:
        return tuple(job for job in (self, self.control, *self.earlier, self.changes) if job)

    def alone(self) -> Job:
        """Without what stands beside it."""
        return replace(self, control=None, earlier=(), changes=None)

    def series(self) -> tuple[Job, ...]:
        """The figure at each checkpoint, in order."""
        return (*self.earlier, self)

    def at(self, key: str) -> Place:
        return replace(self.place, line=self.lines.get(key, self.place.line))
