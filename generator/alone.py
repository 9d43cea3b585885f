"""A page of one figure and nothing else: style, script and pictures are inside it, and it asks for no other file.

Its content is as wide as in its post, so a browser draws the same pixels.
"""

from __future__ import annotations

import base64
import hashlib
import html
import mimetypes
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Mapping, Set
from urllib.parse import unquote, urljoin

from markupsafe import Markup

from generator import __version__
from generator.artifact import Course
from generator.holes import HOLE
from generator.images import Picture
from generator.obtained import Obtained
from generator.post_writer import PostWriter
from generator.rendered import Rendered
from generator.spec import BuildError, BuildErrors, FigureSpec, Job, Post, Site
from generator.themes import assets, environment, scripts_of

LINK = re.compile(r'(?P<before><a\b[^>]*?) href="(?P<url>[^"]*)"')
PICTURE = re.compile(r'(?P<before><img\b[^>]*? src=|<image\b[^>]*? href=)"(?P<url>[^"]+)"')
PART = re.compile(r"<image\b[^>]*/>")  # in a drawing that shows a part of a picture
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")


class LoneWriter(PostWriter):
    """Writes a figure that has nothing beside it to be taken away."""

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
    rendered = Rendered()
    writer = LoneWriter(env, post, jobs, found, courses, rendered, errors, lambda name: False, units)
    figure = writer.figure(spec)
    if errors:
        raise BuildErrors(errors)
    rendered.collect()
    figure = inlined(figure, lambda url: rendered.files.get(at(post.path, url)))
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
        if url == f"#{id}" or SCHEME.match(url):
            return match[0]
        return f'{match["before"]} href="{html.escape(urljoin(address, url))}"' if address else match["before"]

    return LINK.sub(lead, figure)


def at(page: str, url: str) -> str:
    """Where in the site an address leads that stands in a page.

    >>> at("posts/a.html", "../media/b.webp")
    'media/b.webp'
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(url)))


def inlined(text: str, content: Callable[[str], bytes | None]) -> str:
    """A page with its pictures inside it, each once, however many drawings show a part of it.

    content: what lies at an address that stands in the page; a picture that is not there is left as it is.
    """
    counts, ids = Counter(PART.findall(text)), dict[str, str]()

    def part(match: re.Match[str]) -> str:
        if counts[match[0]] == 1:
            return match[0]
        if match[0] in ids:
            return f'<use href="#{ids[match[0]]}"/>'
        ids[match[0]] = id = f"picture.{len(ids) + 1}"  # no author can write an id with a dot
        return match[0].replace("<image", f'<image id="{id}"', 1)

    def picture(match: re.Match[str]) -> str:
        url = html.unescape(match["url"])
        found = None if SCHEME.match(url) else content(url)
        if found is None:
            return match[0]
        kind = mimetypes.guess_type(url)[0] or "image/webp"
        return f'{match["before"]}"data:{kind};base64,{base64.b64encode(found).decode()}"'

    return PICTURE.sub(picture, PART.sub(part, text))


def inside(text: str) -> str:
    """A style sheet or script as it may stand in a page: nothing in it ends its element.

    >>> inside('say("</script>")')
    'say("<\\\\/script>")'
    """
    return re.sub("</(?=script|style)", r"<\\/", text, flags=re.IGNORECASE)


def allowed(text: str) -> str:
    """What a Content-Security-Policy calls an element of this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
