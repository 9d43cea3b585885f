"""Posts and artifacts -> pages. Everything that comes from data is escaped here, and nothing is computed.

A theme is a folder of page templates; one in site.toml is searched before the default one.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from generator import __version__, downloads, timelines
from generator.artifact import Artifact, Course, Measures, together
from generator.claims import Verdict, judged, story
from generator.deferred import Deferred
from generator.followed import Followed, followed
from generator.images import Picture, is_picture, picture_name, webp
from generator.obtained import Obtained
from generator.spec import (
    TOLD,
    UNIT_PAGES,
    BuildError,
    BuildErrors,
    Claim,
    FigureSpec,
    Job,
    Post,
    UnitPage,
    called,
    nearest,
    unit_folder,
)

if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = Deferred("jinja2")  # a build in which nothing changed renders nothing

HOLE = re.compile(
    r'<div class="hole" data-(?P<block>figure|claim)="(?P<id>[\w-]+)"></div>'
    r'|<data class="hole" value="(?P<value>[^" ]+) (?P<format>[^"]*)"></data>'
    r'|<a class="hole" href="#(?P<target>[^"]+)"></a>|<a href="#(?P<late>[^"]+)" class="hole"></a>'
)
WORDS_PER_MINUTE = 230
GENERATED = ("index.html", "tags.html", "claims.html")  # pages that no author writes
THUMBNAIL = 128  # pixels of the longer side, below which a picture is a blur in lists of posts


@dataclass(frozen=True)
class Site:
    """What every page knows of its site."""

    title: str
    description: str
    author: str
    base_url: str
    language: str
    theme: str = ""


@dataclass
class Rendered:
    """The files of a site, less those pictures that were there already (`kept`), and what other tools want to know."""

    files: dict[str, bytes] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    posts: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    figure_files: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    pages: int = 0

    @property
    def broken(self) -> tuple[str, ...]:
        return tuple(verdict.claim.id for verdict in self.verdicts if verdict.status == "broken")


def theme_folders(theme: str) -> list[str]:
    """Where page templates are looked for: the author's theme, then ours, in a checkout or in the package."""
    ours = [Path(__file__).parent / "theme", Path(__file__).parent.parent / "templates"]
    return [*([theme] if theme else []), str(next(folder for folder in ours if folder.is_dir()))]


@cache
def environment(theme: str) -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(theme_folders(theme)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.globals["number"] = number
    return env


def render_site(
    site: Site,
    posts: Sequence[Post],
    jobs: Mapping[tuple[str, str], Job],
    found: Obtained,
    courses: Callable[[str], Course],
    exists: Callable[[str], bool],
    units: Sequence[UnitPage] = (),
) -> Rendered:
    """All files of the site. BuildErrors where prose or a claim names a measure that its figure does not have."""
    rendered = Rendered()
    env = environment(site.theme)
    errors: list[BuildError] = []
    dated = sorted((post for post in posts if post.date), key=lambda post: (post.date, post.path), reverse=True)
    nav = [
        {"title": post.title, "path": post.path} for post in sorted(posts, key=lambda post: post.path) if not post.date
    ]
    if units:
        nav.insert(0, {"title": "Units", "path": f"{UNIT_PAGES}/index.html"})
    pages = {unit.path for unit in units}
    if any(post.claims for post in posts):
        nav.append({"title": "Claims", "path": "claims.html"})

    def writer_of(post: Post) -> PostWriter:
        return PostWriter(env, post, jobs, found, courses, rendered, errors, exists, pages)

    def emit(path: str, template: str, **context: Any) -> None:
        root = "../" * path.count("/")
        text = env.get_template(template).render(
            site=site, root=root, nav=nav, generator_version=__version__, **context
        )
        rendered.files[path] = text.encode()
        rendered.pages += 1

    for post in posts:
        writer = writer_of(post)
        body = Markup(writer.filled(post.body))  # the author's own HTML, holes filled with escaped text
        words = len(re.sub(r"<[^>]+>", " ", post.body).split())
        summary = {
            "title": post.title,
            "path": post.path,
            "date": post.date,
            "description": writer.described(),
            "authors": list(post.authors) or ([site.author] if site.author else []),
            "tags": [{"name": tag, "path": tag_path(tag)} for tag in post.tags],
            "picture": writer.thumbnail(),
        }
        contents = Markup(writer.filled(post.contents))  # the text of headings, holes filled with escaped text
        minutes = max(1, round(words / WORDS_PER_MINUTE)) if post.date else None
        emit(post.path, "post.html", page={**summary, "contents": contents, "body": body, "minutes": minutes})
        if post.date:
            rendered.posts.append({**summary, "body": body})
    if errors:
        raise BuildErrors(errors)
    rendered.posts.sort(key=lambda one: [post.path for post in dated].index(one["path"]))
    emit(
        "index.html",
        "index.html",
        posts=rendered.posts,
        page={"title": site.title, "path": "index.html", "description": site.description},
    )
    tags = sorted({tag for post in dated for tag in post.tags})
    page = {"title": "Tags", "path": "tags.html", "description": f"All tags of {site.title}"}
    counts = {tag: sum(tag in post.tags for post in dated) for tag in tags}
    rows = [{"name": tag, "path": tag_path(tag), "count": count} for tag, count in counts.items()]
    emit("tags.html", "tags.html", tags=rows, page=page)
    for tag in tags:
        tagged = [one for one in rendered.posts if {"name": tag, "path": tag_path(tag)} in one["tags"]]
        page = {"title": f"Posts about {tag}", "path": tag_path(tag), "description": ""}
        emit(tag_path(tag), "tag.html", tag={"name": tag}, posts=tagged, page=page)
    if rendered.verdicts:
        page = {"title": "Claims", "path": "claims.html", "description": f"Every claim of {site.title}, and its state"}
        titles = {post.path: post.title for post in posts}
        emit("claims.html", "claims.html", claims=list(map(told, rendered.verdicts)), titles=titles, page=page)
    write_units(units, followed(posts, jobs, found.artifacts), writer_of, emit)
    rendered.files |= assets(site.theme)
    return rendered


def write_units(
    units: Sequence[UnitPage],
    known: Mapping[tuple[str, str, int], Followed],
    writer_of: Callable[[Post], PostWriter],
    emit: Callable[..., None],
) -> None:
    """The page of each unit, and lists of those of a layer, of a model, and of all."""
    listed: dict[str, dict[str, list[dict[str, Any]]]] = {}  # by model, then layer
    for number, unit in enumerate(units):
        post = Post(unit.path, unit_title(unit), "", unit.figure.place, figures=(unit.figure,))
        writer = writer_of(post)
        figure = Markup(writer.figure(unit.figure))  # rendered with autoescape
        beside = [
            units[other] if 0 <= other < len(units) and units[other].layer == unit.layer else None
            for other in (number - 1, number + 1)
        ]
        page = {"title": post.title, "path": unit.path, "description": ""}
        folders = {"model": unit_folder(unit.model), "layer": unit_folder(unit.model, unit.layer)}
        follows = known.get((unit.model, unit.layer, unit.unit))
        context = {"unit": unit, "figure": figure, "follows": follows, "beside": beside, "folders": folders}
        emit(unit.path, "unit.html", page=page, **context)
        data = writer.found.artifacts[writer.jobs[unit.figure.id].key].data
        row = {
            "unit": unit,
            "follows": follows,
            "picture": writer.thumbnail(),
            "histogram": data.get("histogram"),
            "labels": [one["label"] for one in data.get("labels", [])],
        }
        listed.setdefault(unit.model, {}).setdefault(unit.layer, []).append(row)
    models = []
    for model, layers in listed.items():
        groups = [
            {"name": layer, "path": f"{unit_folder(model, layer)}/index.html", "rows": rows}
            for layer, rows in layers.items()
        ]
        models.append({"name": model, "path": f"{unit_folder(model)}/index.html", "layers": groups})
        for chosen in (None, *layers):
            path = f"{unit_folder(model, chosen or '')}/index.html"
            title = f"Units of {model}" + (f", layer {chosen}" if chosen else "")
            page = {"title": title, "path": path, "description": ""}
            own = [group for group in groups if chosen in (None, group["name"])]
            emit(path, "units.html", page=page, model=model, layer=chosen, groups=own, folder=unit_folder(model))
    if models:
        path = f"{UNIT_PAGES}/index.html"
        emit(path, "models.html", page={"title": "Units", "path": path, "description": ""}, models=models)


def unit_title(unit: UnitPage) -> str:
    return f"{unit.label[:1].upper()}{unit.label[1:]} of {unit.layer} in {unit.model}"


def tag_path(tag: str) -> str:
    return f"tags/{slug(tag)}.html"


def slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens; a hex spelling where nothing of the text is ASCII.

    >>> slug("Image models"), slug("日")
    ('image-models', '65e5')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "-".join(f"{ord(one):x}" for one in text)


def assets(theme: str) -> dict[str, bytes]:
    """One style sheet and one script: the theme's own, then those of the kinds, by name. And the icon of all pages."""
    found: dict[str, bytes] = {}
    for suffix in ("css", "js"):
        parts: dict[str, str] = {}
        for folder in reversed(theme_folders(theme)):
            paths = [Path(folder) / f"theme.{suffix}", *sorted((Path(folder) / "figures").glob(f"*.{suffix}"))]
            parts |= {path.name: path.read_text("utf-8") for path in paths if path.exists()}
        found[f"assets/theme.{suffix}"] = "\n".join(parts.values()).encode()
    icons = (Path(folder) / "icon.svg" for folder in theme_folders(theme))
    found["assets/icon.svg"] = next(icon for icon in icons if icon.exists()).read_bytes()
    return found


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
        self.figures = {figure.id: figure for figure in post.figures}
        self.numbers = {figure.id: number for number, figure in enumerate(post.figures, 1)}
        self.claims = {claim.id: claim for claim in post.claims}
        self.jobs = {id: jobs[post.path, id] for id in self.figures}
        self.illustrations: dict[str, list[Picture]] = {}  # by figure, in the order of the post

    def thumbnail(self) -> dict[str, Any] | None:
        """What stands for the post in lists: a picture of the figure that its author chose, or else of any figure.

        The first that is not too small for that, else the first.
        """
        every = [picture for pictures in self.illustrations.values() for picture in pictures]
        chosen = self.illustrations.get(self.post.picture) or every
        large = [one for one in chosen if max(one.width, one.height) >= THUMBNAIL]
        for picture in (large or chosen)[:1]:
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
        course = self.timeline(spec, job, content, number) if spec.several else None
        control = None
        if job.control:
            # No author can write an id with a dot, so what has an id in the control has one of its own.
            inside, drawn = self.content(spec, job.control, f"{spec.id}.control", f"{number}, control")
            made = provenance(self.found.artifacts[job.control.key], job.control)
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
                "wide": spec.wide,
                "caption": Markup(self.filled(spec.caption)),  # the author's Markdown
                "absent": spec.absent,
                "yaml": spec.source.strip("\n"),
                "command": f"whatfires figure {self.post.path}#{spec.id} --out {spec.id}.png",
                "step": called(job.step) if job.step is not None else "",
                "provenance": provenance(self.found.artifacts[job.key], job),
                "downloads": self.to_take_away(spec, job, spec.id, pictures),
            },
            content=content,
            course=course,
            control=control,
        )

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
        """What a kind's template prints of a job's artifact, and the pictures in it."""
        artifact = self.found.artifacts[job.key]
        pictures = dict(self.pictures(spec, artifact))
        shown = {"id": id, "number": number, "kind": spec.kind, "key": job.key, "wide": spec.wide}
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
        return Markup(text), pictures  # rendered with autoescape just now

    def unit_url(self, spec: FigureSpec, layer: str, unit: int) -> str:
        """Where the page of a unit of the figure's model is; "" where it has none, or is this one."""
        path = f"{unit_folder(spec.options.model or '', layer, unit)}/index.html"
        return "../" * self.post.path.count("/") + path if path in self.pages and path != self.post.path else ""

    def pictures(self, spec: FigureSpec, artifact: Artifact) -> Iterator[tuple[str, Picture]]:
        """Pictures of the artifact, written only where no file of their name, which is their pixels', is there."""
        files = self.rendered.figure_files.setdefault((self.post.path, spec.id), [])
        for name, array in artifact.arrays.items():
            if not is_picture(array):
                continue
            path = f"media/{picture_name(array)}"
            files.append(path)
            if self.exists(path):
                self.rendered.kept.add(path)
            elif path not in self.rendered.files:
                self.rendered.files[path] = webp(array)
            yield name, Picture("../" * self.post.path.count("/") + path, array.shape[1], array.shape[0])

    def to_take_away(
        self, spec: FigureSpec, job: Job, stem: str, pictures: Mapping[str, Picture]
    ) -> list[tuple[str, str, str]]:
        """What a reader can take away, (what it is, where it lies, the name to save it under): pictures, then data.

        The data are written out each time, for an artifact that was computed again may differ in its last digits.
        """
        path = f"{downloads.FOLDER}/{job.key}.npz"
        if path not in self.rendered.files:
            self.rendered.files[path] = downloads.as_npz(self.found.artifacts[job.key], drawn=False)
        self.rendered.figure_files.setdefault((self.post.path, spec.id), []).append(path)
        names = downloads.file_names(stem, pictures, ".webp")
        rows = [(name, pictures[name].url, file) for name, file in names.items()]
        return [*rows, ("data", "../" * self.post.path.count("/") + path, f"{stem}.npz")]

    def measures(self, name: str) -> Measures:
        """A figure's or a model's, those at several checkpoints also as NAME@STEP."""
        return together(self.course(name))

    def course(self, name: str) -> Course:
        return self.found.course(self.jobs[name]) if name in self.jobs else self.courses(name)

    def described(self) -> str:
        """The post's description as plain text, its values filled in."""
        return TOLD.sub(
            lambda match: self.number(match["figure"], match["measure"], match["format"] or "")[1],
            self.post.description,
        )

    def value(self, name: str, format: str) -> str:
        figure, _, measure = html.unescape(name).partition(".")
        number, shown = self.number(figure, measure, format)
        if number is None:
            return ""
        title = html.escape(html.unescape(name))
        return f'<data class="value" value="{number:.6g}" title="{title}">{html.escape(shown)}</data>'

    def number(self, figure: str, measure: str, format: str) -> tuple[float | None, str]:
        """A measure, and how the prose shows it; None, with an error noted, where there is none of this name."""
        place = next(one.place for one in self.post.values if (one.figure, one.measure) == (figure, measure))
        measures = self.measures(figure)
        if measure not in measures.values:
            hint = nearest(measure, measures.values)
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
        if now.value is None:
            self.errors.append(BuildError(f"claim {claim.id}: {now.reason}", claim.place))
        if claim.by_interval and now.value is not None and now.interval is None:
            self.errors.append(BuildError(f"claim {claim.id}: {now.reason}, so give `judge: value`", claim.place))
        self.rendered.verdicts.append(verdict)
        return self.env.get_template("claim.html").render(claim=told(verdict))


def written(value: float, format: str, interval: tuple[float, float] | None = None) -> str:
    """A measure as prose shows it: whole numbers whole, others to three digits, or as `format` says.

    With ± in the format, also how far the farther end of its interval is off.

    >>> written(0.98123, ""), written(768, ""), written(0.052, ".0%"), written(12.0, "d")
    ('0.981', '768', '5%', '12')
    >>> written(0.98123, ".2f±", (0.95, 0.99))
    '0.98 ± 0.03'
    """
    if "±" in format and interval is not None:
        format = format.replace("±", "")
        return f"{written(value, format)} ± {written(max(value - interval[0], interval[1] - value), format or '.2g')}"
    if format.endswith("d"):
        return number(format, round(value))
    if format:
        return number(format, value)
    return number("d", int(value)) if float(value).is_integer() and abs(value) < 1e15 else number(".3g", value)


def told(verdict: Verdict) -> dict[str, Any]:
    """A claim as templates print it."""
    claim, now = verdict.claim, verdict.now

    def shown(value: float | None, interval: tuple[float, float] | None) -> str:
        ends = "" if interval is None else f" ({written(interval[0], '')} to {written(interval[1], '')})"
        return "" if value is None else written(value, "") + ends

    return {
        "id": claim.id,
        "page": verdict.page,
        "text": claim.text,
        "expect": f"{claim.figure}.{claim.expect.measure} {claim.expect.comparison}",
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


def number(format: str, value: float) -> str:
    """A number by a format of Python's, with a minus sign that is as long as a plus, and none before zero.

    >>> number(".2f", -0.333), number(".2f", -0.001)
    ('−0.33', '0.00')
    """
    text = f"{value:{format}}"
    return text.lstrip("-") if not text.strip("-0.%") else text.replace("-", "−")


def provenance(artifact: Artifact, job: Job) -> list[tuple[str, str]]:
    """What the artifact was made of and by, as rows of a name and a value."""
    made = artifact.provenance
    ingredients = made.get("ingredients", {})
    model = ingredients.get("model", {})
    rows = {
        "computed in": f"{made['seconds']} s on {made['device']}" if "seconds" in made else "",
        "threads": str(made.get("threads", "")),
        "seed": str(job.options.seed),
        "weights": "" if job.random is None else f"random, of seed {job.random}",
        "checkpoint": model.get("checkpoint", ""),
        "model": yaml.safe_dump(model.get("settings", {}), default_flow_style=True, width=10_000).strip()
        if model
        else "",
        "data": ", ".join(row["digest"][:16] for row in ingredients.get("data", {}).values()),
        "code": ingredients.get("code", "")[:16],
        "versions": ", ".join(f"{name} {version}" for name, version in ingredients.get("versions", {}).items()),
    }
    return [(name, value) for name, value in rows.items() if value]
