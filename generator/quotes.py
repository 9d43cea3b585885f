"""What a post states of its figures and of models: numbers in its prose, and claims.

A number or a claim whose measure is not there is an error; where the figure failed, it is a question mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from generator.artifact import Course, Measures, together
from generator.claims import Verdict, judged, story
from generator.obtained import Obtained
from generator.spec import TOLD, BuildError, Claim, Job, Post, called, nearest
from generator.themes import number
from generator.typography import printed


class Quotes:
    """The numbers and claims of one post. `jobs` are its figures' by id; `courses` gives what a model measures.

    What is wrong is appended to `errors`.
    """

    def __init__(
        self,
        post: Post,
        jobs: Mapping[str, Job],
        found: Obtained,
        courses: Callable[[str], Course],
        errors: list[BuildError],
    ) -> None:
        self.post, self.jobs, self.found, self.courses, self.errors = post, jobs, found, courses, errors
        # Each where it stands first.
        self.places = {(one.figure, one.measure): one.place for one in reversed(post.values)}
        self.together: dict[str, Measures] = {}  # what each figure or model that is quoted measures
        self.told: dict[tuple[str, str, str], tuple[float | None, str]] = {}  # numbers, as `number` gives them

    def measures(self, name: str) -> Measures:
        """A figure's or a model's, those at several checkpoints also as NAME@STEP."""
        if name not in self.together:
            self.together[name] = together(self.course(name))
        return self.together[name]

    def course(self, name: str) -> Course:
        return self.found.course(self.jobs[name]) if name in self.jobs else self.courses(name)

    def left_out(self, name: str, measure: str) -> str:
        """Why a measure at a step is not there, "" where it is not for its checkpoint."""
        return self.measures(name).left_out.get(measure.partition("@")[2], "")

    def quoted(self, figure: str) -> list[str]:
        """The measures of a figure that the post quotes: in its prose, then in its claims."""
        claimed = [one.expect.measure for one in self.post.claims if one.figure == figure]
        return [one.measure for one in self.post.values if one.figure == figure] + claimed

    def description(self) -> str:
        """The post's description as plain text: its numbers filled in, and the marks set of what stands between."""
        told, at = "", 0
        for match in TOLD.finditer(self.post.description):
            told += printed(self.post.description[at : match.start()], told[-1:])
            told += self.number(match["figure"], match["measure"], match["format"] or "")[1]
            at = match.end()
        return told + printed(self.post.description[at:], told[-1:])

    def number(self, figure: str, measure: str, format: str) -> tuple[float | None, str]:
        """A measure, and how the prose shows it; None, with an error noted once, where there is none of this name.

        None and a question mark, where its figure failed.
        """
        if (figure, measure, format) not in self.told:
            self.told[figure, measure, format] = self.looked_up(figure, measure, format)
        return self.told[figure, measure, format]

    def looked_up(self, figure: str, measure: str, format: str) -> tuple[float | None, str]:
        place = self.places[figure, measure]
        measures = self.measures(figure)
        if measure not in measures.values:
            if measures.failure:
                return None, "?"
            why = self.left_out(figure, measure)
            hint = f"; that checkpoint is left out: {why}" if why else nearest(measure, measures.values)
            self.errors.append(BuildError(f"{figure} has no measure {measure!r}{hint}", place))
            return None, ""
        value, interval = float(measures.values[measure]), measures.intervals.get(measure)
        if "±" in format and interval is None:
            known = nearest(measure, measures.intervals)
            self.errors.append(BuildError(f"{figure}.{measure} has no interval to write after ±{known}", place))
            return None, ""
        return value, written(value, format, interval)

    def verdict(self, claim: Claim) -> Verdict:
        """What became of a claim. An error is noted where it names a measure, or an interval, that is not there."""
        verdict = judged(claim, self.post.path, self.course(claim.figure))
        now = verdict.now
        excused = self.measures(claim.figure).failure or self.left_out(claim.figure, claim.expect.measure)
        if now.value is None and not excused:
            self.errors.append(BuildError(f"claim {claim.id}: {now.reason}", claim.place))
        if claim.by_interval and now.value is not None and now.interval is None:
            self.errors.append(BuildError(f"claim {claim.id}: {now.reason}, so give `judge: value`", claim.place))
        return verdict


def written(value: float, format: str, interval: tuple[float, float] | None = None) -> str:
    """A measure as prose shows it: whole numbers whole, others to three digits, or as `format` says.

    With ± in the format, also how far the farther end of its interval is off.

    >>> written(0.98123, ""), written(768, ""), written(0.052, ".0%"), written(12.0, "d")
    ('0.981', '768', '5%', '12')
    >>> written(0.98123, ".2f±", (0.95, 0.99))
    '0.98 ± 0.03'
    """
    if "±" in format and interval is not None:
        format, off = format.replace("±", ""), max(value - interval[0], interval[1] - value)
        return f"{written(value, format)} ± {written(off, format.strip('+,') or '.2g')}"
    if format.endswith("d"):
        return number(format, round(value))
    if format:
        return number(format, value)
    return number("d", int(value)) if float(value).is_integer() and abs(value) < 1e15 else number(".3g", value)


def told(verdict: Verdict) -> dict[str, Any]:
    """A claim as templates print it."""
    claim, now = verdict.claim, verdict.now

    def shown(value: float | None, interval: tuple[float, float] | None) -> str:
        ends = "" if interval is None else f" ({number('.4g', interval[0])} to {number('.4g', interval[1])})"
        return "" if value is None else number(".4g", value) + ends

    return {
        "id": claim.id,
        "page": verdict.page,
        "text": claim.text,
        "expect": claim.expected,
        "by_interval": claim.by_interval,
        "value": shown(now.value, now.interval),
        "status": verdict.status,
        "reason": now.reason,
        "story": story(verdict.history) if verdict.history else "",
        "history": [
            {
                "step": called(one.step),
                "status": one.status,
                "value": shown(one.value, one.interval),
                "reason": one.reason,
            }
            for one in verdict.history
        ],
    }
