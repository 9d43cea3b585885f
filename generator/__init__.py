"""Whatfires: a static site generator for interpretability reports.

In a notebook, `generator.show(…)` shows a figure as a report's page does.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Loaded at first use, as the command line needs the version alone; and named where no import can be read, since
    # what this package imports is part of every figure's key. Its type stands in __init__.pyi.
    if name == "show":
        return import_module("generator.notebook").show
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
