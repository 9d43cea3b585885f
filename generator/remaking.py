"""One figure of a site made again, alone: found by its name, computed or taken from the store, and written as a file.

Its pixels are the site's: pictures are what the site's files of them decode to, and what a browser has to draw is drawn
as wide as in the figure's page.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator import downloads
from generator.alone import lone_page, quoted_by
from generator.artifact import Artifact, ArtifactStore
from generator.at_hand import AtHand
from generator.chromium import screenshot
from generator.files import write_whole
from generator.finding import Found, find, units_of
from generator.images import webp
from generator.obtained import Obtained
from generator.pipeline import obtain, train
from generator.plan import make_plan
from generator.progress import Display
from generator.spec import BuildError, Job, nearest, shown

SUFFIXES = (".png", ".webp", ".npz", ".csv", ".json", ".html")  # of the files that a figure can be written to
CONTROL = "control"  # what the control is called among the parts of a figure


@dataclass(frozen=True)
class Remade:
    """A figure, or a part of it, that was made again: what it gave, and where that was written."""

    name: str
    kind: str
    key: str
    artifact: Artifact
    files: Sequence[Path]
    gaps: Sequence[str]  # checkpoints that its page leaves out, and why


def remake(
    name: str,
    content: Path,
    store: ArtifactStore,
    display: Display,
    out: Path | None = None,
    part: str = "",
    again: bool = False,
    drafts: bool = False,
) -> Remade:
    """Make the figure called `name`, POST#ID or ID, and write it to `out`, whose suffix says as what.

    part: "control", or a checkpoint that the figure shows, in the figure's place. Nothing is computed but the figure
    and, for a page of it, the figures that its caption quotes. What is kept of it is used, and what is computed is
    kept; `again` computes it anew, and neither reads nor changes what is kept. BuildError where there is no such
    figure, or the file cannot be written.
    """
    if out is not None:
        check(out)
    page = out is not None and out.suffix == ".html"
    if part and page:
        option = "--control" if part == CONTROL else "--checkpoint"
        raise BuildError(f"{option}: a page, .html, has all parts of its figure; leave it out")
    found = find(name, make_plan(content, store, display, drafts, loading=False), display)
    job = whole(found) if page else part_of(found, part)
    gave = obtained(found, job, store, display, again)
    gave.require([job])
    gaps = gave.gaps([job])
    files = {} if out is None else contents(found, job, gave, out, store, display)
    for path, written in files.items():
        try:
            write_whole(path, written)
        except OSError as error:
            raise BuildError(f"cannot write {shown(path)}: {error.strerror or error}") from error
    return Remade(found.name, job.kind, job.key, gave.artifacts[job.key], list(files), gaps)


def whole(found: Found) -> Job:
    """All that a page shows of the figure, or says of it in the caption."""
    several = found.spec.several or found.spec.id in quoted_by(found.spec)
    return found.job if several else replace(found.job, earlier=())


def part_of(found: Found, part: str) -> Job:
    """The figure without what stands beside it, its control, or the figure at one of its checkpoints."""
    job, id, place = found.job, found.spec.id, found.spec.place
    if part == CONTROL and job.control is None:
        raise BuildError(f"figure {id} has no control; its block may ask for one: `control: random-weights`", place)
    if part == CONTROL and job.control is not None:
        return job.control
    steps = {str(one.step): one for one in job.series() if one.step is not None}
    if part and part not in steps:
        told = nearest(part, steps) if steps else "; it shows the newest alone, its block may ask for others"
        raise BuildError(f"figure {id} shows no checkpoint {part!r}{told}", place)
    return (steps[part] if part else job).alone()


def obtained(found: Found, job: Job, store: ArtifactStore, display: Display, again: bool = False) -> Obtained:
    """The artifacts of a figure, or of a part of it; `again`: computed anew, whatever the store has."""
    if not again:
        return obtain(found.plan, [job], store, display)
    with tempfile.TemporaryDirectory() as folder:
        gave = obtain(found.plan, [job], ArtifactStore(Path(folder)), display)
        near = AtHand(gave.artifacts.store, most=sys.maxsize)  # what is not in memory goes with the folder
        for key, artifact in gave.artifacts.items():
            near.add(key, artifact)
    return replace(gave, artifacts=near)


def quoted(found: Found, store: ArtifactStore, display: Display) -> Obtained:
    """The artifacts of the other figures that the caption quotes; models that it quotes are trained."""
    names = quoted_by(found.spec) - {found.spec.id}
    train(names & set(found.plan.library.models), found.plan.library, display)
    jobs = [found.plan.jobs[found.post.path, figure.id] for figure in found.post.figures if figure.id in names]
    gave = obtain(found.plan, jobs, store, display)
    gave.require(jobs)
    return gave


def check(out: Path) -> None:
    """BuildError where a file cannot be written there, told before anything is computed."""
    if out.suffix not in SUFFIXES:
        raise BuildError(
            f"--out {shown(out)}: a figure is not written as {out.suffix or 'a file without a suffix'}"
            f"{nearest(out.suffix, SUFFIXES)}"
        )
    if out.is_dir():
        raise BuildError(f"--out {shown(out)}: it is a folder; name a file in it")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise BuildError(f"--out {shown(out)}: {shown(above)} is no folder that can be written to")


def page_of(found: Found, job: Job, gave: Obtained, store: ArtifactStore, display: Display, frame: str = "") -> bytes:
    """The page of a figure alone, whose artifacts are those of `job`; for `frame`, see `lone_page`."""
    others = quoted(found, store, display)
    for key, artifact in others.artifacts.items():
        if key not in gave.artifacts:
            gave.artifacts.add(key, artifact)
    units = {unit.path for unit in units_of(found.plan, {str(found.spec.options.model)}, display)}
    jobs = {**found.plan.jobs, (found.post.path, found.spec.id): job}
    return lone_page(found.plan.site, found.post, found.spec, jobs, gave, found.plan.library.course, units, frame)


def contents(
    found: Found, job: Job, gave: Obtained, out: Path, store: ArtifactStore, display: Display
) -> dict[Path, bytes]:
    """What is to be written, by file: `out`, or beside it one file for each of several pictures."""
    artifact, suffix = gave.artifacts[job.key], out.suffix
    pictures = downloads.pictures(artifact)
    if suffix in (".png", ".webp") and pictures:
        encode = downloads.as_png if suffix == ".png" else webp
        names = downloads.file_names(out.stem, pictures, suffix)
        return {out.with_name(names[name]): encode(array) for name, array in pictures.items()}
    if suffix == ".html":
        return {out: page_of(found, job, gave, store, display)}
    if suffix == ".png":
        bare = replace(found, spec=replace(found.spec, caption="", checkpoint="newest", diff=None))
        return {out: screenshot(page_of(bare, job, gave, store, display), f'[id="{bare.spec.id}"] > .content')}
    if suffix == ".webp":
        raise BuildError(
            f"--out {shown(out)}: figure {found.spec.id} has no picture, a browser draws it; write .png or .html"
        )
    if suffix == ".json":
        about = {"page": found.post.path, "id": found.spec.id, "kind": job.kind, "key": job.key}
        return {out: downloads.as_json(artifact, **about)}
    return {out: downloads.as_csv(artifact) if suffix == ".csv" else downloads.as_npz(artifact, drawn=True)}


def lines_of(remade: Remade) -> Iterator[str]:
    """For people: what the figure is, what it can be written as, and its measures."""
    yield f"{remade.name}: {remade.kind}, key {remade.key}"
    yield from (f"  --out {written:24}{what}" for written, what in offers(remade))
    for measure, value in remade.artifact.measures.items():
        low, high = remade.artifact.intervals.get(measure, (None, None))
        yield f"{measure} = {value:g}" + ("" if low is None else f" ({low:g} to {high:g})")


def offers(remade: Remade) -> Iterator[tuple[str, str]]:
    """What the figure can be written as: (file or files, what they hold)."""
    stem = remade.name.partition("#")[2]
    pictures = downloads.pictures(remade.artifact)
    for suffix in (".png", ".webp"):
        for name, file in downloads.file_names(stem, pictures, suffix).items():
            height, width = pictures[name].shape[:2]
            yield file, f"its picture, {width} × {height} pixels"
    if not pictures:
        yield f"{stem}.png", "what a browser draws of it"
    yield f"{stem}.npz", "arrays, data and measures, for numpy.load"
    yield f"{stem}.csv", f"its {len(remade.artifact.measures)} measures"
    yield f"{stem}.json", "measures, intervals, data, and how it was made"
    yield f"{stem}.html", "a page of it alone"
