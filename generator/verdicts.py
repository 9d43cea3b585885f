"""The verdicts of claims for those who do not read the site: as text, as JUnit XML, and as Markdown.

JUnit's format is what continuous integration reads: a broken claim is a failure, an unknown one an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from generator.claims import Moment, Verdict, story
from generator.columns import columns
from generator.publish import NOT_IN_XML

SIGNS = {"holds": "✓", "broken": "✗", "unknown": "?"}


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 where all claims hold, 1 where one is broken, else 2: one could not be known."""
    states = {verdict.status for verdict in verdicts}
    return 1 if "broken" in states else 2 if "unknown" in states else 0


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many there are, and of which states.

    >>> summary([])
    'no claims'
    """
    counts = [(sum(one.status == status for one in verdicts), status) for status in ("holds", "broken", "unknown")]
    told = ", ".join(
        f"{count} {'hold' if status == 'holds' and count > 1 else status}" for count, status in counts if count
    )
    return f"{len(verdicts)} claim{'s' * (len(verdicts) != 1)}: {told}" if verdicts else "no claims"


def measured(moment: Moment) -> str:
    """The value, with the interval where there is one."""
    ends = "" if moment.interval is None else f" ({moment.interval[0]:.4g} to {moment.interval[1]:.4g})"
    return "" if moment.value is None else f"{moment.value:.4g}{ends}"


def table(verdicts: Sequence[Verdict]) -> str:
    """One line for each claim, in columns; below it why it is unknown, and since when it holds."""
    rows = [
        (f"{SIGNS[one.status]} {one.status}", one.claim.id, one.claim.expected, measured(one.now), str(one.claim.place))
        for one in verdicts
    ]
    lines = []
    for line, verdict in zip(columns(rows), verdicts, strict=True):
        lines.append(line)
        lines += [f"    {told}" for told in remarks(verdict)]
    return "\n".join([*lines, summary(verdicts)])


def remarks(verdict: Verdict) -> list[str]:
    found = [verdict.now.reason] if verdict.now.reason else []
    return found + ([story(verdict.history)] if verdict.history else [])


def junit(verdicts: Sequence[Verdict]) -> bytes:
    """A test case for each claim, in a suite for each page."""
    root = ElementTree.Element("testsuites", name="claims", tests=str(len(verdicts)))
    for page in dict.fromkeys(one.page for one in verdicts):
        own = [one for one in verdicts if one.page == page]
        counts: dict[str, str] = {
            "tests": str(len(own)),
            "failures": str(sum(one.status == "broken" for one in own)),
            "errors": str(sum(one.status == "unknown" for one in own)),
        }
        suite = ElementTree.SubElement(root, "testsuite", {"name": page, **counts})
        for one in own:
            place = one.claim.place
            case = ElementTree.SubElement(
                suite, "testcase", classname=page, name=printable(one.claim.id), file=place.file, line=str(place.line)
            )
            told = "; ".join(
                [f"expected {one.claim.expected}", f"measured {measured(one.now) or 'nothing'}", *remarks(one)]
            )
            if one.status != "holds":
                kind = "failure" if one.status == "broken" else "error"
                detail = ElementTree.SubElement(case, kind, message=printable(told), type=one.status)
                detail.text = printable(f"{place}: {one.claim.text}")
            ElementTree.SubElement(case, "system-out").text = printable(f"{one.claim.text}\n{told}")
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def printable(text: str) -> str:
    return NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def markdown(verdicts: Sequence[Verdict]) -> str:
    """A table for a pull request or a job's summary; what does not hold comes first."""
    order = {"broken": 0, "unknown": 1, "holds": 2}
    lines = ["## Claims", "", f"{summary(verdicts)}.", ""]
    if verdicts:
        lines += ["| | claim | measured | expected | where |", "| --- | --- | --- | --- | --- |"]
    for one in sorted(verdicts, key=lambda verdict: order[verdict.status]):
        told = " ".join([one.claim.text, *remarks(one)])
        cells = [
            f"{SIGNS[one.status]} {one.status}",
            escaped(told),
            measured(one.now),
            code(one.claim.expected),
            code(str(one.claim.place)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as Markdown prints it, whatever is in it.

    >>> escaped("a|b <i> *c*")
    'a\\\\|b &lt;i&gt; \\\\*c\\\\*'
    """
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{one}" if one in r"\`*_[]|#!~" else one for one in text)


def code(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`"
