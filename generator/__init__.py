"""Whatfires: a static site generator for interpretability reports.

In a notebook, `generator.show(…)` shows a figure as a report's page does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generator.notebook import show as show

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "show":  # loaded at first use: the command line needs the version alone
        return import_module("generator.notebook").show
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
