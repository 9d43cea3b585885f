"""What is said of names that go: options, keys of site.toml, and Python names still work, and whoever uses one is told.

An option or a key that was renamed keeps its former names as aliases, and one that goes says what replaces it:

    steps: int = Field(512, description="…", validation_alias=AliasChoices("steps", "iterations"))
    blur: float = Field(0.0, description="…", deprecated="write `smooth`")

Python's own names take PEP 702's decorator, `typing_extensions.deprecated`, and those that no decorator reaches,
such as a class that was renamed, are `former` ones. CONTRIBUTING.md says how long each is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from generator.spec import Options

Keys = tuple[str | int, ...]  # of a value inside options, from the outermost


def former_names(field: FieldInfo) -> tuple[str, ...]:
    """What a field was called before; its aliases begin with the name that it has now."""
    choices = field.validation_alias
    return tuple(map(str, choices.choices[1:])) if isinstance(choices, AliasChoices) else ()


def keys_of(model: type[Options]) -> set[str]:
    """All keys that are read, by the names that they have and had."""
    return {key for name, field in model.model_fields.items() for key in (name, *former_names(field))}


def deprecations(options: Any, written: Any, path: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """(path, its key and what to write instead) of all that is deprecated, at any depth, as they are declared.

    written: what `options` were validated from, as its author wrote it. path: where they stand.
    """
    if isinstance(options, Options) and isinstance(written, Mapping):
        for name, field in type(options).model_fields.items():
            for key in (one for one in (name, *former_names(field)) if one in written):
                dotted = ".".join(map(str, (*path, key)))
                if key != name:
                    yield (*path, key), f"{dotted}: this name is deprecated; write `{name}`"
                elif field.deprecation_message is not None:
                    yield (*path, key), f"{dotted}: deprecated; {field.deprecation_message}"
                yield from deprecations(vars(options)[name], written[key], (*path, key))
    elif isinstance(options, Mapping) and isinstance(written, Mapping):
        for key in (one for one in options if one in written):
            yield from deprecations(options[key], written[key], (*path, key))
    elif isinstance(options, list | tuple) and isinstance(written, list | tuple):
        for number, (one, its) in enumerate(zip(options, written, strict=False)):
            yield from deprecations(one, its, (*path, number))


def former(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` (PEP 562) of a module for names that it had: each is given as what it is now, with a warning.

    names: what each is now, written like "generator.spec:Options". The module binds it where no type checker looks,
    for which the names are gone:

        if not TYPE_CHECKING:
            __getattr__ = former(__name__, {"Choices": "generator.spec:Options"})
    """

    def attribute(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        place, _, now = names[name].partition(":")
        message = f"{module}.{name} is deprecated: it is now {place}.{now}"
        warnings.warn(message, DeprecationWarning, stacklevel=2)  # of the file and line that asked
        return getattr(import_module(place), now)

    return attribute
