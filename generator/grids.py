"""Figures side by side: what stands between `/// grid` and `///`, one below the other where a screen is narrow."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from pymdownx.blocks import BlocksExtension, BlocksProcessor
from pymdownx.blocks.block import Block

MOST_COLUMNS = 4


class Grid(Block):  # type: ignore[misc]
    """`/// grid | 3` has three columns; without a number there are as many as fit."""

    NAME = "grid"
    ARGUMENT = None

    def on_validate(self, parent: Element) -> bool:
        return not self.argument or (self.argument.isdecimal() and 2 <= int(self.argument) <= MOST_COLUMNS)

    def on_create(self, parent: Element) -> Element:
        return SubElement(parent, "div", {"class": f"side-by-side-figures columns-{self.argument or 'as-fit'}"})


class Grids(BlocksExtension):  # type: ignore[misc]
    def extendMarkdownBlocks(self, md: Markdown, block_mgr: BlocksProcessor) -> None:
        block_mgr.register(Grid, self.getConfigs())
