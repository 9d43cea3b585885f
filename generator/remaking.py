"""One figure of a site made again, alone: found by its name, computed or taken from the store, and written as a file.

Its pixels are the site's: pictures are what the site's files of them decode to, and what a browser has to draw is drawn
as wide as in the figure's page.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator import downloads
from generator.alone import lone_page, quoted_by
from generator.artifact import Artifact, ArtifactStore, write_whole
from generator.chromium import screenshot
from generator.finding import Found, find, units_of
from generator.images import webp
from generator.pipeline import obtain, train
from generator.plan import make_plan
from generator.progress import Display
from generator.spec import BuildError, Job, nearest, shown

SUFFIXES = (".png", ".webp", ".npz", ".csv", ".json", ".html")  # of the files that a figure can be written to
DRAWN_IN = (".png", ".html")  # those that show what a browser draws


@dataclass(frozen=True)
class Remade:
    """A figure, or its control, that was made again: what it gave, and where that was written."""

    name: str
    kind: str
    key: str
    artifact: Artifact
    files: Sequence[Path]


def remake(
    name: str,
    content: Path,
    store: ArtifactStore,
    display: Display,
    out: Path | None = None,
    control: bool = False,
    again: bool = False,
    drafts: bool = False,
) -> Remade:
    """Make the figure called `name`, POST#ID or ID, and write it to `out`, whose suffix says as what.

    Nothing is computed but the figure and, for a page of it, the figures that its caption quotes. What is kept of it is
    used, and what is computed is kept; `again` computes it anew, and neither reads nor changes what is kept.
    BuildError where there is no such figure, or the file cannot be written.
    """
    if out is not None:
        check(out)
    found = find(name, make_plan(content, store, display, drafts, names=False), display)
    job = found.job
    page = out is not None and out.suffix == ".html"
    if control and job.control is None:
        raise BuildError(
            f"figure {found.spec.id} has no control; its block may ask for one: `control: random-weights`",
            found.spec.place,
        )
    if control and page:
        raise BuildError("--control: the page of a figure shows its control, too; leave it out")
    if not page:
        job = (job.control if control else None) or replace(job, control=None)
    with tempfile.TemporaryDirectory() as folder:
        artifacts, _ = obtain(found.plan, [job], ArtifactStore(Path(folder)) if again else store, display)
    if page:
        artifacts = {**quoted(found, store, display), **artifacts}
    artifact = artifacts[job.key]
    files = {} if out is None else contents(found, job, artifacts, out, display)
    for path, written in files.items():
        try:
            write_whole(path, written)
        except OSError as error:
            raise BuildError(f"cannot write {shown(path)}: {error.strerror or error}") from error
    return Remade(found.name, job.kind, job.key, artifact, list(files))


def quoted(found: Found, store: ArtifactStore, display: Display) -> dict[str, Artifact]:
    """The artifacts of the other figures that the caption quotes; models that it quotes are trained."""
    names = quoted_by(found.spec) - {found.spec.id}
    train(names & set(found.plan.library.models), found.plan.library, display)
    jobs = [found.plan.jobs[found.post.path, figure.id] for figure in found.post.figures if figure.id in names]
    return obtain(found.plan, jobs, store, display)[0]


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


def contents(
    found: Found, job: Job, artifacts: Mapping[str, Artifact], out: Path, display: Display
) -> dict[Path, bytes]:
    """What is to be written, by file: `out`, or beside it one file for each of several pictures."""
    artifact, suffix = artifacts[job.key], out.suffix
    pictures = downloads.pictures(artifact)
    if suffix in (".png", ".webp") and pictures:
        encode = downloads.as_png if suffix == ".png" else webp
        names = downloads.file_names(out.stem, pictures, suffix)
        return {out.with_name(names[name]): encode(array) for name, array in pictures.items()}
    if suffix in DRAWN_IN:
        units = {unit.path for unit in units_of(found.plan, {str(found.spec.options.model)}, display)}
        spec = found.spec if suffix == ".html" else replace(found.spec, caption="")
        jobs = {**found.plan.jobs, (found.post.path, spec.id): job}
        measures = found.plan.library.measures
        page = lone_page(found.plan.site, found.post, spec, jobs, artifacts, measures, units)
        return {out: page if suffix == ".html" else screenshot(page, f'[id="{spec.id}"] > .content')}
    if suffix == ".webp":
        raise BuildError(
            f"--out {shown(out)}: figure {found.spec.id} has no picture, a browser draws it; write .png or .html"
        )
    if suffix == ".json":
        about = {"page": found.post.path, "id": found.spec.id, "kind": job.kind, "key": job.key}
        return {out: downloads.as_json(artifact, **about)}
    return {out: downloads.as_csv(artifact) if suffix == ".csv" else downloads.as_npz(artifact, drawn=True)}


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
