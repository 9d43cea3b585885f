"""Files of weights: read without executing anything in them, with the card that says how they came to be.

safetensors is read as it is; a PyTorch file through `torch.load(weights_only=True)`, which refuses
any pickle that does more than name tensors.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import safe_open
from safetensors.numpy import save

from generator.artifact import Artifact, ArtifactStore, file_digest, matching, write_whole
from generator.deferred import Deferred
from generator.spec import BuildError, Step

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Deferred("torch")


@dataclass(frozen=True)
class Weights:
    """Tensors by name and what was written beside them: the network's shape, symbols or class names."""

    tensors: Mapping[str, Tensor]
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """Weights that training gave at a step, and what they measure on held-out data.

    course: what its card also tells, JSON-able, such as the losses on the way there.
    """

    step: int
    weights: Weights
    measures: Mapping[str, float]
    course: Mapping[str, Any] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Desk:
    """Where a training tells how far it is, and keeps what it needs to go on should it be stopped.

    report: steps done, of how many, and a word about them. model: whose training it is.
    """

    report: Callable[[int, int, str], None]
    store: ArtifactStore
    key: str
    model: str = ""

    def kept(self) -> Artifact | None:
        """What was kept last; None where no training of this recipe is unfinished."""
        return self.store.get(self.key)

    def keep(self, unfinished: Artifact) -> None:
        self.store.put(self.key, replace(unfinished, provenance={"unfinished": self.model}))

    def clear(self) -> None:
        self.store.drop(self.key)


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights on disk; not yet read."""

    path: Path

    @cached_property
    def step(self) -> int | None:
        """The last number in the file's name, or else what its card says."""
        numbers = re.findall(r"\d+", self.path.stem)
        if numbers:
            return int(numbers[-1])
        try:
            return int(json.loads(self.path.with_suffix(".json").read_text("utf-8"))["step"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def name(self) -> Step:
        """Its step, or, where none is told, the file's name without its ending."""
        return self.path.stem if self.step is None else self.step

    def digest(self) -> str:
        return file_digest(self.path)

    def card(self) -> dict[str, Any]:
        """The training card beside the file (same name, .json); empty where there is none."""
        path = self.path.with_suffix(".json")
        try:
            card = dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}
        except ValueError as error:
            raise BuildError(f"training card {path}: {error}") from error
        if "weights" in card and card["weights"] != self.digest():
            raise BuildError(
                f"training card {path} is of other weights than {self.path.name}; train again, or remove it"
            )
        return card


def checkpoints(root: Path, pattern: str) -> list[Checkpoint]:
    """The files that a glob names, by their steps, else by time; the newest last. One that vanishes is left out."""
    found = []
    for path in matching(root, pattern) if pattern else ():
        one = Checkpoint(path)
        with suppress(FileNotFoundError):
            found.append(((one.step is not None, one.step or 0, path.stat().st_mtime, path.name), one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def read_weights(path: Path) -> Weights:
    """Read a checkpoint. A truncated file, or a pickle that would execute something, is a BuildError."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
                about = {name: plain(text) for name, text in (file.metadata() or {}).items() if name != "format"}
            return Weights(
                {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
                about,
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch finds odd about a pickle is told by its error
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BuildError(
            f"checkpoint {path} holds more than tensors, so reading it could execute code, and it is refused; "
            "save model.state_dict() with safetensors.torch.save_file"
        ) from error
    except Exception as error:  # a damaged file shows as anything that a reader of zips and pickles may raise
        raise BuildError(f"checkpoint {path} cannot be read ({error}); is it truncated?") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise BuildError(f"checkpoint {path} holds no state dict (a mapping of names to tensors)")
    return Weights(dict(state))


def plain(text: str) -> Any:
    """A value of safetensors' metadata: JSON as we write it, or the free text of others."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def write_weights(path: Path, weights: Weights, card: Mapping[str, Any], half: bool = True) -> None:
    """Write a checkpoint and its card. `half`: float32 is kept as float16, which halves the file."""
    tensors = {
        name: (tensor.half() if half and tensor.dtype == torch.float32 else tensor).detach().contiguous().numpy()
        for name, tensor in weights.tensors.items()
    }
    about = {name: json.dumps(value) for name, value in weights.about.items()}
    content = save(tensors, about)
    # The card says of which weights it is: should the second write not be reached, an old card is not believed.
    card = {**card, "weights": hashlib.sha256(content).hexdigest()}
    write_whole(path, content)
    write_whole(path.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())
