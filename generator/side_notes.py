"""Footnotes stand beside the text where a screen is wide enough for it, and below it elsewhere.

A note is in the page twice: in the list at the end, which is what is read aloud, printed and fed; and, hidden from
readers of screens, behind its number. The theme shows one of them to the eye. No script is needed for that.
"""

from __future__ import annotations

from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

from generator.elements import IN_A_LINE


class SideNotes(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(Beside(md), "side-notes", 4)  # when notes have all that will be in them


class Beside(Treeprocessor):
    def run(self, root: Element) -> None:
        notes = {item.get("id", ""): item for item in root.iter("li") if item.get("id", "").startswith("fn:")}
        if not notes:
            return
        parents = {child: parent for parent in root.iter() for child in parent}
        for mark in [one for one in root.iter("sup") if one.get("id", "").startswith("fnref:")]:
            link = mark.find("a")
            note = notes.get(link.get("href", "")[1:]) if link is not None else None
            if note is None or link is None or not fits_in_a_line(note):
                continue
            parent = parents[mark]
            beside = Element("small", {"class": "side-note", "aria-hidden": "true"})
            number = SubElement(beside, "sup")
            number.text, number.tail = link.text, " "
            for paragraph in note:
                part = SubElement(beside, "span")
                part.text = paragraph.text
                part.extend(deepcopy(child) for child in paragraph if child.get("class") != "footnote-backref")
            for copy in beside.iter():
                copy.attrib.pop("id", None)
                if copy.get("class") == "cited":
                    copy.set("class", "cited again")
                if copy.tag == "a":  # what is hidden from readers of screens takes no focus
                    copy.set("tabindex", "-1")
            beside.tail, mark.tail = mark.tail, None
            parent.insert(list(parent).index(mark) + 1, beside)
            note.set("class", "noted")


def fits_in_a_line(note: Element) -> bool:
    """Whether a note holds nothing but paragraphs of words."""
    return all(part.tag == "p" and all(map(is_in_a_line, part)) for part in note)


def is_in_a_line(element: Element) -> bool:
    return element.tag == "math" or (element.tag in IN_A_LINE and all(map(is_in_a_line, element)))
