"""Whatfires: a static site generator for interpretability reports."""

__version__ = "0.1.0"
