"""Claims: what a measure is expected to be, whether it is, and since when.

A claim whose measure cannot be known, or whose interval reaches both sides of its bound, is unknown and never holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from generator.artifact import Course, Measures, together
from generator.spec import Claim, Expectation, Step, called, nearest

NUMBER = r"[-+\N{MINUS SIGN}]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?%?"
EXPECTATION = re.compile(
    rf"(?P<measure>[^\s<>=≤≥]+)\s*(?:(?P<sign>>=|<=|==|>|<|≥|≤)\s*(?P<bound>{NUMBER})"
    rf"|between\s+(?P<low>{NUMBER})\s+and\s+(?P<high>{NUMBER})"
    rf"|about\s+(?P<centre>{NUMBER})(?:\s*(?:±|\+-|\+/-)\s*(?P<tolerance>{NUMBER}))?)"
)
WORDS = (">=", "<=", "==", ">", "<", "between", "about")
SIGNS = {">=": "≥", "<=": "≤", "==": "="}
SLIPS = {"=>": ">=", "=<": "<=", "=": "=="}  # of the pen
ABOUT = 0.05  # of the number, where `about` is not told how far off a value may be
EQUAL = 1e-9  # of the number: how far off rounding may put what is equal


def expectation(text: str) -> Expectation:
    """An expectation as it is written in a claim. ValueError where it cannot be read.

    >>> expectation("auc >= 0.95").comparison, expectation("loss between 1 and 1.2").comparison
    ('≥ 0.95', 'between 1 and 1.2')
    >>> 0.39 in expectation("accuracy about 37%"), 0.38 in expectation("accuracy about 0.37 ± 0.02")
    (False, True)
    """
    match = EXPECTATION.fullmatch(text.strip())
    if match is None:
        word = next(iter(text.split()[1:]), "")
        close = nearest(SLIPS.get(word, word), WORDS) if word not in WORDS else ""
        hint = close if "did you mean" in close else ""
        raise ValueError(
            f"{text!r} is not like 'auc >= 0.95', 'auc between 0.9 and 0.95' or 'auc about 0.93 ± 0.01'{hint}"
        )
    measure, sign = match["measure"], match["sign"]
    if match["low"] is not None:
        low, high = number(match["low"]), number(match["high"])
        if low > high:
            raise ValueError(f"{text!r}: {match['low']} is above {match['high']}; write the lower first")
        return Expectation(measure, f"between {match['low']} and {match['high']}", low, high)
    if match["centre"] is not None:
        centre = number(match["centre"])
        tolerance = abs(ABOUT * centre) if match["tolerance"] is None else abs(number(match["tolerance"]))
        if match["tolerance"] is None and not centre:
            raise ValueError(f"{text!r}: say how far from 0 a value may be, such as 'about 0 ± 0.01'")
        if match["tolerance"] and match["centre"].endswith("%") != match["tolerance"].endswith("%"):
            raise ValueError(f"{text!r}: write both numbers with %, or neither")
        off = match["tolerance"] or f"{100 * ABOUT:g}% of it"
        return Expectation(measure, f"about {match['centre']} ± {off}", centre - tolerance, centre + tolerance)
    bound, shown = number(match["bound"]), f"{SIGNS.get(sign, sign)} {match['bound']}"
    if sign == "==":
        return Expectation(measure, shown, bound - EQUAL * abs(bound), bound + EQUAL * abs(bound))
    if sign in (">=", "≥", ">"):
        return Expectation(measure, shown, low=bound, strict=sign == ">")
    return Expectation(measure, shown, high=bound, strict=sign == "<")


def number(text: str) -> float:
    text = text.replace("\N{MINUS SIGN}", "-")  # as pages print it
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


@dataclass(frozen=True)
class Moment:
    """A claim at one checkpoint: holds, broken or unknown, and why that is so."""

    status: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    reason: str = ""
    step: Step | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: now, and at each checkpoint that is known, the newest last; empty where there is one."""

    claim: Claim
    page: str
    now: Moment
    history: tuple[Moment, ...] = ()

    @property
    def status(self) -> str:
        return self.now.status


def judged(claim: Claim, page: str, course: Course) -> Verdict:
    """A claim judged by what was measured at each checkpoint."""
    now = moment(claim, course[-1][0], together(course))
    # A measure at one step has no history, nor have those of a control and of changes, which there is one of.
    alone = "@" in claim.expect.measure or claim.expect.measure.startswith(("control.", "changes."))
    known = [] if alone else [moment(claim, *one) for one in course]
    return Verdict(claim, page, now, tuple(known) if len(known) > 1 else ())


def moment(claim: Claim, step: Step | None, measures: Measures) -> Moment:
    expect = claim.expect
    value, interval = measures.values.get(expect.measure), measures.intervals.get(expect.measure)
    if value is None and measures.failure:
        return Moment("unknown", reason=measures.failure, step=step)
    if value is None and (why := measures.left_out.get(expect.measure.partition("@")[2])):
        return Moment("unknown", reason=f"this checkpoint is left out: {why}", step=step)
    if value is None:
        reason = f"{claim.figure} has no measure {expect.measure!r}{nearest(expect.measure, measures.values)}"
        return Moment("unknown", reason=reason, step=step)
    if not claim.by_interval:
        return Moment("holds" if value in expect else "broken", value, interval, step=step)
    if interval is None:
        return Moment("unknown", value, reason=f"the measure {expect.measure!r} has no interval", step=step)
    low, high = interval
    if low in expect and high in expect:
        return Moment("holds", value, interval, step=step)
    if high < expect.low or low > expect.high or (expect.strict and (high == expect.low or low == expect.high)):
        return Moment("broken", value, interval, step=step)
    return Moment("unknown", value, interval, "the 95 % interval lies on both sides of what is expected", step)


def story(history: Sequence[Moment]) -> str:
    """When a claim began to hold and when it broke, as a sentence.

    >>> story([Moment("broken", step=500), Moment("holds", step=1000), Moment("holds", step=2000)])
    'It began to hold at step 1,000.'
    """
    known = [one for one in history if one.status != "unknown"]
    if not known:
        return "It could be judged at none of the checkpoints."
    if len({one.status for one in known}) == 1:
        every = "each of" if len(known) == len(history) else f"{len(known)} of"
        word = "held" if known[0].status == "holds" else "was broken"
        return f"It {word} at {every} the {len(history)} checkpoints."
    turns = [later for before, later in pairwise(known) if before.status != later.status]
    words = {"holds": "began to hold", "broken": "broke"}
    told = [f"{words[one.status]} at {called(one.step)}" for one in turns]
    return f"It {listed(told)}."


def listed(parts: Iterable[str]) -> str:
    """Parts of a sentence, with commas and an "and".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
