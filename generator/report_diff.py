"""What changed between two builds, as their `report.json` tell it: figures, measures, claims, models."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from generator.foreign_json import from_json
from generator.spec import BuildError, refusals
from generator.verdicts import escaped

MOST = 10  # measures of one figure that are told, those that changed most first
SAME = 1e-9  # of a measure: a change below it is one of rounding

Account = Mapping[str, Any]


class ClaimShape(BaseModel):
    page: str
    id: str
    text: str
    expect: str
    status: str
    value: float | None


class FigureShape(BaseModel):
    page: str
    id: str
    kind: str
    key: str
    measures: dict[str, float]
    intervals: dict[str, tuple[float, float]] = {}
    failure: str | None = None


class ModelShape(BaseModel):
    source: str
    checkpoint: str | None
    digest: str
    measures: dict[str, float]


class Shape(BaseModel):
    """What is read of an account, whoever wrote it."""

    schema_number: Literal[1] = Field(alias="schema")
    figures: list[FigureShape]
    claims: list[ClaimShape] = []
    models: dict[str, ModelShape] = {}


def read_report(path: Path) -> Account:
    """A build's account. BuildError where the file is none."""
    try:
        account = from_json(path.read_bytes())
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror}; give the report.json of a built site") from error
    except ValueError as error:
        raise BuildError(f"{path} is not JSON: {error}") from error
    try:
        Shape.model_validate(account)
    except ValidationError as problem:
        keys, _, message = next(refusals(problem, None))
        where = f": {'.'.join(map(str, keys))}: {message}" if keys else ""
        raise BuildError(f"{path} is no report.json of a build (of schema 1){where}") from problem
    found: Account = account
    return found


def differences(old: Account, new: Account) -> Iterator[tuple[str, list[str]]]:
    """(heading, lines) of each part in which the second account differs from the first; none where nothing changed."""
    parts = {
        "Claims": claims(old, new),
        "Models": models(old, new),
        "Figures": figures(old, new),
        "Measures": measures(old, new),
    }
    for heading, found in parts.items():
        if lines := list(found):
            yield heading, lines


def lines_of(old: Account, new: Account, markdown: bool = False) -> Iterator[str]:
    """What changed, for people; as Markdown for a pull request."""
    nothing = True
    for heading, lines in differences(old, new):
        nothing = False
        yield f"### {heading}\n" if markdown else f"{heading}:"
        yield from (f"- {escaped(line)}" if markdown else f"  {line}" for line in lines)
        yield ""
    if nothing:
        yield "Nothing changed."


def by_place(account: Account, what: str) -> dict[str, Any]:
    """Figures or claims by page#id."""
    return {f"{one['page']}#{one['id']}": one for one in account.get(what, [])}


def claims(old: Account, new: Account) -> Iterator[str]:
    """Those whose state is another, those that are new, and those that are gone."""
    before, after = by_place(old, "claims"), by_place(new, "claims")
    for place, one in after.items():
        told = f"{place}: {one['text']} ({one['expect']}, {shown(one['value'])})"
        if place not in before:
            yield f"new, {one['status']}: {told}"
        elif before[place]["status"] != one["status"]:
            yield f"{before[place]['status']} → {one['status']}: {told}, was {shown(before[place]['value'])}"
    yield from (f"gone: {place}: {before[place]['text']}" for place in before if place not in after)


def models(old: Account, new: Account) -> Iterator[str]:
    before, after = old.get("models", {}), new.get("models", {})
    for name, one in after.items():
        if name not in before:
            yield f"new: {name}, {one['checkpoint'] or one['source']}"
        elif before[name]["digest"] != one["digest"]:
            files = " → ".join(each["checkpoint"] or f"weights of {each['source']}" for each in (before[name], one))
            changed = list(changes(before[name]["measures"], one["measures"], {}, {}))
            yield f"{name}: {files}{'; ' if changed else ''}{', '.join(text for _, text in changed)}"
    yield from (f"gone: {name}" for name in before if name not in after)


def figures(old: Account, new: Account) -> Iterator[str]:
    """Those that failed, that were computed of something else, the new ones, and those that are gone."""
    before, after = by_place(old, "figures"), by_place(new, "figures")
    for place, one in after.items():
        failure = before.get(place, {}).get("failure"), one.get("failure")
        if failure[1]:
            yield f"{'still failed' if failure[0] else 'failed'}: {place} ({one['kind']}): {failure[1]}"
        elif place not in before:
            yield f"new: {place} ({one['kind']})"
        elif failure[0]:
            yield f"no longer failed: {place} ({one['kind']})"
        elif before[place]["key"] != one["key"]:
            yield f"computed anew: {place} ({one['kind']})"
    yield from (f"gone: {place} ({before[place]['kind']})" for place in before if place not in after)


def measures(old: Account, new: Account) -> Iterator[str]:
    """What figures measure otherwise: beyond its interval where it has one. Those that changed most come first."""
    before, after = by_place(old, "figures"), by_place(new, "figures")
    for place in (place for place in after if place in before):
        first, second = before[place], after[place]
        intervals = [one.get("intervals", {}) for one in (first, second)]
        found = sorted(changes(first["measures"], second["measures"], *intervals), reverse=True)
        yield from (f"{place}: {text}" for _, text in found[:MOST])
        if len(found) > MOST:
            yield f"{place}: and {len(found) - MOST} more"


def changes(
    before: Mapping[str, float],
    after: Mapping[str, float],
    first: Mapping[str, list[float]],
    second: Mapping[str, list[float]],
) -> Iterator[tuple[float, str]]:
    """(how much, in words) for each measure that both have and that is another in the second.

    One that carries intervals counts only where these have no number in common.
    """
    for name, value in after.items():
        if name not in before or math.isclose(value, before[name], rel_tol=SAME, abs_tol=1e-12):
            continue
        if name in first and name in second and first[name][0] <= second[name][1] and second[name][0] <= first[name][1]:
            continue
        size = abs(value - before[name]) / max(abs(value), abs(before[name]))
        beyond = ", beyond its interval" if name in first and name in second else ""
        yield size, f"{name} {shown(before[name])} → {shown(value)}{beyond}"


def shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4g}"
