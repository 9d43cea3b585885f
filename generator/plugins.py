"""What installed packages add to Whatfires: kinds of figures, sources of models and data, concepts, and themes.

A package names them as entry points in its pyproject.toml, in the groups `whatfires.figures`, `whatfires.models`,
`whatfires.datasets`, `whatfires.concepts` and `whatfires.themes`; page templates of its kinds lie in its folder
`templates`, as ours do. They are looked for when a name is asked for that is none of ours. Whoever installs a package
trusts it: its code runs as ours does.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from generator.deferred import Deferred
from generator.spec import BuildError

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = Deferred("importlib.metadata")

NAME = re.compile(r"[a-z][a-z0-9-]*")  # it is part of the names of files


class Table(Mapping[str, str]):
    """Modules by the names that authors write: ours, and those that installed packages add.

    group: the last part of the entry points' group; called: what one row is, in messages.
    """

    def __init__(self, group: str, called: str, ours: dict[str, str]) -> None:
        self.group, self.called, self.ours = group, called, ours

    @cached_property
    def added(self) -> Mapping[str, str]:
        """Those of installed packages. BuildError where one has a name that is taken, or none."""
        found = dict(added(self.group, self.called))
        if taken := sorted(set(found) & set(self.ours)):
            raise BuildError(f"an installed package adds the {self.called} {taken[0]!r}, which Whatfires has itself")
        return found

    def __getitem__(self, name: str) -> str:
        return self.ours[name] if name in self.ours else self.added[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.ours
        yield from self.added

    def __len__(self) -> int:
        return len(self.ours) + len(self.added)

    def module(self, name: str) -> ModuleType:
        """The module itself. BuildError where that of a package cannot be imported."""
        path = self[name]
        if name in self.ours:
            return import_module(path)
        try:
            return import_module(path)
        except Exception as error:  # it is another's code
            reason = f"{type(error).__name__}: {error}"
            raise BuildError(f"the {self.called} {name}, an installed package's {path}, fails: {reason}") from error


@cache
def added(group: str, called: str) -> Mapping[str, str]:
    """What installed packages add in a group, by name. BuildError where two take one name, or one is no name."""
    found: dict[str, str] = {}
    for point in metadata.entry_points(group=f"whatfires.{group}"):
        if not NAME.fullmatch(point.name):
            raise BuildError(f"an installed package calls a {called} {point.name!r}; names are like mean-image")
        if found.setdefault(point.name, point.value) != point.value:
            raise BuildError(f"two installed packages add the {called} {point.name!r}; remove one of them")
    return found


def template_folders() -> list[str]:
    """The folders of page templates of the kinds that packages add."""
    packages = sorted({path.partition(".")[0] for path in added("figures", "kind").values()})
    return [str(folder) for name in packages if (folder := folder_of(name) / "templates").is_dir()]


def themes() -> Mapping[str, str]:
    """The folders of the themes that packages add: package.themes.night is the folder themes/night of a package."""
    found = {name: path.split(".") for name, path in added("themes", "theme").items()}
    return {name: str(folder_of(package).joinpath(*inner)) for name, (package, *inner) in found.items()}


def folder_of(package: str) -> Path:
    """Where an installed package lies, found without importing it."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise BuildError(f"{package}, which adds to Whatfires, is no package with a folder")
    return Path(found.submodule_search_locations[0])
