"""The picture of the layers in the guide, drawn from the imports: who may know whom, and which stage of a build needs what.

`python -m tests.architecture` draws it as the code is now; test_architecture.py only compares. Modules that stand in
the tables of kinds, sources and runners are shown as one, so that adding a kind leaves the picture as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from generator.datasets import DATASETS
from generator.figures import KINDS
from generator.models import SOURCES
from generator.runners import RUNNERS
from tests.conftest import ROOT
from tests.test_layers import TREES, imports, level

PICTURE = ROOT / "content" / "pages" / "guide" / "architecture.svg"
TABLES = {"figures": KINDS, "models": SOURCES, "datasets": DATASETS, "runners": RUNNERS}  # they name modules as text
TOGETHER = {*TABLES, "interp"}  # packages whose modules are shown as one
STAGES = {  # what a build does, and the modules that it does it by
    "reading": ("content",),
    "computing": ("computing", "runners"),
    "writing": ("render", "publish"),
}
WIDTH, GAP, PAD = 400, 18, 9  # pixels, of which a phone has some 350 to show them on: the smallest letters stay legible
SHARES = (0.38, 0.24, 0.38)  # of the columns: reading, running, writing
LETTER, LINE = 6.7, 15.5  # pixels: the width of a letter, with a little to spare, and the height of a line
COLOURS = ("paper", "panel", "rule", "ink", "muted", "accent")  # variables of the theme
TEXTS = {  # of each area: its title, and what it is about
    "order": ("The order of a build", "Commands, and what is done when; none below imports it."),
    "reading": ("Reading", "Markdown becomes posts."),
    "computing": ("Running", "Jobs become artifacts."),
    "writing": ("Writing", "Artifacts become pages."),
    "kinds": ("Kinds of figures", "Reading needs their options, running their compute()."),
    "shared": ("What all of them share", "Models, data, keys, artifacts, what an author asks for."),
    "instruments": ("Instruments", "Tensors in, tensors out: they import no others of ours."),
}


@dataclass(frozen=True)
class Area:
    """Modules that the same stages need. names: as they are shown, from the top layer down."""

    title: str
    about: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """Where an area is drawn, in pixels, and its lines of text with their classes."""

    area: Area
    lines: Sequence[tuple[str, str]]
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


def graph() -> dict[str, set[str]]:
    """Module -> the modules of ours that it imports, those that it finds in a table among them."""
    found = {name: imports(name) & set(TREES) for name in TREES}
    for table, rows in TABLES.items():
        found[table] |= {row.removeprefix("generator.") for row in rows.values()} & set(TREES)
    return found


def reached(starts: Iterable[str], graph: Mapping[str, Iterable[str]]) -> set[str]:
    """The modules, and all that they import, directly or not."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def places() -> dict[str, str]:
    """Module -> the area that it stands in, by the stages that need it; less the package itself, which is its version."""
    links = graph()
    needed = {stage: reached(starts, links) for stage, starts in STAGES.items()}

    def place(module: str) -> str:
        if package(module) == "interp":
            return "instruments"
        stages = [stage for stage, names in needed.items() if module in names]
        if len(stages) < 2:
            return stages[0] if stages else "order"
        return "shared" if "writing" in stages else "kinds"

    return {module: place(module) for module in TREES if module}


def package(module: str) -> str:
    return module.partition(".")[0]


def areas() -> dict[str, Area]:
    found: dict[str, dict[str, None]] = {name: {} for name in TEXTS}
    for module, place in sorted(places().items(), key=lambda row: (level(row[0]), row[0])):
        found[place][f"{package(module)}.*" if package(module) in TOGETHER else module] = None
    return {name: Area(*TEXTS[name], tuple(names)) for name, names in found.items()}


def wrapped(words: Iterable[str], width: float, between: str) -> Iterator[str]:
    """Lines of words, as many in each as fit its width."""
    line = ""
    for word in words:
        longer = f"{line}{between}{word}" if line else word
        if line and len(longer) * LETTER > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def box(area: Area, left: float, top: float, width: float) -> Box:
    inside = width - 2 * PAD
    about = [("about", line) for line in wrapped(area.about.split(), inside, " ")]
    names = [("name", line) for line in wrapped(area.names, inside, "  ")]
    lines = [("title", area.title), *about, ("gap", ""), *names]
    return Box(area, lines, left, top, width, 2 * PAD + sum(height(kind) for kind, _ in lines))


def height(kind: str) -> float:
    return LINE if kind != "gap" else LINE / 3


def boxes() -> dict[str, Box]:
    """Reading and running stand above the kinds, which both need; writing beside all three."""
    found = areas()
    first, second, third = (share * (WIDTH - 2 - 2 * GAP) for share in SHARES)
    left, middle, right = 1, 1 + first + GAP, 1 + first + second + 2 * GAP
    order = box(found["order"], left, 1, WIDTH - 2)
    row = order.bottom + GAP
    reading, running = box(found["reading"], left, row, first), box(found["computing"], middle, row, second)
    lower = max(reading.bottom, running.bottom)
    kinds = box(found["kinds"], left, lower + GAP, first + second + GAP)
    writing = box(found["writing"], right, row, third)
    bottom = max(kinds.bottom, writing.bottom)
    shared = box(found["shared"], left, bottom + GAP, WIDTH - 2)
    return {
        "order": order,
        "reading": until(reading, lower),
        "computing": until(running, lower),
        "kinds": until(kinds, bottom),
        "writing": until(writing, bottom),
        "shared": shared,
        "instruments": box(found["instruments"], left, shared.bottom + GAP, WIDTH - 2),
    }


def until(box: Box, bottom: float) -> Box:
    return replace(box, height=bottom - box.top)


def arrows(placed: Mapping[str, Box]) -> Iterator[tuple[Box, Box]]:
    """(upper, lower) where one stands right above the other, and a module of it imports one of the other."""
    area = places()
    known = {(area[one], area[other]) for one, found in graph().items() for other in found if one and other}
    for upper, above in placed.items():
        for lower, below in placed.items():
            touching = abs(below.top - above.bottom - GAP) < 1
            if touching and above.left < below.right and below.left < above.right and (upper, lower) in known:
                yield above, below


def palette() -> dict[str, tuple[str, str]]:
    """The colours of the theme, in light and in dark."""
    css = (ROOT / "templates" / "theme.css").read_text("utf-8")
    found = {}
    for variable in COLOURS:
        (pair,) = re.findall(rf"--{variable}: light-dark\((#\w+), (#\w+)\);", css)
        found[variable] = pair
    return found


def style() -> str:
    colours = palette()
    rules = {
        "ground": "fill: {paper}",
        "box": "fill: {panel}; stroke: {rule}",
        "title": "fill: {ink}",
        "about, .name": "fill: {muted}",
        "arrow": "stroke: {accent}",
        "head": "fill: {accent}",
    }

    def coloured(scheme: int) -> str:
        values = {name: pair[scheme] for name, pair in colours.items()}
        return "\n".join(f".{name} {{ {rule.format(**values)} }}" for name, rule in rules.items())

    return f"""
.title {{ font: 600 13px "Source Sans 3", "Segoe UI", system-ui, "Noto Sans", "Liberation Sans", Arial, sans-serif }}
.about {{ font: 12px "Source Sans 3", "Segoe UI", system-ui, "Noto Sans", "Liberation Sans", Arial, sans-serif }}
.name {{ font: 11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; white-space: pre }}
{coloured(0)}
@media (prefers-color-scheme: dark) {{
{coloured(1)}
}}
"""


def drawn() -> str:
    """The picture: SVG, without a script, a font or an address of its own."""
    placed = boxes()
    bottom = round(max(box.bottom for box in placed.values()) + 1)
    size = f'width="{WIDTH}" height="{bottom}"'
    told = "; ".join(f"{box.area.title}: {', '.join(box.area.names)}" for box in placed.values())
    named = 'role="img" aria-labelledby="title description"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {bottom}" {named}>',
        '<title id="title">The layers of Whatfires</title>',
        f'<desc id="description">Imports go down only. From the top: {escape(told)}.</desc>',
        f"<style>{style()}</style>",
        f'<rect class="ground" {size}/>',
    ]
    for above, below in arrows(placed):
        across = (max(above.left, below.left) + min(above.right, below.right)) / 2
        parts.append(f'<path class="arrow" d="M{across:.1f} {above.bottom:.1f}v{GAP - 5}"/>')
        parts.append(f'<path class="head" d="M{across - 4:.1f} {below.top - 7:.1f}h8l-4 6z"/>')
    for box in placed.values():
        place = f'x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        parts.append(f'<rect class="box" {place} rx="5"/>')
        y = box.top + PAD - 4
        for kind, text in box.lines:
            y += height(kind)
            if text:
                parts.append(f'<text class="{kind}" x="{box.left + PAD:.1f}" y="{y:.1f}">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(drawn(), "utf-8")
