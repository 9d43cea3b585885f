"""Fills the holes of one post: its figures, claims and numbers, escaped.

A figure is what its kind's template prints of its artifact, in a frame that all kinds share.
"""

from __future__ import annotations

import html
import json
import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from generator import downloads, timelines
from generator.artifact import Artifact, Course
from generator.deferred import Deferred
from generator.holes import HOLE
from generator.images import Picture, is_picture
from generator.obtained import Obtained
from generator.quotes import Quotes, told
from generator.rendered import Rendered
from generator.slugs import slug
from generator.spec import BuildError, Claim, FigureSpec, Job, Post, called
from generator.unit_places import page_of_unit

if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = Deferred("jinja2")

TAG = re.compile("<[^>]+>")
THUMBNAIL = 128  # pixels of the longer side, below which a picture is a blur in lists of posts


class PostWriter:
    """Fills the holes of one post.

    exists: whether the folder of the site has a file already. pages: the paths of pages of units.
    """

    def __init__(
        self,
        env: jinja2.Environment,
        post: Post,
        jobs: Mapping[tuple[str, str], Job],
        found: Obtained,
        courses: Callable[[str], Course],
        rendered: Rendered,
        errors: list[BuildError],
        exists: Callable[[str], bool],
        pages: Set[str],
    ) -> None:
        self.env, self.post, self.found = env, post, found
        self.rendered, self.errors, self.exists = rendered, errors, exists
        self.pages = pages
        self.many = post.path in pages  # whether it is one of those of units
        self.figures = {figure.id: figure for figure in post.figures}
        self.numbers = {figure.id: number for number, figure in enumerate(post.figures, 1)}
        self.claims = {claim.id: claim for claim in post.claims}
        self.jobs = {id: jobs[post.path, id] for id in self.figures}
        self.quotes = Quotes(post, self.jobs, found, courses, errors)
        self.illustrations: dict[str, list[Picture]] = {}  # by figure, in the order of the post

    def thumbnail(self) -> dict[str, Any] | None:
        """What stands for the post in lists: a picture of the figure that its author chose, or else of any figure.

        The first that is not too small for that, else the first.
        """
        every = [picture for pictures in self.illustrations.values() for picture in pictures]
        chosen = self.illustrations.get(self.post.picture) or every
        for picture in chosen[leading((one.height, one.width) for one in chosen) :][:1]:
            url = posixpath.normpath(posixpath.join(posixpath.dirname(self.post.path), picture.url))
            return {"url": url, "width": picture.width, "height": picture.height}
        return None

    def filled(self, text: str) -> str:
        """Some of the post's HTML with its holes filled. What is wrong is appended to `errors`."""
        return HOLE.sub(self.fill, text)

    def words(self) -> str:
        """The text of the body, with its numbers and references: for those who search it."""
        return html.unescape(HOLE.sub(lambda match: TAG.sub("", self.fill(match)), self.post.text))

    def fill(self, match: re.Match[str]) -> str:
        """What goes into one hole, HTML."""
        if match["block"] == "figure":
            return self.figure(self.figures[match["id"]])
        if match["block"] == "claim":
            return self.claim(self.claims[match["id"]])
        if match["value"]:
            return self.value(match["value"], match["format"])
        target = html.unescape(match["target"] or match["late"])
        name = f"Figure {self.numbers[target]}" if target in self.numbers else target
        name = "the claim" if target in self.claims else name
        return f'<a class="reference" href="#{html.escape(target)}">{html.escape(name)}</a>'

    def figure(self, spec: FigureSpec) -> str:
        """A figure in its frame, with its timeline and its control."""
        job, number = self.jobs[spec.id], str(self.numbers[spec.id])
        content, pictures = self.content(spec, job, spec.id, number)
        self.illustrations[spec.id] = list(pictures.values())
        course = self.timeline(spec, job, content, number) if self.is_timeline(spec) else None
        control = None
        if job.control:
            # No author can write an id with a dot, so what has an id in the control has one of its own.
            inside, drawn = self.content(spec, job.control, f"{spec.id}.control", f"{number}, control")
            made = provenance(self.found.account(job.control), job.control)
            control = {
                "content": inside,
                "key": job.control.key,
                "provenance": made,
                "downloads": self.to_take_away(spec, job.control, f"{spec.id}-control", drawn),
            }
        return self.env.get_template("figure.html").render(
            figure={
                "id": spec.id,
                "number": number,
                "kind": spec.kind,
                "key": job.key,
                "layout": spec.layout,
                "caption": Markup(self.filled(spec.caption)),  # noqa: S704  (the author's Markdown)
                "absent": spec.absent,
                "yaml": spec.source.strip("\n"),
                "command": f"whatfires figure {shlex.quote(self.post.path)}#{spec.id} --out {spec.id}.png",
                "step": called(job.step) if job.step is not None else "",
                "failed": job.key in self.found.failed,
                "provenance": provenance(self.found.account(job), job),
                "downloads": self.to_take_away(spec, job, spec.id, pictures),
            },
            content=content,
            course=course,
            control=control,
        )

    def is_timeline(self, spec: FigureSpec) -> bool:
        """Whether a figure is shown at several checkpoints: as it asks, and as its model has some."""
        return spec.several and self.jobs[spec.id].step is not None

    def timeline(self, spec: FigureSpec, job: Job, content: Markup, number: str) -> dict[str, Any]:
        """What a timeline shows: the figure at each checkpoint, and lines of its measures over them."""
        steps: list[dict[str, Any]] = []
        offered: list[tuple[str, list[tuple[str, str, str]]]] = []
        for place, one in enumerate(job.earlier):
            told = {"name": called(one.step), "gap": "", "content": ""}
            if one.key in self.found.artifacts:
                told["content"], drawn = self.content(spec, one, f"{spec.id}.{place}", f"{number}, {told['name']}")
                offered.append((told["name"], self.to_take_away(spec, one, f"{spec.id}-{slug(str(one.step))}", drawn)))
            else:
                told["gap"] = self.found.why(one)
            steps.append(told)
        steps.append({"name": called(job.step), "gap": "", "content": content})
        taken = [measures for _, measures in self.found.course(job)]
        lines: list[dict[str, Any]] = []
        try:
            if spec.measures or not spec.diff:
                lines = timelines.lines(taken, spec.measures, self.quotes.quoted(spec.id))
        except ValueError as error:
            self.errors.append(BuildError(f"figure {spec.id}: {error}", spec.at("measures")))
        changes = None
        if job.changes:
            other = replace(spec, kind=job.changes.kind, options=job.changes.options)
            changes, drawn = self.content(other, job.changes, f"{spec.id}.changes", f"{number}, changes")
            offered.append(("changes", self.to_take_away(spec, job.changes, f"{spec.id}-changes", drawn)))
        return {
            "steps": steps,
            "lines": lines,
            "side_by_side": spec.diff is not None,
            "changes": changes,
            "downloads": offered,
        }

    def content(self, spec: FigureSpec, job: Job, id: str, number: str) -> tuple[Markup, dict[str, Picture]]:
        """What a kind's template prints of a job's artifact, and the pictures in it; or why there is none."""
        if job.key in self.found.failed:
            text = self.env.get_template("failure.html").render(why=self.found.why(job))
            return Markup(text), {}  # noqa: S704  (rendered with autoescape)
        artifact = self.found.artifacts[job.key]
        pictures = dict(self.pictures(spec, artifact))
        shown = {"id": id, "number": number, "kind": spec.kind, "key": job.key, "layout": spec.layout}
        try:
            template = self.env.get_template(f"figures/{spec.kind}.html")
        except jinja2.TemplateNotFound as error:
            raise BuildError(f"the theme has no figures/{spec.kind}.html", spec.place) from error
        text = template.render(
            figure=shown,
            data=artifact.data,
            measures=artifact.measures,
            pictures=pictures,
            unit_url=lambda layer, unit: self.unit_url(spec, layer, unit),
        )
        return Markup(text), pictures  # noqa: S704  (rendered with autoescape just now)

    def unit_url(self, spec: FigureSpec, layer: str, unit: int) -> str:
        """Where the page of a unit of the figure's model is; "" where it has none, or is this one."""
        path = page_of_unit(spec.options.model or "", layer, unit)
        return "../" * self.post.path.count("/") + path if path in self.pages and path != self.post.path else ""

    def pictures(self, spec: FigureSpec, artifact: Artifact) -> Iterator[tuple[str, Picture]]:
        """The pictures of an artifact, by the names of its arrays, each written where it is not there yet."""
        files = self.rendered.figure_files.setdefault((self.post.path, spec.id), [])
        for name, array in artifact.arrays.items():
            if not is_picture(array):
                continue
            path = self.rendered.picture(array, self.exists, self.many)
            files.append(path)
            yield name, Picture("../" * self.post.path.count("/") + path, array.shape[1], array.shape[0])

    def to_take_away(
        self, spec: FigureSpec, job: Job, stem: str, pictures: Mapping[str, Picture]
    ) -> list[tuple[str, str, str]]:
        """What a reader can take away, (what it is, where it lies, the name to save it under): pictures, then data.

        The data are written out each time, for an artifact that was computed again may differ in its last digits.
        """
        if job.key in self.found.failed:
            return []
        path = self.rendered.place(downloads.FOLDER, f"{job.key}.npz", self.many)
        if path not in self.rendered.files:
            self.rendered.files[path] = downloads.as_npz(self.found.artifacts[job.key], drawn=False)
        self.rendered.figure_files.setdefault((self.post.path, spec.id), []).append(path)
        names = downloads.file_names(stem, pictures, ".webp")
        rows = [(name, pictures[name].url, file) for name, file in names.items()]
        return [*rows, ("data", "../" * self.post.path.count("/") + path, f"{stem}.npz")]

    def value(self, name: str, format: str) -> str:
        """A number in the prose: `name` is FIGURE.MEASURE, as the hole has it."""
        figure, _, measure = html.unescape(name).partition(".")
        number, shown = self.quotes.number(figure, measure, format)
        if number is None:
            why = html.escape(self.quotes.measures(figure).failure)
            return shown and f'<span class="value unknown" title="{why}">{shown}</span>'
        title = html.escape(html.unescape(name))
        return f'<data class="value" value="{number:.6g}" title="{title}">{html.escape(shown)}</data>'

    def claim(self, claim: Claim) -> str:
        """A claim and its verdict, which is noted for the page of all claims."""
        verdict = self.quotes.verdict(claim)
        self.rendered.verdicts.append(verdict)
        return self.env.get_template("claim.html").render(claim=told(verdict))


def leading(sizes: Iterable[tuple[int, ...]]) -> int:
    """Which of pictures, (height, width), stands for all: the first that is not too small for that, else the first.

    >>> leading([(64, 64), (96, 200), (300, 300)]), leading([(64, 64), (32, 96)])
    (1, 0)
    """
    return next((number for number, size in enumerate(sizes) if max(size) >= THUMBNAIL), 0)


def provenance(artifact: Artifact, job: Job) -> list[tuple[str, str]]:
    """What the artifact was made of and by, as rows of a name and a value."""
    made = artifact.provenance
    ingredients = made.get("ingredients", {})
    model = ingredients.get("model", {})
    rows = {
        "computed on": made.get("device", ""),
        "threads": str(made.get("threads", "")),
        "seed": str(job.options.seed),
        "weights": "" if job.random is None else f"random, of seed {job.random}",
        "checkpoint": model.get("checkpoint", ""),
        "model": in_a_line(json.dumps(model.get("settings", {}))) if model else "",
        "data": ", ".join(row["digest"][:16] for row in ingredients.get("data", {}).values()),
        "code": ingredients.get("code", "")[:16],
        "versions": ", ".join(f"{name} {version}" for name, version in ingredients.get("versions", {}).items()),
    }
    return [(name, value) for name, value in rows.items() if value]


@cache
def in_a_line(settings: str) -> str:
    """Settings, as JSON, as one line of YAML: the same for all figures of a model, of which there may be thousands."""
    return str(yaml.safe_dump(json.loads(settings), default_flow_style=True, width=10_000)).strip()
