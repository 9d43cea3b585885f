"""A figure shown in a notebook, with the pixels that it has on its page, and under the key that it has there.

It is taken from the store of the report that the notebook lies in or beside, or computed and kept there; so what was
looked at in a notebook is not computed again by a build, nor the other way round.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from generator.artifact import Artifact, ArtifactStore
from generator.figure_blocks import read_figure
from generator.finding import Found, find
from generator.jobs import make_job
from generator.lock import in_use
from generator.plan import Plan, at_hand, make_plan, unknown_at_once
from generator.progress import display
from generator.reading import Reading
from generator.remaking import obtained, page_of, whole
from generator.spec import BuildError, BuildErrors, Place, Post, shown
from generator.stores import store_of
from generator.themes import ours

UNNAMED = "shown"  # the id of a figure that was given none
HERE = "notebook"  # what the place of its block is called in messages
FRAME = "width: 100%; height: 32rem; border: 0"  # until the page inside says how high it is


@dataclass(frozen=True)
class Shown:
    """A figure that a notebook displays; `measures` and `arrays` are what was computed.

    page: HTML, with all that it needs in it. gaps: checkpoints that it leaves out, and why.
    """

    name: str
    kind: str
    key: str
    artifact: Artifact = field(repr=False)
    page: bytes = field(repr=False)
    gaps: tuple[str, ...] = ()

    @property
    def measures(self) -> Mapping[str, float]:
        return self.artifact.measures

    @property
    def arrays(self) -> Mapping[str, np.ndarray[Any, Any]]:
        return self.artifact.arrays

    def _repr_html_(self) -> str:
        """A frame, so that neither the notebook's styles nor the figure's reach each other."""
        title = html.escape(f"Figure {self.name}")
        return f'<iframe title="{title}" style="{FRAME}" srcdoc="{html.escape(self.page.decode())}"></iframe>'


def show(
    figure: str | None = None,
    /,
    *,
    content: str | Path | None = None,
    store: str | Path | None = None,
    **options: Any,
) -> Shown:
    """Show a figure of a report: one that it has, or one that is asked for here, as a block of a post would.

    figure: POST#ID or ID of one in the report, drafts included; or the text of a block, YAML. Without it, the
    keywords are what the block would say.
    content: the report's folder. By default the nearest one named `content` with a site.toml, beside the notebook or
    above it. store: where computed figures are kept; by default .whatfires/store beside the content, as of a build.

    BuildError, with the nearest right word, where something is asked that there is not.

        show("cells#quote-cell")
        show(kind="activation-text", model="char-lstm", layer="lstm", units=[{"index": 3}], text={"literal": "Hello"})
    """
    root = report_near(Path.cwd()) if content is None else Path(content)
    kept = store_of(root, Path(store) if store is not None else root.absolute().parent / ".whatfires" / "store")
    with in_use(kept.folder), display(sys.stderr) as shows:
        plan = make_plan(root, kept, shows, drafts=True, loading=False)
        if figure is not None and options:
            raise BuildError(f"give the figure {figure!r} or the options of one, not both")
        block = written(options) if figure is None else figure
        found = find(block, plan, shows) if "\n" not in block.strip() and ":" not in block else asked(block, plan, kept)
        job = whole(found)
        gave = obtained(found, job, kept, shows)
        gave.require([job])
        framed = (ours() / "notebook" / "framed.js").read_text("utf-8")
        page = page_of(found, job, gave, kept, shows, framed)
    name = found.spec.id if found.post.path == HERE else found.name
    return Shown(name, job.kind, job.key, gave.artifacts[job.key], page, tuple(gave.gaps([job])))


def report_near(folder: Path) -> Path:
    """The content folder of the report that a notebook in `folder` belongs to. BuildError where there is none."""
    for above in (folder, *folder.parents):
        for candidate in (above / "content", above):
            if (candidate / "site.toml").is_file():
                return candidate
    raise BuildError(f"there is no content/site.toml in {folder} or above it; say content=FOLDER, or: whatfires new")


def written(options: Mapping[str, Any]) -> str:
    """The options as a block would say them. BuildError where one is of a type that YAML has not."""
    if "kind" not in options:
        raise BuildError("say which figure, such as show('cells#quote-cell'), or its kind=…, model=… and so on")
    try:
        return yaml.safe_dump(plain(options), sort_keys=False, allow_unicode=True)
    except yaml.YAMLError as error:
        raise BuildError(f"options are text, numbers, lists and dicts: {' '.join(str(error).split())}") from error


def plain(value: Any) -> Any:
    """Of what notebooks compute with, such as numpy's numbers and tuples, what YAML writes."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Path | datetime | date):
        return str(value)
    return value


def asked(block: str, plan: Plan, store: ArtifactStore) -> Found:
    """The figure that a block asks for, on a page of its own. BuildErrors of all that is wrong with it."""
    if not any(line.startswith("id:") for line in block.splitlines()):
        block = f"{block.rstrip()}\nid: {UNNAMED}\n"
    lines = [Place(HERE, number) for number in range(len(block.splitlines()) + 1)]  # a block's fence is line 0
    reading = Reading(plan.library.root / HERE, HERE, plan.library.root, block, lines)
    read_figure(reading, block, 1)
    if reading.errors:
        raise BuildErrors(reading.errors)
    spec = at_hand(reading.figures[0], plan.library)
    post = Post(HERE, shown(plan.library.root), "", Place(HERE), figures=(spec,))
    job = make_job(spec, plan.library)
    if wrong := list(unknown_at_once(job, plan.library, store)):
        raise BuildErrors(wrong)
    return Found(replace(plan, jobs={**plan.jobs, (post.path, spec.id): job}), post, spec)
