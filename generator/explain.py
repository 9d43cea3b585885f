"""Why a figure would be computed again: which of its inputs is another than when the site was written.

What the site shows is named in its report.json, and what that was made of stands in the kept artifact; a build of the
content as it is now says what a figure would be made of. Nothing is computed here, and nothing is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from generator import code_lists
from generator.calling import full_name
from generator.foreign_json import object_from_json
from generator.plan import Plan
from generator.spec import Job

SHORT = 7  # digits of a digest that are told
LONG = 60  # characters of a value that are told
ABSENT = object()  # in place of a value that is not there
CODE = {"code", "factory", "tokenizer", "functions"}  # ingredients that are digests of code


@dataclass(frozen=True)
class Account:
    """One figure. changes: what is another than when the site was written, in words.

    stale: the build would compute it. new: it would, and the site does not show it yet.
    """

    name: str
    state: Literal["fresh", "stale", "new"]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What a site shows: the key of each figure by page and id, and its models' rows in report.json."""

    keys: Mapping[tuple[str, str], str]
    models: Mapping[str, Mapping[str, Any]]


def shown_in(report: Path) -> Shown:
    """Of a site's report.json; nothing where there is none that can be read."""
    try:
        account = object_from_json(report.read_bytes())
        keys = {(row["page"], row["id"]): str(row["key"]) for row in account["figures"]}
        return Shown(keys, dict(account["models"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Shown({}, {})


def explained(plan: Plan, places: Sequence[tuple[str, str]], shown: Shown) -> list[Account]:
    """Of each of these figures, (page, id), in their order."""
    return [account(plan, place, shown) for place in places]


def lines_of(accounts: Sequence[Account], whole: bool) -> Iterator[str]:
    """The accounts for people: one line for each figure that would be computed if this is the `whole` site."""
    states = {"fresh": "fresh", "stale": "stale", "new": "never computed"}
    for one in accounts:
        told = f"{one.name}: {states[one.state]}"
        if not whole:
            yield "\n  ".join([told, *one.changes])
        elif one.state != "fresh":
            yield ": ".join([told, *(["; ".join(one.changes)] if one.changes else [])])
    count = sum(one.state != "fresh" for one in accounts)
    yield f"{count} of {len(accounts)} figures would be computed"


def account(plan: Plan, place: tuple[str, str], shown: Shown) -> Account:
    job, store = plan.jobs[place], plan.library.store
    name, before = full_name(place, plan.posts, plan.library.root), shown.keys.get(place)
    there = {one.key: store.whole(one.key) for one in job.all()}
    changes = () if before in (None, job.key) else tuple(changed(plan, job, str(before), shown))
    if all(there.values()):
        return Account(name, "fresh", changes)
    if any(store.has(key) for key, whole in there.items() if not whole):
        changes = (*changes, "what is kept of it is damaged")
    elif before == job.key:
        gone = "its control is not computed yet" if there[job.key] else "its artifact is not kept any more"
        changes = (gone,)
    return Account(name, "new" if before is None else "stale", changes)


def changed(plan: Plan, job: Job, before: str, shown: Shown) -> Iterator[str]:
    """Which ingredients of a figure are others than those of the artifact that the site shows, in words."""
    old: dict[str, Any] = dict(plan.library.store.provenance(before).get("ingredients", {}))
    if not old:
        yield f"what it was made of is not known any more: the artifact {before[:SHORT]} is not kept"
        return
    new = dict(job.ingredients)
    if old["kind"] != new["kind"]:
        yield f"kind: {old['kind']} → {new['kind']}"
        for ingredients in (old, new):
            ingredients.update(options={}, code="", data={}, files={}, functions={})
    told: set[str] = set()
    for path, one, other in differences(old, new):
        line = described(plan, job, shown, path, one, other)
        if line not in told:  # a model that is trained names the same versions once more
            told.add(line)
            yield line


def differences(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, value, other value) wherever two things that are JSON-able differ; ABSENT where one has nothing.

    >>> list(differences({"a": [1, 2], "b": 3}, {"a": [1, 4], "b": 3}))
    [(('a', '1'), 2, 4)]
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, (*path, str(number)))
    elif old != new:
        yield path, old, new


def described(plan: Plan, job: Job, shown: Shown, path: tuple[str, ...], old: Any, new: Any) -> str:
    """One difference, named as its author knows the thing."""
    top, *rest = path
    options, model = job.options.model_dump(mode="json"), str(job.options.model)
    if top == "options":
        return f"{'.'.join(rest)}: {value(old)} → {value(new)}"
    if top == "code":
        return f"code of kind {job.kind}: {code(plan, old, new)}"
    if top == "versions":
        return f"{rest[0]}: {value(old)} → {value(new)}" if rest else "versions of libraries"
    if top == "functions":
        return f"code of concept {rest[0]}: {code(plan, old, new)}" if rest else "concept functions"
    if top == "files" and rest:
        return f"file {at(options, rest[0])}: {value(old)} → {value(new)}"
    if top == "data" and rest:
        name = at(options, rest[0]) if rest[0] != "model" else plan.library.taught_on(model)
        return of_data(plan, f"data set {name}", rest[1:], old, new)
    if top == "earlier":
        return f"the checkpoint before the newest of model {model}: {value(old)} → {value(new)}"
    if top == "model":
        return of_model(plan, shown, model, rest, old, new)
    if top == "models" and rest[1:2] == ["of"]:
        return of_model(plan, shown, rest[0], rest[2:], old, new)
    if top == "models" and rest:
        return f"cards of model {rest[0]}"
    if top == "trained" and rest:
        return of_model(plan, shown, model, rest[1:], old, new)
    return f"{'.'.join(path)}: {value(old)} → {value(new)}"


def of_model(plan: Plan, shown: Shown, name: str, path: Sequence[str], old: Any, new: Any) -> str:
    """A difference in the fingerprint of a model."""
    if not path:
        return f"model {name}"
    top, *rest = path
    if top == "checkpoint":
        before = shown.models.get(name, {})
        file = before.get("checkpoint") if before.get("digest") == old else None
        newest = plan.library.checkpoint(name) if name in plan.library.models else None
        return (
            f"checkpoint of model {name}: {weights(file, old)} → {weights(newest.path.name if newest else None, new)}"
        )
    if top in CODE:
        what = {"code": "source", "factory": "factory", "tokenizer": "tokenizer"}[top]
        return f"code of the {what} of model {name}: {code(plan, old, new)}"
    if top == "versions" and rest:
        return f"{rest[0]}: {value(old)} → {value(new)}"
    if top == "data":
        return of_data(
            plan, f"data set {plan.library.taught_on(name)}, which model {name} is trained on", rest, old, new
        )
    if top in ("settings", "recipe") and rest:
        return f"{top} of model {name}: {'.'.join(rest)}: {value(old)} → {value(new)}"
    return f"{'.'.join(path)} of model {name}: {value(old)} → {value(new)}"


def of_data(plan: Plan, what: str, path: Sequence[str], old: Any, new: Any) -> str:
    """A difference in the fingerprint of a data set."""
    if path and path[0] == "digest":
        return f"files of {what}: {value(old)} → {value(new)}"
    if path and path[0] == "code":
        return f"code of {what}: {code(plan, old, new)}"
    key = f"{'.'.join(path[1:])}: " if path[1:] else ""
    return f"{what}: {key}{value(old)} → {value(new)}"


def code(plan: Plan, old: Any, new: Any) -> str:
    """Which modules two digests of code differ in."""
    before, after = (code_lists.recall(plan.library.store, one) if isinstance(one, str) else None for one in (old, new))
    if before is None or after is None:
        return f"{value(old)} → {value(new)}"
    found = []
    for name, one, other in ((path[0], one, other) for path, one, other in differences(before, after)):
        if one is ABSENT or other is ABSENT:
            found.append(f"{name} ({'new' if one is ABSENT else 'gone'})")
        else:
            found.append(f"{name} {one[:SHORT]} → {other[:SHORT]}")
    return ", ".join(found)


def weights(file: str | None, digest: Any) -> str:
    if digest is ABSENT:
        return "none"
    return f"{file} ({value(digest)})" if file else value(digest)


def value(one: Any) -> str:
    """A value as an author writes it; a digest by its first digits."""
    if one is ABSENT:
        return "none"
    if isinstance(one, str) and len(one) == 64 and set(one) <= set("0123456789abcdef"):
        return one[:SHORT]
    text = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"


def at(options: Any, path: str) -> str:
    """The option at a dotted path."""
    for part in path.split("."):
        options = options[int(part)] if isinstance(options, list) else options[part]
    return str(options)
