"""From the name of a figure, POST#ID or its id alone, to what the site has under it.

POST is a file of the content (posts/cells.md, content/posts/cells.md), a page of the site (posts/cells.html,
models/mine/cell/3/index.html), or a post's own name (cells).
"""

from __future__ import annotations

import os
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

from generator.jobs import make_job
from generator.pipeline import train
from generator.plan import Plan
from generator.progress import Display
from generator.spec import UNIT_PAGES, BuildError, FigureSpec, Job, Place, Post, UnitPage, nearest, shown, unit_folder
from generator.unit_pages import figure_id, models_of, unit_pages
from generator.unit_writer import unit_title


@dataclass(frozen=True)
class Found:
    """A figure, and the page that it stands on; `plan` has the jobs of all figures of that page."""

    plan: Plan
    post: Post
    spec: FigureSpec

    @property
    def job(self) -> Job:
        return self.plan.jobs[self.post.path, self.spec.id]

    @property
    def name(self) -> str:
        return f"{self.post.path}#{self.spec.id}"


def find(name: str, plan: Plan, display: Display) -> Found:
    """The figure of this name. BuildError, with the nearest right word, where there is none or more than one."""
    page, _, id = name.rpartition("#")
    posts = [page_named(page, plan, display)] if page else pages_with(id, plan, display)
    found = [(post, figure) for post in posts for figure in post.figures if figure.id == id]
    if len(found) > 1:
        raise BuildError(f"figure {id} is in {' and '.join(post.path for post, _ in found)}; write POST#{id}")
    if not found and not page and (same := posts_named(id, plan)):
        ids = ", ".join(figure.id for figure in same[0].figures)
        raise BuildError(f"{name} is a page; write {name}#ID with the id of a figure on it: {ids or 'it has none'}")
    if not found:
        known = {figure.id for post in (posts if page else plan.posts) for figure in post.figures}
        where = f"{posts[0].path} has" if page else "there is"
        raise BuildError(f"{where} no figure {id!r}{nearest(id, known)}")
    post, spec = found[0]
    key = (post.path, spec.id)
    jobs = plan.jobs if key in plan.jobs else {**plan.jobs, key: make_job(spec, plan.library)}
    return Found(replace(plan, jobs=jobs), post, spec)


def page_named(page: str, plan: Plan, display: Display) -> Post:
    """The post, or the page of a unit as one."""
    folder = page.strip("/").removesuffix("/index.html")
    if folder.startswith(f"{UNIT_PAGES}/"):
        models = {model for model in plan.library.models if f"{folder}/".startswith(f"{unit_folder(model)}/")}
        units = units_of(plan, models, display)
        known = {unit_folder(unit.model, unit.layer, unit.unit): unit for unit in units}  # without its thousand
        known |= {unit.path.removesuffix("/index.html"): unit for unit in units}
        if folder not in known:
            raise BuildError(f"no unit has a page {page!r}{nearest(folder, known)}")
        return as_post(known[folder])
    posts = posts_named(page, plan)
    if len(posts) > 1:
        raise BuildError(f"{page!r} may be {' or '.join(post.path for post in posts)}; write which")
    if not posts:
        names = [post.path if "/" in page else Path(post.path).stem for post in plan.posts]
        raise BuildError(f"no post {page!r}{nearest(page, names)}")
    return posts[0]


def posts_named(page: str, plan: Plan) -> list[Post]:
    """The post that is called so, else those whose last name it is."""
    wanted = os.path.normpath(page).removesuffix(".md").removesuffix(".html")
    whole = [post for post in plan.posts if wanted in names_of(post, plan)]
    return whole or [post for post in plan.posts if Path(post.path).stem == wanted]


def names_of(post: Post, plan: Plan) -> list[str]:
    """What a post may be called, without the ending: by its page, its file below the content, and its file."""
    source = Path(post.place.file).absolute()
    below = source.relative_to(plan.library.root.absolute())
    return [str(Path(name).with_suffix("")) for name in (post.path, below, shown(source), source)]


def pages_with(id: str, plan: Plan, display: Display) -> list[Post]:
    """The posts that have a figure of this id; where none has, the page of a unit that does."""
    posts = [post for post in plan.posts if any(figure.id == id for figure in post.figures)]
    if posts:
        return posts
    models = {model for model in plan.library.models if id.startswith(f"{figure_id(unit_folder(model))}-")}
    return [as_post(unit) for unit in units_of(plan, models, display) if unit.figure.id == id]


def units_of(plan: Plan, models: Set[str], display: Display) -> list[UnitPage]:
    """The pages of units of these models, which are trained for it if they are not yet."""
    models = models & models_of(plan.posts, plan.library)
    train(models, plan.library, display)
    return unit_pages(plan.posts, plan.library, Place(shown(plan.library.root / "site.toml")), models)


def as_post(unit: UnitPage) -> Post:
    return Post(unit.path, unit_title(unit), "", unit.figure.place, figures=(unit.figure,))
