"""The folders of page templates: the author's theme, searched before the default one; and how numbers are printed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from generator.deferred import Deferred

if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = Deferred("jinja2")  # a build in which nothing changed renders nothing


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


def number(format: str, value: float) -> str:
    """A number by a format of Python's, with a minus sign that is as long as a plus, and none before zero.

    >>> number(".2f", -0.333), number(".2f", -0.001)
    ('−0.33', '0.00')
    """
    text = f"{value:{format}}"
    return text.lstrip("-") if not text.strip("-0.%") else text.replace("-", "−")


def tag_path(tag: str) -> str:
    return f"tags/{slug(tag)}.html"


def slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens; a hex spelling where nothing of the text is ASCII.

    >>> slug("Image models"), slug("日")
    ('image-models', '65e5')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "-".join(f"{ord(one):x}" for one in text)
