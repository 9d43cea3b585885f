"""Functions of the author's own, named as "module:function". Naming one runs its module: code that the author chose."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from generator.key import code_digest, source_of
from generator.spec import BuildError, nearest

NAMED = r"^[\w.]+:[\w.]+$"  # what is named so


def reach_working_folder() -> None:
    """The author's modules lie where the build is started, as they would for `python -m`."""
    if str(Path.cwd()) not in sys.path and "" not in sys.path:
        sys.path.append(str(Path.cwd()))


def callable_digest(what: str, named: str) -> str:
    """Digest of the code of the function's module; importing it may be slow, so it is found and read, not run."""
    module = named.partition(":")[0]
    reach_working_folder()
    if source_of(module) is None:
        raise BuildError(
            f"{what} {named}: there is no module {module!r} in {Path.cwd()} or among the installed packages"
        )
    return code_digest(module)


def find_callable(what: str, named: str) -> Callable[..., Any]:
    """The function itself; `what` it is of, such as "factory", begins what an error says."""
    reach_working_folder()
    module_name, _, path = named.partition(":")
    try:
        found: Any = import_module(module_name)
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
