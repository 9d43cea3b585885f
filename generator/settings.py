"""site.toml: the site's title and address, its models and its data sets, by name.

What a source makes of its row is the source's own affair; a row is validated here by the source's
`Settings`, without loading anything.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from generator.deprecation import deprecations
from generator.spec import BuildError, BuildErrors, Options, Place, mistakes, shown
from generator.trust import REFUSED, check_folder, distrusted


class StoreSettings(Options):
    """The table `store`."""

    cache: str = Field(
        "",
        description="another store that is only read, where `--cache` names none: an address such as "
        "s3://bucket/report, or a folder; what it has is not computed",
    )


class Settings(Options):
    """site.toml, with rows of models and data sets still as written."""

    title: str = Field(description="the site's name, on every page")
    base_url: str = Field("", description="where the site will be published; needed for the feed's absolute links")
    description: str = Field("", description="what it is about, on its first page and for search engines")
    author: str = Field("", description="of posts that name no other")
    language: str = Field("en", description="of its text, as BCP 47 has it, such as de or zh-Hans")
    theme: str = Field("", description="plain, or a folder of page templates, searched before the default ones")
    store: StoreSettings = Field(default_factory=StoreSettings, description="where computed figures are found, a table")
    models: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="by name, a table each")
    datasets: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, description="by name, a table each")
    _deprecations: tuple[str, ...] = ()

    @property
    def deprecations(self) -> tuple[str, ...]:
        """Of its own keys, each with what to write instead; those of rows are the library's."""
        return self._deprecations


def read_settings(content: Path, called: str) -> Settings:
    """Read `content`/site.toml; `called` is what messages call the file."""
    path = content / "site.toml"
    if distrusted():
        check_folder(content)  # before anything of it is read
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BuildError(f"no {called}: a report needs a content folder with a site.toml") from error
    except OSError as error:
        raise BuildError(f"cannot be read: {error.strerror or error}", Place(called)) from error
    except UnicodeDecodeError as error:
        raise BuildError(f"is not UTF-8 text ({error.reason} at byte {error.start})", Place(called)) from error
    try:
        written = tomllib.loads(text)
        settings = Settings.model_validate(written)
    except ValidationError as error:
        raise BuildErrors(
            [BuildError(f"{key}: {message}", line_of(text, key, called)) for key, message in mistakes(error, Settings)]
        ) from error
    except RecursionError as error:
        raise BuildError("nested too deeply", Place(called)) from error
    except ValueError as error:  # of TOML, and of numbers with thousands of digits
        line = re.search(r"line (\d+)", str(error))
        raise BuildError(str(error), Place(called, int(line[1]) if line else 1)) from error
    settings._deprecations = tuple(message for _, message in deprecations(settings, written))
    return settings


def cache_of(content: Path) -> str:
    """The address or folder of the store that site.toml says is only read, "" where it says none.

    BuildError where its author is not trusted: what is in it would count as computed.
    """
    toml = shown(content / "site.toml")
    asked = read_settings(content, toml).store.cache
    if asked and distrusted():
        place = line_of((content / "site.toml").read_text("utf-8"), "store.cache", toml)
        raise BuildError(f"store.cache: a store of the author's own, {REFUSED}", place)
    return asked if not asked or "://" in asked else str(content / asked)


def line_of(text: str, key: str, called: str) -> Place:
    """The line of a TOML file where a dotted key is written, or else the nearest table or key that holds it."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        table, last = ".".join(parts[: end - 1]), parts[end - 1]
        inside = not table
        for number, line in enumerate(text.splitlines(), 1):
            header = re.match(r"\s*\[\s*(.*?)\s*\]", line)
            if header:
                inside = header[1] == table
            if (header and header[1] == ".".join(parts[:end])) or (
                inside and re.match(rf"\s*{re.escape(last)}\s*=", line)
            ):
                return Place(called, number)
    return Place(called)
