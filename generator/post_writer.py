"""Fills the holes of one post: its figures, claims and numbers, escaped.

A figure is what its kind's template prints of its artifact, in a frame that all kinds share.
"""

from __future__ import annotations

import html
import json
import posixpath
import re
import shlex
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from generator import downloads, timelines
from generator.artifact import Artifact, Course, Measures, together
from generator.claims import Verdict, judged, story
from generator.deferred import Deferred
from generator.images import Picture, is_picture, picture_name, webp
from generator.kept_pages import KeptPages
from generator.obtained import Obtained
from generator.social_card import card_name
from generator.spec import (
    TOLD,
    BuildError,
    Claim,
    FigureSpec,
    Job,
    Post,
    Site,
    called,
    nearest,
)
from generator.spilling import Files
from generator.themes import number, slug
from generator.typography import printed
from generator.unit_places import page_of_unit

if TYPE_CHECKING:
    import jinja2
    import numpy as np
else:
    jinja2 = Deferred("jinja2")

HOLE = re.compile(
    r'<div class="hole" data-(?P<block>figure|claim)="(?P<id>[\w-]+)"></div>'
    r'|<data class="hole" value="(?P<value>[^" ]+) (?P<format>[^"]*)"></data>'
    r'|<a class="hole" href="#(?P<target>[^"]+)"></a>|<a href="#(?P<late>[^"]+)" class="hole"></a>'
)
MOST_ENCODING = 64  # pictures that are encoded while pages are rendered, and held meanwhile
THUMBNAIL = 128  # pixels of the longer side, below which a picture is a blur in lists of posts


@dataclass
class Rendered:
    """The files of a site, less those pictures that were there already (`kept`), and what other tools want to know."""

    files: Files = field(default_factory=Files)
    kept: set[str] = field(default_factory=set)
    posts: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    figure_files: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    encoding: dict[str, AsyncResult[bytes]] = field(default_factory=dict)  # pictures that are not among `files` yet
    pages: int = 0
    cards: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # by path: title, site, path of the picture

    def card(self, title: str, site: Site, picture: str) -> str:
        """The path of the picture that networks show beside a link; "" where no link to it could be absolute."""
        if not site.base_url:
            return ""
        path = card_name(title, site.title, picture)
        self.cards[path] = (title, site.title, picture)
        return path

    def write(
        self, path: str, kept: KeptPages | None, template: str, context: Mapping[str, Any], render: Callable[[], bytes]
    ) -> None:
        """Render a file, or keep the one that stands there where it was made of the same."""
        made_of = kept.made_of(template, context) if kept else ""
        if kept and kept.stands(path, made_of):
            self.kept.add(path)
            return
        self.files[path] = render()
        if kept:
            kept.note(path, made_of, self.files[path])

    def place(self, folder: str, name: str, many: bool) -> str:
        """Where a file that is named by what it holds lies; one of many in a folder by the first two letters.

        Pages of units may have ten thousand such files. What a post shows keeps its place, and is not there twice.
        """
        path = f"{folder}/{name}"
        there = path in self.files or path in self.kept or path in self.encoding
        return f"{folder}/{name[:2]}/{name}" if many and not there else path

    def picture(self, array: np.ndarray[Any, Any], exists: Callable[[str], bool], many: bool) -> str:
        """The path of a picture, written only where no file of its name, which is its pixels', is there."""
        path = self.place("media", picture_name(array), many)
        if exists(path):
            self.kept.add(path)
        elif path not in self.files and path not in self.encoding:
            if len(self.encoding) >= MOST_ENCODING:
                self.collect()
            self.encoding[path] = self.encoders.apply_async(webp, (array,))
        return path

    def collect(self) -> None:
        """Wait for the pictures that are being encoded."""
        for path, encoded in self.encoding.items():
            self.files[path] = encoded.get()
        self.encoding.clear()

    @cached_property
    def encoders(self) -> ThreadPool:
        pool = ThreadPool()  # Pillow encodes beside Python
        weakref.finalize(self, pool.terminate)
        return pool

    @property
    def broken(self) -> tuple[str, ...]:
        return tuple(verdict.claim.id for verdict in self.verdicts if verdict.status == "broken")


class PostWriter:
    """Fills the holes of one post."""

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
        self.env, self.post, self.found, self.courses = env, post, found, courses
        self.rendered, self.errors, self.exists = rendered, errors, exists
        self.pages = pages  # of units
        self.many = post.path in pages  # whether it is one of them
        self.figures = {figure.id: figure for figure in post.figures}
        self.numbers = {figure.id: number for number, figure in enumerate(post.figures, 1)}
        self.claims = {claim.id: claim for claim in post.claims}
        self.jobs = {id: jobs[post.path, id] for id in self.figures}
        self.illustrations: dict[str, list[Picture]] = {}  # by figure, in the order of the post
        self.together: dict[str, Measures] = {}  # what each figure or model that is quoted measures

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
        return HOLE.sub(self.fill, text)

    def fill(self, match: re.Match[str]) -> str:
        if match["block"] == "figure":
            return self.figure(self.figures[match["id"]])
        if match["block"] == "claim":
            return self.claim(self.claims[match["id"]])
        if match["value"]:
            return self.value(match["value"], match["format"])
        target = html.unescape(match["target"] or match["late"])
        name = (
            f"Figure {self.numbers[target]}"
            if target in self.numbers
            else "the claim"
            if target in self.claims
            else target
        )
        return f'<a class="reference" href="#{html.escape(target)}">{html.escape(name)}</a>'

    def figure(self, spec: FigureSpec) -> str:
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
        quoted = [one.measure for one in self.post.values if one.figure == spec.id]
        quoted += [one.expect.measure for one in self.post.claims if one.figure == spec.id]
        taken = [measures for _, measures in self.found.course(job)]
        try:
            lines = timelines.lines(taken, spec.measures, quoted) if spec.measures or not spec.diff else []
        except ValueError as error:
            self.errors.append(BuildError(f"figure {spec.id}: {error}", spec.at("measures")))
            lines = []
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
        """Pictures of the artifact."""
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

    def measures(self, name: str) -> Measures:
        """A figure's or a model's, those at several checkpoints also as NAME@STEP."""
        if name not in self.together:
            self.together[name] = together(self.course(name))
        return self.together[name]

    def course(self, name: str) -> Course:
        return self.found.course(self.jobs[name]) if name in self.jobs else self.courses(name)

    def left_out(self, name: str, measure: str) -> str:
        """Why a measure at a step is not there, "" where it is not for its checkpoint."""
        return self.measures(name).left_out.get(measure.partition("@")[2], "")

    def described(self) -> str:
        """The post's description as plain text, its values filled in."""
        return TOLD.sub(
            lambda match: self.number(match["figure"], match["measure"], match["format"] or "")[1],
            printed(self.post.description),
        )

    def value(self, name: str, format: str) -> str:
        figure, _, measure = html.unescape(name).partition(".")
        number, shown = self.number(figure, measure, format)
        if number is None:
            why = html.escape(self.measures(figure).failure)
            return shown and f'<span class="value unknown" title="{why}">{shown}</span>'
        title = html.escape(html.unescape(name))
        return f'<data class="value" value="{number:.6g}" title="{title}">{html.escape(shown)}</data>'

    def number(self, figure: str, measure: str, format: str) -> tuple[float | None, str]:
        """A measure, and how the prose shows it; None, with an error noted, where there is none of this name.

        None and a question mark, where its figure failed.
        """
        place = next(one.place for one in self.post.values if (one.figure, one.measure) == (figure, measure))
        measures = self.measures(figure)
        if measure not in measures.values:
            if measures.failure:
                return None, "?"
            why = self.left_out(figure, measure)
            hint = f"; that checkpoint is left out: {why}" if why else nearest(measure, measures.values)
            self.errors.append(BuildError(f"{figure} has no measure {measure!r}{hint}", place))
            return None, ""
        value, interval = float(measures.values[measure]), measures.intervals.get(measure)
        if "±" in format and interval is None:
            known = nearest(measure, measures.intervals)
            self.errors.append(BuildError(f"{figure}.{measure} has no interval to write after ±{known}", place))
            return None, ""
        return value, written(value, format, interval)

    def claim(self, claim: Claim) -> str:
        verdict = judged(claim, self.post.path, self.course(claim.figure))
        now = verdict.now
        excused = self.measures(claim.figure).failure or self.left_out(claim.figure, claim.expect.measure)
        if now.value is None and not excused:
            self.errors.append(BuildError(f"claim {claim.id}: {now.reason}", claim.place))
        if claim.by_interval and now.value is not None and now.interval is None:
            self.errors.append(BuildError(f"claim {claim.id}: {now.reason}, so give `judge: value`", claim.place))
        self.rendered.verdicts.append(verdict)
        return self.env.get_template("claim.html").render(claim=told(verdict))


def leading(sizes: Iterable[tuple[int, ...]]) -> int:
    """Which of pictures, (height, width), stands for all: the first that is not too small for that, else the first.

    >>> leading([(64, 64), (96, 200), (300, 300)]), leading([(64, 64), (32, 96)])
    (1, 0)
    """
    return next((number for number, size in enumerate(sizes) if max(size) >= THUMBNAIL), 0)


def written(value: float, format: str, interval: tuple[float, float] | None = None) -> str:
    """A measure as prose shows it: whole numbers whole, others to three digits, or as `format` says.

    With ± in the format, also how far the farther end of its interval is off.

    >>> written(0.98123, ""), written(768, ""), written(0.052, ".0%"), written(12.0, "d")
    ('0.981', '768', '5%', '12')
    >>> written(0.98123, ".2f±", (0.95, 0.99))
    '0.98 ± 0.03'
    """
    if "±" in format and interval is not None:
        format, off = format.replace("±", ""), max(value - interval[0], interval[1] - value)
        return f"{written(value, format)} ± {written(off, format.strip('+,') or '.2g')}"
    if format.endswith("d"):
        return number(format, round(value))
    if format:
        return number(format, value)
    return number("d", int(value)) if float(value).is_integer() and abs(value) < 1e15 else number(".3g", value)


def told(verdict: Verdict) -> dict[str, Any]:
    """A claim as templates print it."""
    claim, now = verdict.claim, verdict.now

    def shown(value: float | None, interval: tuple[float, float] | None) -> str:
        ends = "" if interval is None else f" ({number('.4g', interval[0])} to {number('.4g', interval[1])})"
        return "" if value is None else number(".4g", value) + ends

    return {
        "id": claim.id,
        "page": verdict.page,
        "text": claim.text,
        "expect": claim.expected,
        "by_interval": claim.by_interval,
        "value": shown(now.value, now.interval),
        "status": verdict.status,
        "reason": now.reason,
        "story": story(verdict.history) if verdict.history else "",
        "history": [
            {
                "step": called(one.step),
                "status": one.status,
                "value": shown(one.value, one.interval),
                "reason": one.reason,
            }
            for one in verdict.history
        ],
    }


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
