"""What reading a content file may cost: what would take minutes, or nest beyond all reading, is told with its line.

Markdown looks for the end of whatever opens a link, a tag or a formula: where there is none it goes through the rest of
the paragraph, and again for the next. So what is counted is how far it must look, which in a text that people write is
little: a millionth of what an attack needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor

from generator.reading import Reading

MOST_TEXT = 150_000  # characters of a file with all that it includes
MOST_PARAGRAPH = 50_000  # characters between empty lines, such as those of a table
MOST_STEPS = 4_000_000  # characters that are looked through for ends; a second, about
MOST_HEADINGS = 2_000
MOST_TAGS = 20_000
MOST_FENCES = 5_000  # lines that open or close one
DEEPEST = 50  # quotes and lists in each other
MARK = re.compile(r"\[|\](\(?)|\)|<|>|\\[()]|^ {0,3}(?:#|:[ \t]|(?:[-*_] *){3,}$)", re.MULTILINE)
CLOSES = {"]": "[", "](": "[", ")": "](", ">": "<", "\\)": "\\("}
CONTAINERS = re.compile(r"(?:[ \t]*(?:>|[-+*:](?=[ \t])|\d+\.(?=[ \t])|!!!(?=[ \t])))*")
CONTAINER = re.compile(r">|[-+*:]|\d+\.|!!!")
INDENT = 4  # columns of a level
Excesses = Iterator[tuple[str, str]]  # a line, and what is too much there


class Bounds(Extension):
    """`reading` gives the file whose text is being converted."""

    def __init__(self, reading: Callable[[], Reading]) -> None:
        super().__init__()
        self.reading = reading

    def extendMarkdown(self, md: Markdown) -> None:
        # Before fences are looked for; and when they have been taken out, before HTML is looked for.
        md.preprocessors.register(Measuring(md, self.reading, too_long), "bounds-of-fences", 26)
        md.preprocessors.register(Measuring(md, self.reading, excesses), "bounds", 24)


class Measuring(Preprocessor):
    def __init__(self, md: Markdown, reading: Callable[[], Reading], find: Callable[[list[str]], Excesses]) -> None:
        super().__init__(md)
        self.reading, self.find = reading, find

    def run(self, lines: list[str]) -> list[str]:
        for line, message in self.find(lines):
            self.reading().wrong(message, self.reading().line_of(line))
            return []  # nothing of it is read
        return lines


def too_long(lines: list[str]) -> Excesses:
    length = sum(map(len, lines))
    if length > MOST_TEXT:
        yield lines[0], f"the text has {length:,} characters; at most {MOST_TEXT:,} are read, so divide it"
    fences = [line for line in lines if line.lstrip(" \t>").startswith(("```", "~~~"))]
    if len(fences) > MOST_FENCES:
        yield fences[-1], f"the text has {len(fences):,} fences; at most {MOST_FENCES:,} are read, so divide it"


def excesses(lines: list[str]) -> Excesses:
    """Of a text without its fences."""
    text = "\n".join(lines)
    for line in lines:
        levels = len(CONTAINER.findall(CONTAINERS.match(line)[0]))  # type: ignore[index]
        indent = len(line := line.expandtabs(INDENT)) - len(line.lstrip())
        if levels + (indent // INDENT if line.strip() else 0) > DEEPEST:
            yield line, f"lists and quotes stand more than {DEEPEST} deep in each other here"
    headings = [line for line in lines if line.lstrip().startswith("#") or set(line.strip()) in ({"="}, {"-"})]
    if len(headings) > MOST_HEADINGS:
        yield headings[-1], f"the text has {len(headings):,} headings and rules; at most {MOST_HEADINGS:,} are read"
    if (tags := text.count("<")) > MOST_TAGS:
        yield lines[0], f"the text has {tags:,} tags of HTML; at most {MOST_TAGS:,} are read"
    steps = 0
    for block in re.split(r"\n\s*\n", text):
        first = block.strip("\n").split("\n")[0]
        if len(block) > MOST_PARAGRAPH:
            yield first, f"the paragraph has {len(block):,} characters; at most {MOST_PARAGRAPH:,} are read"
        steps += steps_in(block)
        if steps > MOST_STEPS:
            yield first, "this paragraph opens too many brackets or tags that do not end; write \\[ or &lt; for a sign"
            return


def steps_in(block: str) -> int:
    """How many characters are looked through for the ends of what a paragraph opens.

    >>> steps_in("[ab](c)"), steps_in("[ab"), steps_in("[[[[")
    (6, 3, 10)
    """
    steps, opened = 0, dict[str, list[int]]()
    for match in MARK.finditer(block):
        mark, at = match[0], match.start()
        if mark in CLOSES:
            starts = opened.get(CLOSES[mark], [])
            if mark == ">":  # the first ends all
                steps += sum(at - start for start in starts)
                starts.clear()
            elif starts:
                steps += at - starts.pop()
        if mark not in CLOSES or mark == "](":
            opened.setdefault(mark if mark in ("](", *CLOSES.values()) else "line", []).append(at)
    return steps + sum(len(block) - start for starts in opened.values() for start in starts)
