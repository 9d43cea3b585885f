"""The pages of units, the lists of those of a layer and of a model, and the search over all units of a model.

A layer is written page by page of its list, so that only what that page shows is held. The lists of a small model hold
all that can be searched; a larger one is searched in parts, see `unit_search`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from generator import unit_lists, unit_search
from generator.followed import Followed
from generator.images import is_picture
from generator.post_writer import PostWriter, leading
from generator.rendered import Rendered
from generator.spec import UNIT_PAGES, Post, UnitPage, unit_folder
from generator.themes import scripts_of
from generator.unit_places import page_of_list, part_of_search, search_folder

if TYPE_CHECKING:
    import numpy as np

DIRECTORY = "index.js"


@dataclass(frozen=True)
class Row:
    """A unit as lists show it, and its picture as sheets hold it."""

    told: dict[str, Any]
    pixels: np.ndarray[Any, Any] | None


@dataclass(frozen=True)
class UnitWriter:
    """Writes the pages of units; `known` says which concepts they follow, all else is the site's own."""

    known: Mapping[tuple[str, str, int], Followed]
    writer_of: Callable[[Post], PostWriter]
    emit: Callable[..., None]
    rendered: Rendered
    exists: Callable[[str], bool]
    theme: str

    def write(self, units: Sequence[UnitPage]) -> None:
        models = [self.model(name, list(own)) for name, own in groupby(units, key=lambda unit: unit.model)]
        if models:
            path = f"{UNIT_PAGES}/index.html"
            self.emit(path, "models.html", page={"title": "Units", "path": path, "description": ""}, models=models)

    def model(self, name: str, units: Sequence[UnitPage]) -> dict[str, Any]:
        """The pages of a model's units and their lists; as the list of models shows it."""
        large = len(units) > unit_lists.MOST
        layers, found = [], []
        for layer, own in groupby(units, key=lambda unit: unit.layer):
            listed = {"name": layer, "path": page_of_list(name, layer), "rows": []}
            layers.append(listed)
            count = 0
            for row in self.layer(name, layer, list(own), large):
                count += 1
                if large:
                    found.append(sought(len(layers) - 1, row))
                else:
                    listed["rows"].append(row)  # the model's own page shows them all
            listed["count"] = count
        self.list_page(page_of_list(name), f"Units of {name}", name, None, layers, len(units) if large else 0)
        if large:
            self.search(name, found, [(one["name"], unit_folder(name, one["name"])) for one in layers])
        told = [{key: one[key] for key in ("name", "path", "count")} for one in layers]
        return {"name": name, "path": page_of_list(name), "layers": told}

    def layer(self, model: str, name: str, units: Sequence[UnitPage], large: bool) -> Iterator[dict[str, Any]]:
        """The pages of a layer's units, and each page of their list when its units are written; as lists show them."""
        last = -(-len(units) // unit_lists.MOST)
        for here, part in enumerate(unit_lists.parts(range(len(units))), 1):
            path = page_of_list(model, name, here)
            around = [[units[one] if 0 <= one < len(units) else None for one in (at - 1, at + 1)] for at in part]
            rows = [self.unit(units[at], beside, path) for at, beside in zip(part, around, strict=True)]
            self.lay_out(rows)
            told = [row.told for row in rows]
            group = {"name": name, "path": page_of_list(model, name), "rows": told}
            title = f"Units of {model}, layer {name}"
            if last == 1:
                self.list_page(path, title, model, name, [group])
            else:
                pages = self.pages(model, name, here, last) | {"first": told[0]["unit"], "final": told[-1]["unit"]}
                title = f"{title}, page {here} of {last}"
                self.list_page(path, title, model, name, [group], len(units), pages)
            yield from told

    def pages(self, model: str, layer: str, here: int, last: int) -> dict[str, Any]:
        """How one page of a list leads to the others."""
        beside = [page_of_list(model, layer, one) if 1 <= one <= last else "" for one in (here - 1, here + 1)]
        listed = [(one, page_of_list(model, layer, one)) for one in unit_lists.numbers_shown(here, last)]
        return {"here": here, "last": last, "beside": beside, "listed": listed}

    def list_page(
        self,
        path: str,
        title: str,
        model: str,
        layer: str | None,
        groups: Sequence[dict[str, Any]],
        units: int = 0,
        pages: dict[str, Any] | None = None,
    ) -> None:
        """units: how many there are, where the page does not show them all, so that they are searched in parts."""
        self.emit(
            path,
            "units.html",
            ["units" if units else "lists"],
            page={"title": title, "path": path, "description": ""},
            model=model,
            layer=layer,
            groups=groups,
            folder=unit_folder(model),
            units=units,
            search=search_folder(model),
            pages=pages,
        )

    def unit(self, unit: UnitPage, beside: Sequence[UnitPage | None], listed: str) -> Row:
        """The page of a unit; and how lists show it."""
        post = Post(unit.path, unit_title(unit), "", unit.figure.place, figures=(unit.figure,))
        writer = self.writer_of(post)
        figure = Markup(writer.figure(unit.figure))  # noqa: S704  (rendered with autoescape)
        follows = self.known.get((unit.model, unit.layer, unit.unit))
        self.emit(
            unit.path,
            "unit.html",
            scripts_of([unit.figure], False, self.theme),
            page={"title": post.title, "path": unit.path, "description": ""},
            unit=named(unit),
            figure=figure,
            follows=follows,
            beside=[other and named(other) for other in beside],
            folders={"model": unit_folder(unit.model), "layer": listed.removesuffix("/index.html")},
        )
        key = writer.jobs[unit.figure.id].key
        artifact = writer.found.artifacts.get(key)  # none of a figure that failed
        pictures = [array for array in artifact.arrays.values() if is_picture(array)] if artifact else []
        chosen = pictures[leading(array.shape[:2] for array in pictures) :][:1]
        data = artifact.data if artifact else {}
        told = {
            "unit": named(unit),
            "follows": follows,
            "picture": writer.thumbnail(),
            "tile": None,
            "histogram": data.get("histogram"),
            "labels": [one["label"] for one in data.get("labels", [])],
        }
        return Row(told, unit_lists.thumbnail(chosen[0]) if chosen else None)

    def lay_out(self, rows: Sequence[Row]) -> None:
        """The pictures of a page of a list as one, where they are many."""
        shown = [row for row in rows if row.pixels is not None]
        if len(shown) <= unit_lists.FEW:
            return
        pixels, places = unit_lists.sheet([row.pixels for row in shown if row.pixels is not None])
        url = self.rendered.picture(pixels, self.exists, many=True)
        whole = {"url": url, "width": pixels.shape[1], "height": pixels.shape[0]}
        for row, place in zip(shown, places, strict=True):
            row.told["tile"] = {**place, "sheet": whole}

    def search(self, model: str, found: Sequence[unit_search.Found], layers: Sequence[tuple[str, str]]) -> None:
        """The parts of a model's search, and their directory."""
        parts = unit_search.parts(found)
        for number, part in enumerate(parts):
            self.rendered.files[part_of_search(model, number)] = unit_search.script(number, part)
        self.rendered.files[f"{search_folder(model)}/{DIRECTORY}"] = unit_search.directory(parts, layers)


def named(unit: UnitPage) -> dict[str, Any]:
    """A unit as pages name it: what else is planned of it is no part of them."""
    return {"path": unit.path, "model": unit.model, "layer": unit.layer, "unit": unit.unit, "label": unit.label}


def sought(layer: int, row: Mapping[str, Any]) -> unit_search.Found:
    """A unit of a list as it is found."""
    follows: Followed | None = row["follows"]
    unit = row["unit"]
    concept, score = (follows.concept, follows.scores["auc"]) if follows else ("", 0.0)
    return unit_search.Found(layer, unit["unit"], unit["label"], row["labels"], concept, score)


def unit_title(unit: UnitPage) -> str:
    return f"{unit.label[:1].upper()}{unit.label[1:]} of {unit.layer} in {unit.model}"
