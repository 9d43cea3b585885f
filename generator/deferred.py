"""Modules that are imported at their first use, and leave no trace before it.

`lazy_loader.load` would put a stand-in for torch among the imported modules, where whoever asks
whether torch is loaded is told yes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Deferred:
    """Stands for a module: each of its attributes is the module's."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # Python's own questions, such as doctest's for `__wrapped__`, are of the stand-in.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
