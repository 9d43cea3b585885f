"""What the units of a network that reads text do on a data set: recorded for a whole group at once, and kept.

So the figures and pages of all units of a group cost one reading of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.artifact import Artifact, digest
from generator.channels import Layer
from generator.data import Document
from generator.deferred import Deferred
from generator.inputs import Inputs
from generator.key import code_digest, versions
from generator.model import Model
from generator.readers import check_numbers, reader_of
from generator.spec import BuildError, nearest

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

BINS = 40  # of a unit's histogram

Numbers = NDArray[np.int64]
Values = NDArray[np.float32]
RECENT: dict[str, Artifact] = {}  # the group that this process asked for last: its units come one after another


@dataclass(frozen=True)
class Group(Layer):
    """A group of units of a network that reads; its units are called by `prefix` and number."""

    prefix: str = ""

    def label(self, unit: int) -> str:
        return f"{self.prefix}{unit}"


def groups_of(model: Model) -> list[Group]:
    reader = reader_of(model)
    name = interp.reading.unit_name
    return [Group(model.name, group, count, (), prefix=name(group, 0)[:-1]) for group, count in reader.groups.items()]


def survey(inputs: Inputs) -> list[Group]:
    """The groups of the model; kept, so that the model need not be loaded again. None where it reads no text."""

    def look() -> Artifact:
        model = inputs.model
        found = groups_of(model) if model.reader is not None else []
        return Artifact(data={"groups": [[one.name, one.channels, one.prefix] for one in found]})

    name = str(inputs.model_name)
    asked = {"what": "groups", "model": inputs.library.fingerprint(name), "code": code_digest(__name__)}
    rows = inputs.kept(asked | {"versions": versions()}, look).data["groups"]
    return [Group(name, group, count, (), prefix=prefix) for group, count, prefix in rows]


def group_of(model: Model, name: str) -> Group:
    """BuildError where the model has no such group."""
    found = {group.name: group for group in groups_of(model)}
    if name not in found:
        raise BuildError(f"model {model.name} has no group of units {name!r}{nearest(name, found)}")
    return found[name]


@dataclass(frozen=True)
class Places:
    """Of one unit, in order. values: (places,). documents, positions: (places,), position in tokens. around: (places,
    span), activations, NaN beyond the ends of the document.
    """

    values: Values
    documents: Numbers
    positions: Numbers
    around: Values


@dataclass(frozen=True)
class Unit:
    """What one unit does. counts: (bins,), of its histogram from `least` to `most`. above: tokens on which it exceeds
    the threshold. active: passages in which it does. means: (tokens of the vocabulary,), its mean on each; `seen`:
    how often that was read.
    """

    highest: Places
    lowest: Places
    drawn: Places
    anywhere: Places
    counts: Numbers
    least: float
    most: float
    above: int
    active: int
    passages: int
    means: Values
    seen: Numbers


def texts(inputs: Inputs, dataset: str, split: str, most: int) -> list[Document]:
    """Documents that hold something, each cut at the length that leaves `most` characters in all."""
    found = inputs.documents(dataset, split)
    lengths = sorted(len(one.text) for one in found if one.text)
    if not lengths:
        raise BuildError(f"data set {dataset} holds no text in split {split}")
    cap, left = 0, most
    for number, length in enumerate(lengths):
        cap = left // (len(lengths) - number)
        if length > cap:
            break
        left, cap = left - length, length
    cap = max(cap, 1)
    return [Document(one.name, one.text[:cap]) for one in found if one.text]


def narrow(ids: torch.Tensor) -> torch.Tensor:
    """The same numbers in two bytes each, or four: those of a whole text are kept as long as it is read."""
    return ids.to(torch.int16 if not len(ids) or int(ids.max()) < 2**15 else torch.int32)


def likeness(reader: interp.reading.Reader, ids: Sequence[torch.Tensor]) -> torch.Tensor:
    """Numbers of tokens, equal where they differ only in case, in digits or in kind of white space."""
    present = torch.unique(torch.cat([torch.unique(one) for one in ids])).tolist()
    numbers: dict[str, int] = {}
    like = torch.zeros(present[-1] + 1, dtype=torch.long)
    for token in present:
        plain = normal(reader.token(token))
        like[token] = numbers.setdefault(plain, len(numbers))
    return like


def normal(text: str) -> str:
    """A text without what makes copies differ: case, digits, kind of white space.

    >>> normal("Copyright  2019\\n THE Authors")
    'copyright 0 the authors'
    """
    return re.sub(r"\d+", "0", re.sub(r"\s+", " ", text.lower()))


def unit(
    inputs: Inputs,
    group: Group,
    number: int,
    documents: Sequence[Document],
    wanted: interp.contexts.Wanted,
    progress: Callable[[int, int], None],
) -> Unit:
    """Of one unit of a group all of whose units are recorded together, once."""

    def record() -> Artifact:
        reader = reader_of(inputs.model)
        ids = [narrow(reader.tokens(document.text).ids) for document in documents]
        if not sum(map(len, ids)):
            raise BuildError(f"model {group.model} reads no token of the data set")
        like = likeness(reader, ids)

        check = partial(check_numbers, group.model)
        found = interp.contexts.gather(reader, ids, group.name, like, wanted, check=check, progress=progress)
        tally = found.tally
        arrays = {
            f"{name}.{part}": getattr(getattr(found, name), part).numpy()
            for name in ("highest", "lowest", "drawn", "anywhere")
            for part in ("values", "documents", "positions", "around")
        }
        arrays |= {
            "counts": tally.histogram(BINS).numpy(),
            "least": tally.least.numpy(),
            "most": tally.most.numpy(),
            "above": tally.above.numpy(),
            "active": found.active.numpy(),
            "seen": tally.seen.numpy(),
            "means": (tally.sums / tally.seen[:, None].clamp_min(1)).T.float().numpy(),  # (units, vocabulary)
        }
        return Artifact(arrays, {"passages": found.passages})

    asked = {
        "what": "contexts",
        "model": inputs.library.fingerprint(group.model),
        "random": inputs.random,
        "group": group.name,
        "texts": digest([[one.name, digest(one.text)] for one in documents]),
        "wanted": asdict(wanted),
        "code": code_digest(__name__),
        "versions": versions(),
    }
    key = digest(asked)
    if key not in RECENT or key in inputs.again or not inputs.library.store.has(key):
        kept = inputs.kept(asked, record)
        RECENT.clear()
        RECENT[key] = kept
    kept = RECENT[key]
    inputs.library.store.note(key)
    own = {name: array if name == "seen" else array[number] for name, array in kept.arrays.items()}
    return Unit(
        highest=places(own, "highest"),
        lowest=places(own, "lowest"),
        drawn=places(own, "drawn"),
        anywhere=places(own, "anywhere"),
        counts=own["counts"],
        least=float(own["least"]),
        most=float(own["most"]),
        above=int(own["above"]),
        active=int(own["active"]),
        passages=int(kept.data["passages"]),
        means=own["means"],
        seen=own["seen"],
    )


def places(arrays: Mapping[str, NDArray[Any]], name: str) -> Places:
    """Those of one unit, without the ends of rows that others fill."""
    there = arrays[f"{name}.documents"] >= 0
    values, documents, positions, around = (
        arrays[f"{name}.{part}"][there] for part in ("values", "documents", "positions", "around")
    )
    return Places(
        values.astype(np.float32), documents.astype(np.int64), positions.astype(np.int64), around.astype(np.float32)
    )
