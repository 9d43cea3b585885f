"""Functions of the author's own, named as "module:function". Naming one runs its module: code that the author chose.

What runs is what the key was made of. Python itself would take a module that it has compiled before where the source
has the same size and time, though its text is another, and one that it has imported before in any case; here the
author's modules are compiled from the text that was read, and imported again where that has changed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from generator import key
from generator.key import CODES, OURS, authored, code_digest, read_code, source_of
from generator.spec import BuildError, nearest
from generator.trust import REFUSED, distrusted

NAMED = r"^[\w.]+:[\w.]+$"  # what is named so
REACHED: set[str] = set()  # what was ever put on the search path here
CONTENT: list[Path] = []  # the content folder of the site at work
LOADED: dict[str, tuple[str, str]] = {}  # by name, the file and the digest of each module of the author's that runs
WANTED: dict[str, str] = {}  # the digests that keys were made of, by name


def reach(content: Path) -> None:
    """Let modules be found in the content folder and where the build is started, as they would for `python -m`.

    Those of the site at work: what another site of this process put there is taken away. What was read of the
    author's code before is read again.
    """
    sys.path[:] = [entry for entry in sys.path if entry not in REACHED]
    CONTENT[:] = [content.absolute()]
    WANTED.clear()
    key.forget()
    importlib.invalidate_caches()
    reach_working_folder()


def reach_working_folder() -> None:
    """The same of where the process is now, and of the content folder that was reached last.

    Not for an author who is not trusted: whatever a library imports if it is there could be a file of theirs.
    """
    if distrusted():
        return
    for folder in [*CONTENT, *([] if "" in sys.path else [Path.cwd()])]:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
            REACHED.add(str(folder))
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def callable_digest(what: str, named: str) -> str:
    """Digest of the code of the function's module; importing it may be slow, so it is found and read, not run."""
    module = named.partition(":")[0]
    reach_working_folder()
    if source_of(module) is None:
        folders = ", ".join(map(str, [*CONTENT, Path.cwd()]))
        raise BuildError(f"{what} {named}: there is no module {module!r} in {folders} or among the installed packages")
    found = code_digest(module)
    WANTED.update(CODES[found])
    return found


def find_callable(what: str, named: str) -> Callable[..., Any]:
    """The function itself; `what` it is of, such as "factory", begins what an error says."""
    if distrusted():  # told where it is asked for; this is the last door
        raise BuildError(f"{what} {named}: code of the author's, {REFUSED}")
    module_name, _, path = named.partition(":")
    try:
        found: Any = current(module_name)
    except Exception as error:
        raise BuildError(f"{what} {named}: module {module_name!r} cannot be imported: {error}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            public = [one for one in dir(found) if callable(getattr(found, one)) and not one.startswith("_")]
            raise BuildError(f"{what} {named}: {module_name} has no {part!r}{nearest(part, public)}")
        found = getattr(found, part)
    if not callable(found):
        raise BuildError(f"{what} {named}: {path} is a {type(found).__name__}, and cannot be called")
    return found  # type: ignore[no-any-return]


def current(name: str) -> ModuleType:
    """A module as its author's code reads now: all of theirs is imported again where some of it has changed."""
    reach_working_folder()
    if source_of(name) is not None:
        wanted = CODES[code_digest(name)]
        WANTED.update(wanted)
        if any(one in LOADED and LOADED[one] != (str(source_of(one)), wanted[one]) for one in wanted):
            for loaded in LOADED:
                sys.modules.pop(loaded, None)
            LOADED.clear()
    return importlib.import_module(name)


class Finder:
    """Finds the author's modules where Python would, for `Loader` to load them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] == OURS or not self.may_hold(name, path):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or type(spec.loader) is not SourceFileLoader:
            return None
        if not authored(Path(spec.origin)):
            return None
        inside = spec.submodule_search_locations
        return spec_from_file_location(
            name, spec.origin, loader=Loader(name, spec.origin), submodule_search_locations=inside
        )

    def may_hold(self, name: str, path: Sequence[str] | None) -> bool:
        """Whether it is worth looking: importing torch asks thousands of times."""
        if path is not None:
            return any(map(authored_folder, path))
        places = (Path(entry) / name for entry in sys.path if authored_folder(entry))
        return any(one.is_dir() or one.with_name(f"{name}.py").is_file() for one in places)


@cache
def authored_folder(entry: str) -> bool:
    """Whether the author's own code may lie in a folder of the search path."""
    return authored(Path(entry).absolute())


class Loader(SourceFileLoader):
    """Compiles a module from its text, and neither reads nor leaves compiled files."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        content = self.get_data(path)
        found = read_code(content.decode("utf-8"), fullname, Path(path).name == "__init__.py")[0]
        if WANTED.get(fullname, found) != found:
            raise ImportError(f"{path} was edited while the build was at work; build again")
        LOADED[fullname] = (path, found)
        code: CodeType = self.source_to_code(content, path)
        return code
