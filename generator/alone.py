"""A page of one figure and nothing else: style, script and pictures are inside it, and it asks for no other file.

Its content is as wide as in its post, so a browser draws the same pixels.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Iterator, Mapping, Set
from urllib.parse import urljoin

from markupsafe import Markup

from generator import __version__
from generator.artifact import Artifact, Course
from generator.holes import HOLE
from generator.images import Picture, is_picture, webp
from generator.obtained import Obtained
from generator.post_writer import PostWriter
from generator.rendered import Rendered
from generator.spec import BuildError, BuildErrors, FigureSpec, Job, Post, Site
from generator.themes import assets, environment, scripts_of

LINK = re.compile(r'(?P<before><a\b[^>]*?) href="(?P<url>[^"]*)"')


class LoneWriter(PostWriter):
    """Writes a figure whose pictures lie in the page itself, so that there is nothing beside it to take away."""

    def pictures(self, spec: FigureSpec, artifact: Artifact) -> Iterator[tuple[str, Picture]]:
        for name, array in artifact.arrays.items():
            if is_picture(array):
                url = f"data:image/webp;base64,{base64.b64encode(webp(array)).decode()}"
                yield name, Picture(url, array.shape[1], array.shape[0])

    def to_take_away(
        self, spec: FigureSpec, job: Job, stem: str, pictures: Mapping[str, Picture]
    ) -> list[tuple[str, str, str]]:
        return []


def quoted_by(spec: FigureSpec) -> set[str]:
    """Figures and models whose measures the caption states."""
    return {html.unescape(hole["value"]).partition(".")[0] for hole in HOLE.finditer(spec.caption) if hole["value"]}


def lone_page(
    site: Site,
    post: Post,
    spec: FigureSpec,
    jobs: Mapping[tuple[str, str], Job],
    found: Obtained,
    courses: Callable[[str], Course],
    units: Set[str],
    frame: str = "",
) -> bytes:
    """The page of one figure of a post. `units` are the paths of pages of units, which the figure may link to.

    frame: a script for a page that is shown inside another, where nothing but the figure is to be seen.
    A link leads to the published site, if site.toml tells its `base_url`; else it leads nowhere. BuildErrors where the
    caption names a measure that its figure does not have.
    """
    env = environment(site.theme)
    errors: list[BuildError] = []
    writer = LoneWriter(env, post, jobs, found, courses, Rendered(), errors, lambda name: False, units)
    figure = writer.figure(spec)
    if errors:
        raise BuildErrors(errors)
    address = f"{site.base_url}/{post.path}" if site.base_url else ""
    files = assets(site.theme, {job.kind for job in jobs[post.path, spec.id].all()})
    style = inside(files["assets/theme.css"].decode())
    names = ["theme", *scripts_of([spec], writer.is_timeline(spec), site.theme)]
    script = inside("\n".join([*(files[f"assets/{name}.js"].decode() for name in names), frame]))
    text = env.get_template("alone.html").render(
        site=site,
        framed=bool(frame),
        page={"title": post.title, "address": address and f"{address}#{spec.id}", "number": writer.numbers[spec.id]},
        figure=Markup(led_home(figure, spec.id, address)),  # noqa: S704  (rendered with autoescape)
        style=Markup(style),  # noqa: S704  (the theme's own)
        script=Markup(script),  # noqa: S704  (the theme's own)
        policy={"style": allowed(style), "script": allowed(script)},
        generator_version=__version__,
    )
    return text.encode()


def led_home(figure: str, id: str, address: str) -> str:
    """A figure whose links lead from a page that lies anywhere: inside the figure, to `address`, or nowhere.

    >>> led_home('<a class="n" href="#f">1</a> <a href="b.html">2</a>', "f", "https://a.org/posts/a.html")
    '<a class="n" href="#f">1</a> <a href="https://a.org/posts/b.html">2</a>'
    >>> led_home('<a href="#g">2</a>', "f", "")
    '<a>2</a>'
    """

    def lead(match: re.Match[str]) -> str:
        url = html.unescape(match["url"])
        if url == f"#{id}" or re.match(r"[a-z][a-z0-9+.-]*:", url):
            return match[0]
        return f'{match["before"]} href="{html.escape(urljoin(address, url))}"' if address else match["before"]

    return LINK.sub(lead, figure)


def inside(text: str) -> str:
    """A style sheet or script as it may stand in a page: nothing in it ends its element.

    >>> inside('say("</script>")')
    'say("<\\\\/script>")'
    """
    return re.sub("</(?=script|style)", r"<\\/", text, flags=re.IGNORECASE)


def allowed(text: str) -> str:
    """What a Content-Security-Policy calls an element of this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
