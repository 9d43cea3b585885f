"""The folders of page templates: the author's theme, searched before the default one; and how numbers are printed."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from generator import metadata, plugins
from generator.artifact import digest
from generator.deferred import Deferred
from generator.files import file_digest
from generator.folders import installed
from generator.spec import BuildError, FigureSpec, Place, shown

if TYPE_CHECKING:
    import jinja2
    import jinja2.bccache
else:
    jinja2 = Deferred("jinja2")  # a build in which nothing changed renders nothing


def ours() -> Path:
    """The folder of our own templates, in a checkout or in the package."""
    folders = [Path(__file__).parent / "theme", Path(__file__).parent.parent / "templates"]
    return next(folder for folder in folders if folder.is_dir())


def shipped() -> list[str]:
    """The themes that come with us, besides the default one."""
    return sorted(path.parent.name for path in ours().glob("*/base.html"))


def theme_folders(theme: str) -> list[str]:
    """Where page templates are looked for: the theme that site.toml names, the default one, then those of packages."""
    return [*([theme] if theme else []), str(ours()), *plugins.template_folders()]


@contextmanager
def telling(page: str, theme: str) -> Iterator[None]:
    """What goes wrong in a template is told with its file and line, and with the page that was being rendered."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        file = shown(Path(error.filename)) if error.filename else error.name or "a template"
        raise BuildError(f"{error.message}, while {page} was rendered", Place(file, error.lineno)) from error
    except jinja2.TemplateNotFound as error:
        raise BuildError(f"the theme has no template {error.name}, while {page} was rendered") from error
    except (jinja2.TemplateError, TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
        # Jinja rewrites tracebacks: their frames are lines of templates.
        folders = tuple(str(Path(folder).resolve()) for folder in theme_folders(theme))
        frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.endswith((".html", ".xml"))]
        own = [one for one in frames if str(Path(one.filename).resolve()).startswith(folders)]
        if not own:
            raise
        place = Place(shown(Path(own[-1].filename)), own[-1].lineno or 1)
        raise BuildError(f"{error}, while {page} was rendered", place) from error


def compiled() -> jinja2.BytecodeCache | None:
    """Where compiled templates are kept, for compiling takes longer than rendering; None where no folder is safe."""

    class Compiled(jinja2.FileSystemBytecodeCache):
        """In the user's own folder, below that for temporary files."""

        def get_cache_key(self, name: str, filename: str | None = None) -> str:
            # How templates are read is said in this file alone.
            made_of = digest([installed(), file_digest(Path(__file__))])
            return f"whatfires-{super().get_cache_key(f'{made_of} {name}', filename)}"

        def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
            with suppress(OSError):  # such as a disk that is full
                super().dump_bytecode(bucket)

    try:
        return Compiled()
    except (OSError, RuntimeError):  # no folder can be written, or it is another user's
        return None


@cache
def environment(theme: str) -> jinja2.Environment:
    """What renders the templates of a theme; all that they may call is said here."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(theme_folders(theme)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=compiled(),
    )
    env.globals.update(number=number, bibtex=metadata.bibtex)
    return env


def assets(theme: str, kinds: Set[str]) -> dict[str, bytes]:
    """What pages with figures of these kinds load, by its path: one style sheet, scripts, the icon.

    The sheet is of the theme, of what all kinds share, and of each kind. What belongs to a kind that no page shows is
    left out: every reader would load it for nothing.
    """
    folders = [Path(folder) for folder in reversed(theme_folders(theme))]
    unshown = {path.stem for folder in folders for path in (folder / "figures").glob("*.html")} - kinds
    sheets: dict[str, str] = {}
    found: dict[str, bytes] = {}
    for folder in folders:
        own = [path for path in sorted((folder / "figures").glob("*.*")) if path.stem not in unshown]
        paths = [folder / "theme.css", folder / "figures.css", *(path for path in own if path.suffix == ".css")]
        sheets |= {path.name: path.read_text("utf-8") for path in paths if path.exists()}
        for script in [*folder.glob("*.js"), *(path for path in own if path.suffix == ".js")]:
            found[f"assets/{script.name}"] = script.read_bytes()
        if (folder / "icon.svg").exists():
            found["assets/icon.svg"] = (folder / "icon.svg").read_bytes()
    return {**found, "assets/theme.css": "\n".join(sheets.values()).encode()}


def scripts_of(figures: Sequence[FigureSpec], timelines: bool, theme: str) -> list[str]:
    """The scripts that a page with these figures loads, besides the one that all pages load.

    timelines: whether one of them is shown at several checkpoints.
    """
    names = [*(["timeline"] if timelines else []), *sorted({figure.kind for figure in figures})]
    return [name for name in names if any(script(Path(folder), name) for folder in theme_folders(theme))]


def script(folder: Path, name: str) -> bool:
    return (folder / f"{name}.js").exists() or (folder / "figures" / f"{name}.js").exists()


def number(format: str, value: float) -> str:
    """A number by a format of Python's, with a minus sign that is as long as a plus, and none before zero.

    >>> number(".2f", -0.333), number(".2f", -0.001)
    ('−0.33', '0.00')
    """
    text = f"{value:{format}}"
    return text.lstrip("-") if not text.strip("-0.%") else text.replace("-", "−")
