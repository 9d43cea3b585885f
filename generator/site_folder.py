"""The folder that a site is written to: what differs is written, what no page refers to is removed.

It is written in an order in which a reader meets no hole: what pages load, then the pages, then the account of them,
and only then is removed what none of them refers to. Each file appears whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path

from generator import own_images, social_card
from generator.files import write_whole
from generator.folders import WRITING
from generator.foreign_json import object_from_json
from generator.kept_pages import KeptPages, common
from generator.obtained import Obtained
from generator.plan import Plan
from generator.publish import IN_FEED, feed, report, robots, same_report, sitemap
from generator.render import render_site
from generator.rendered import Rendered
from generator.spec import BuildError, shown

REPORT = "report.json"
FEED = "feed.xml"
NO_JEKYLL = ".nojekyll"  # without it GitHub Pages would build the site anew, and leave out what begins with _


@dataclass(frozen=True)
class Written:
    """What writing a site did.

    lingering: paths of files that no page refers to any more, and that stay until the next build.
    """

    written: int
    removed: int
    broken: tuple[str, ...]  # ids of claims that do not hold
    pages: int
    lingering: frozenset[str]


def is_page(name: str) -> bool:
    """Whether a file of a site is read by itself; others are what pages load."""
    return name.endswith(".html") or name in (FEED, REPORT)


def in_order(names: Iterable[str]) -> list[str]:
    """Files of a site in the order in which they are written: what pages load, pages, and last the account.

    >>> in_order(["report.json", "a.html", "media/b.webp", "feed.xml"])
    ['media/b.webp', 'a.html', 'feed.xml', 'report.json']
    """
    return sorted(names, key=lambda name: (is_page(name), name == REPORT, name))


def take(out: Path, content: Path) -> None:
    """Make the folder ours, so that a build that is killed while it writes can be gone on with.

    BuildError where it holds what Whatfires did not write: whatever no page refers to is removed from a site.
    """
    if content.resolve().is_relative_to(out.resolve()):
        raise BuildError(f"{shown(out)} holds the content; a site needs a folder of its own: choose another --out")
    try:
        ours = {"schema", "pages"} <= object_from_json((out / REPORT).read_bytes()).keys()
    except (OSError, ValueError):
        ours = False
    if not ours:
        if out.exists() and any(not path.name.startswith(".") for path in out.iterdir()):
            raise BuildError(
                f"{shown(out)} holds files that Whatfires did not write; choose another --out, or empty it"
            )
        write_whole(out / REPORT, b'{"schema": 1, "pages": []}')


def enclosed(plan: Plan, out: Path) -> dict[str, bytes]:
    """The files of authors' own images, those that are not there already."""
    images = {path: image for post in plan.posts for image in post.images for path, _, _ in image.files}
    missing = [(image, path) for path, image in images.items() if not (out / path).exists()]
    if not missing:
        return {}
    with ThreadPool() as pool:  # Pillow decodes and encodes beside Python
        contents = pool.starmap(partial(own_images.file_of, root=plan.library.root), missing)
    return {path: content for (_, path), content in zip(missing, contents, strict=True)}


def for_hosts(plan: Plan) -> dict[str, bytes]:
    """What hosts and search engines ask for beside the pages."""
    files = {NO_JEKYLL: b"", "robots.txt": robots(plan.site)}
    if plan.site.base_url:
        pages = [(post.path, post.updated or post.date) for post in plan.posts if not post.draft]
        files["sitemap.xml"] = sitemap(
            plan.site, [("index.html", ""), *pages, *((unit.path, "") for unit in plan.units)]
        )
    return files


def write_site(plan: Plan, found: Obtained, out: Path, spared: Set[str] = frozenset()) -> Written:
    """Render everything and write what differs. Files in `spared` stay: a reader may be about to load them."""
    take(out, plan.library.root)
    kept = KeptPages(plan.library.store.folder, out, common(plan.site.theme))
    rendered = render_site(
        plan.site,
        plan.posts,
        plan.jobs,
        found,
        lambda name: found.untrained(name) or plan.library.course(name),
        lambda name: (out / name).exists(),
        plan.units,
        kept,
    )
    context = {"site": plan.site, "posts": rendered.posts[:IN_FEED]}
    rendered.write(FEED, kept, FEED, context, lambda: feed(plan.site, rendered.posts))
    files = rendered.files
    files.update(enclosed(plan, out) | for_hosts(plan))
    files.update(drawn_cards(rendered, out))
    account = report(plan.posts, plan.units, plan.jobs, found, plan.library, rendered)
    old = (out / REPORT).read_bytes() if (out / REPORT).exists() else b""
    files[REPORT] = old if same_report(old, account) else account
    images = {path for post in plan.posts for image in post.images for path, _, _ in image.files}
    referred = {*files, *rendered.kept, *rendered.cards, *images}
    written = write_differing(out, files)
    lingering = frozenset(name for name in spared - referred if (out / name).exists())
    removed = remove_others(out, referred | lingering)
    kept.keep()
    return Written(written, removed, rendered.broken, rendered.pages, lingering)


def drawn_cards(rendered: Rendered, out: Path) -> dict[str, bytes]:
    """The pictures that networks show beside links, those that are not there already."""
    found = {}
    for card, (title, site, picture) in rendered.cards.items():
        if not (out / card).exists():
            content = (rendered.files.get(picture) or (out / picture).read_bytes()) if picture else None
            found[card] = social_card.draw(title, site, content)
    return found


def write_differing(out: Path, files: Mapping[str, bytes]) -> int:
    """Write the files whose bytes differ from what is there; how many those were."""
    written = 0
    for name in in_order(files):
        path = out / name
        if not path.exists() or path.read_bytes() != files[name]:
            write_whole(path, files[name], lasting=False)
            written += 1
    return written


def remove_others(out: Path, staying: Set[str]) -> int:
    """Remove all files but these, and folders that are empty then; how many files those were.

    What begins with a dot, such as .git, is not ours, but for what was left half written.
    """
    removed = 0
    for path in sorted(out.rglob("*"), reverse=True):
        inside = path.relative_to(out)
        if path.name.startswith(WRITING):
            path.unlink()
        elif any(part.startswith(".") for part in inside.parts):
            continue
        elif path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif inside.as_posix() not in staying:
            path.unlink()
            removed += 1
    return removed
