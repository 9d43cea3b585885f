"""All that writes pages, loaded: what a process that builds again and again is forked from. No torch, no author's code.

Importing it converts a line of Markdown and makes ready the templates of posts, so that what these load is there, too.
"""

from __future__ import annotations

from pathlib import Path

from generator import citations, folders, grids, key, machine, mathematics, pipeline, rounds
from generator.content import converter_of
from generator.reading import Reading
from generator.themes import environment

__all__ = ["citations", "grids", "mathematics", "pipeline", "rounds"]

machine.settle()
key.package_digest()  # what is forked runs the code that was loaded here
folders.installed()
READING = Reading(Path("a.md"), "a.md", Path(), "", [])
for extras in (frozenset(), frozenset({"notes"})):
    converter_of("body", extras).convert(READING, "*Words*.\n\n```python\nx = 1\n```\n")
for template in ("post.html", "index.html", "tag.html", "feed.xml", "archive.html"):
    environment("").get_template(template)
key.note_loaded()
