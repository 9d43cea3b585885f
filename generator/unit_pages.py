"""Which units have pages of their own: those that posts name, and those that a model's row in site.toml asks for.

A unit's page is its unit card, or of a network that reads text its contexts, so what a post shows already is not
computed again for it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cache
from textwrap import indent
from typing import Any

import yaml

from generator import channels, passages
from generator.channels import Layer
from generator.figures import top_contexts, unit_card, unit_grid
from generator.inputs import Inputs
from generator.library import Library
from generator.passages import Group
from generator.spec import (
    UNITS,
    BuildError,
    FigureOptions,
    FigureSpec,
    Place,
    Post,
    UnitChoice,
    UnitPage,
    nearest,
    unit_folder,
)
from generator.unit_places import page_of_unit

CARD, CONTEXTS, GRID = "unit-card", "top-contexts", "unit-grid"

PLAIN = re.compile(r"[a-z][a-z0-9-]*-[a-z0-9-]*", re.ASCII | re.IGNORECASE)  # text that YAML takes for nothing else

Known = dict[tuple[str, str], Layer]  # by model and name


def unit_pages(posts: Sequence[Post], library: Library, toml: Place, only: Set[str] | None = None) -> list[UnitPage]:
    """Pages in order of model, layer and unit, each unit's once. A model is loaded only if it never was before.

    With `only`, those of these models alone.

    Of a unit that is asked for several times the first counts: cards of posts, then grids, then site.toml.
    BuildErrors of units in site.toml that are not there; what is wrong with a figure is told when it is computed.
    """
    figures = [figure for post in posts for figure in post.figures]
    models = models_of(posts, library)
    layers = {name: list(survey_of(name, library)) for name in sorted(models if only is None else models & only)}
    known = {(name, layer.name): layer for name, found in layers.items() for layer in found}
    pages: dict[str, UnitPage] = {}
    for page in (*cards(figures, known), *grids(figures, known), *rows(layers, library, toml)):
        pages.setdefault(page.path, page)
    order = {place: number for number, place in enumerate(known)}
    return sorted(pages.values(), key=lambda page: (order[page.model, page.layer], page.unit))


def models_of(posts: Sequence[Post], library: Library) -> set[str]:
    """Models some of whose units have pages."""
    figures = [figure for post in posts for figure in post.figures]
    named = {str(figure.options.model) for figure in figures if figure.kind in (CARD, CONTEXTS, GRID)}
    return named | {name for name, row in library.models.items() if getattr(row.settings, "units", ())}


def survey_of(name: str, library: Library) -> Iterator[Layer]:
    """The groups of a network that reads text, else the layers of one that sees."""
    inputs = Inputs(library, name)
    try:
        yield from passages.survey(inputs) or channels.survey(inputs)
    except BuildError:
        if getattr(library.models[name].settings, "units", ()):
            raise


def cards(figures: Iterable[FigureSpec], known: Known) -> Iterator[UnitPage]:
    """Of the units that posts show cards or contexts of."""
    for figure in figures:
        options = figure.options
        if isinstance(options, unit_card.Options):
            name: str = options.layer
            asked: int | str | None = options.unit
        elif isinstance(options, top_contexts.Options):
            first = next((group for model, group in known if model == options.model), "")
            name, asked = options.unit.group or first, options.unit.index
        else:
            continue
        layer = known.get((str(options.model), name))
        if layer is None or asked is None:
            continue  # which unit follows a concept is known only when the figure is computed
        try:
            unit = layer.number(asked)
        except BuildError:
            continue
        yield page_of(layer, unit, figure.kind, options, figure.place, figure.absent)


def grids(figures: Iterable[FigureSpec], known: Known) -> Iterator[UnitPage]:
    """Of the units that posts name for grids. A grid of a whole layer names none: that may be thousands."""
    for figure in figures:
        grid = figure.options
        if not isinstance(grid, unit_grid.Options) or grid.units is None or (grid.model, grid.layer) not in known:
            continue
        layer = known[grid.model, grid.layer]
        try:
            units = unit_grid.chosen(grid, layer)
        except BuildError:
            continue
        shared = grid.model_dump(include={"model", "layer", "dataset", "split", "images", "size", "seed"})
        for unit in units:
            options = unit_card.Options(unit=unit, diverse=0, **shared)
            yield page_of(layer, unit, CARD, options, figure.place, figure.absent)


def rows(layers: dict[str, list[Layer]], library: Library, toml: Place) -> Iterator[UnitPage]:
    """Of the units that models' rows in site.toml ask for; without natural images where these are not at hand."""
    for name, found in layers.items():
        settings = library.models[name].settings
        dataset = getattr(settings, "dataset", None)
        reason = library.missing(dataset) if dataset else ""
        absent = f"data set {dataset} is not at hand ({reason})" if reason else ""
        for asked in getattr(settings, "units", ()):
            parts = UNITS.fullmatch(asked)
            assert parts  # by the settings' own check
            chosen = [layer for layer in found if matches(layer.name, parts["layers"])]
            if not chosen:
                hint = nearest(parts["layers"], [layer.name for layer in found])
                raise BuildError(f"models.{name}.units: no layer {parts['layers']!r} has units{hint}", toml)
            for layer in chosen:
                span = parts["units"] or ":"
                for unit in layer.numbers([int(span) if span.isdecimal() else span]):
                    if isinstance(layer, Group):
                        if absent:
                            raise BuildError(f"models.{name}.units: {absent}, and their pages show nothing else", toml)
                        choice = UnitChoice(group=layer.name, index=unit)
                        contexts = top_contexts.Options(model=name, unit=choice, dataset=str(dataset))
                        yield page_of(layer, unit, CONTEXTS, contexts, toml)
                        continue
                    card = unit_card.Options(
                        model=name, layer=layer.name, unit=unit, dataset=None if reason else dataset, diverse=0
                    )
                    yield page_of(layer, unit, CARD, card, toml, absent)


def matches(layer: str, pattern: str) -> bool:
    """Whether a layer is one of a pattern's; a star stands for one part of a name, and alone for all layers.

    >>> matches("blocks.3", "blocks.*"), matches("blocks.3.conv", "blocks.*")
    (True, False)
    >>> matches("blocks.3.conv", "*")
    True
    """
    return pattern == "*" or bool(re.fullmatch(re.escape(pattern).replace(r"\*", r"[^.]*"), layer))


def figure_id(folder: str) -> str:
    """The id of the figure on the page of a unit, or how those of a model's folder begin.

    >>> figure_id("models/mine/blocks.3/7")
    'mine-blocks-3-7'
    """
    return re.sub(r"[^\w-]+", "-", folder.partition("/")[2])


def page_of(layer: Layer, unit: int, kind: str, options: FigureOptions, place: Place, absent: str = "") -> UnitPage:
    id = figure_id(unit_folder(layer.model, layer.name, unit))
    source = as_yaml({"id": id, "kind": kind, **options.model_dump(mode="json", exclude_defaults=True)})
    what = "group" if isinstance(layer, Group) else "layer"
    caption = html.escape(f"{layer.label(unit)}, in {what} {layer.name} of model {layer.model}")
    figure = FigureSpec(id, kind, options, place, caption, source, absent=absent, layout="wide")
    path = page_of_unit(layer.model, layer.name, unit)
    return UnitPage(path, layer.model, layer.name, unit, layer.label(unit), figure)


def as_yaml(entries: Mapping[str, Any]) -> str:
    """A mapping, entry after entry: those of a layer's units are the same but for numbers, and YAML takes its time.

    >>> as_yaml({"id": "cell-7", "unit": {"group": "residual 3", "index": 7}, "dataset": "no"})
    "id: cell-7\\nunit:\\n  group: residual 3\\n  index: 7\\ndataset: 'no'\\n"
    """
    return "".join(map(entry, entries, entries.values()))


def entry(name: str, value: Any) -> str:
    if type(value) is int or (name == "id" and PLAIN.fullmatch(value)):
        return f"{name}: {value}\n"
    if isinstance(value, dict) and value:
        return f"{name}:\n" + indent(as_yaml(value), "  ")
    return dumped(name, json.dumps(value))


@cache
def dumped(name: str, value: str) -> str:
    """value: as JSON, which tells 1 from true."""
    return str(yaml.safe_dump({name: json.loads(value)}, sort_keys=False, allow_unicode=True))
