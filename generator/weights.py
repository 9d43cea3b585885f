"""Files of weights: read without executing anything in them, with the card that says how they came to be.

safetensors is read as it is; a PyTorch file through `torch.load(weights_only=True)`, which refuses
any pickle that does more than name tensors, where `pickled` has no objection to the file. A file is read into memory
once, and what is parsed is what was read: a training run may write it anew at any time, and a map of a file that
shrinks ends the process.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from generator.artifact import Artifact, ArtifactStore, digest
from generator.deferred import Deferred
from generator.files import file_digest, matching, write_whole
from generator.foreign_json import from_json, object_from_json
from generator.pickled import objection
from generator.spec import BuildError, Changed, Step, shown

if TYPE_CHECKING:
    import torch
    from safetensors import numpy as array_files
    from safetensors import torch as tensor_files
    from torch import Tensor
else:
    torch, tensor_files = Deferred("torch"), Deferred("safetensors.torch")
    array_files = Deferred("safetensors.numpy")


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
        return self.store.get(self.key, f"the unfinished training of model {self.model}")

    def keep(self, unfinished: Artifact) -> None:
        self.store.put(self.key, replace(unfinished, provenance={"unfinished": self.model}))

    def clear(self) -> None:
        self.store.drop(self.key)


class Sight(Protocol):
    """What a build sees of files of weights: which there are for it, what they hold, and their cards."""

    def sees(self, path: Path) -> bool: ...

    def digest(self, path: Path) -> str: ...

    def content(self, path: Path) -> bytes: ...

    def card(self, path: Path) -> bytes | None: ...


class AsTheyAre:
    """Every file, as it is on disk."""

    def sees(self, path: Path) -> bool:
        return True

    def digest(self, path: Path) -> str:
        return file_digest(path)

    def content(self, path: Path) -> bytes:
        return path.read_bytes()

    def card(self, path: Path) -> bytes | None:
        return card_beside(path)


def card_beside(path: Path) -> bytes | None:
    """The training card of a file of weights, None where there is none."""
    try:
        return path.with_suffix(".json").read_bytes()
    except FileNotFoundError:
        return None


AS_THEY_ARE = AsTheyAre()


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights on disk; not yet read. Its digest is taken once, and only weights that have it are loaded."""

    path: Path
    sight: Sight = AS_THEY_ARE

    @cached_property
    def step(self) -> int | None:
        """The last number in the file's name, or else what its card says."""
        numbers = re.findall(r"\d+", self.path.stem)
        if numbers:
            return int(numbers[-1])
        try:
            return int(object_from_json(self.sight.card(self.path) or b"")["step"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None

    @property
    def name(self) -> Step:
        """Its step, or, where none is told, the file's name without its ending."""
        return self.path.stem if self.step is None else self.step

    def digest(self) -> str:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        try:
            return self.sight.digest(self.path)
        except FileNotFoundError as error:
            raise Changed(f"checkpoint {self.path} was removed while the build was at work; build again") from error

    @cached_property
    def outline(self) -> str:
        """Digest of the names and shapes of its tensors, as far as the file tells them unread; "" where it does not.

        Of safetensors from the header; of PyTorch's zip the sizes of its tensors.
        """
        try:
            content = self.sight.content(self.path)
            if self.path.suffix == ".safetensors":
                header = header_of(content)
                return digest({name: row["shape"] for name, row in header.items() if name != "__metadata__"})
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = archive.infolist()
            return digest([one.file_size for one in members if re.search(r"/data/\d+$", one.filename)])
        except Exception:  # damage shows as anything; reading the file will tell
            return ""

    def weights(self) -> Weights:
        """Its weights. Changed where the file no longer holds what the digest was taken of."""
        wanted = self.digest()
        try:
            content = self.sight.content(self.path)
        except FileNotFoundError as error:
            raise Changed(f"checkpoint {self.path} was removed while the build was at work; build again") from error
        if hashlib.sha256(content).hexdigest() != wanted:
            raise Changed(f"checkpoint {self.path} changed while the build was at work; build again")
        return weights_of(content, self.path)

    def card(self) -> dict[str, Any]:
        """The training card beside the file (same name, .json); empty where there is none."""
        return self._card

    @cached_property
    def _card(self) -> dict[str, Any]:
        path = self.path.with_suffix(".json")
        try:
            written = self.sight.card(self.path)
            card = {} if written is None else from_json(written)
        except ValueError as error:
            raise BuildError(f"training card {shown(path)}: {error}") from error
        if not isinstance(card, dict):
            raise BuildError(f'training card {shown(path)} is no JSON object, such as {{"step": 500, "measures": …}}')
        if "weights" in card and card["weights"] != self.digest():
            raise BuildError(
                f"training card {shown(path)} is of other weights than {self.path.name}; train again, or remove it"
            )
        return card


def checkpoints(root: Path, pattern: str, sight: Sight = AS_THEY_ARE) -> list[Checkpoint]:
    """The files that a glob names, by their steps, else by time; the newest last.

    Those that `sight` does not see are left out, and so are those that vanish.
    """
    found = []
    for path in matching(root, pattern) if pattern else ():
        one = Checkpoint(path, sight)
        with suppress(FileNotFoundError):
            written = path.stat().st_mtime
            if sight.sees(path):
                found.append(((one.step is not None, one.step or 0, written, path.name), one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def read_weights(path: Path) -> Weights:
    """Read a file of weights. A truncated one, or a pickle that would execute something, is a BuildError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BuildError(f"checkpoint {shown(path)} cannot be read ({error.strerror})") from error
    return weights_of(content, path)


def weights_of(content: bytes, path: Path) -> Weights:
    """The weights in the bytes of a file; `path` says of which sort it is, and is named by errors."""
    try:
        if path.suffix == ".safetensors":
            tensors = tensor_files.load(content)
            header = header_of(content)
            about = {name: plain(text) for name, text in header.get("__metadata__", {}).items() if name != "format"}
            return Weights({name: as_float(tensor) for name, tensor in plain_tensors(tensors, path).items()}, about)
        if reason := objection(content):
            raise BuildError(f"checkpoint {shown(path)} is refused: {reason}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch finds odd about a pickle is told by its error
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except BuildError:
        raise
    except pickle.UnpicklingError as error:
        raise BuildError(
            f"checkpoint {shown(path)} holds more than tensors, so reading it could execute code, and it is refused; "
            "save model.state_dict() with safetensors.torch.save_file"
        ) from error
    except Exception as error:  # a damaged file shows as anything that a reader of zips and pickles may raise
        raise BuildError(f"checkpoint {shown(path)} cannot be read ({error}); is it truncated?") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    named = isinstance(state, Mapping) and all(isinstance(name, str) for name in state)
    if not named or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise BuildError(f"checkpoint {shown(path)} holds no state dict (a mapping of names to tensors)")
    return Weights(plain_tensors(state, path))


def header_of(content: bytes) -> dict[str, Any]:
    """The header of a safetensors file: 8 bytes tell its length. ValueError where it is none."""
    return object_from_json(content[8 : 8 + int.from_bytes(content[:8], "little")])


def plain_tensors(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors of a file. BuildError of one that no network can be filled with, or that claims to be large."""
    if not tensors:
        raise BuildError(f"checkpoint {shown(path)} holds no tensors")
    for name, tensor in tensors.items():
        if tensor.is_complex() or tensor.is_quantized or tensor.is_meta or tensor.layout != torch.strided:
            raise BuildError(f"checkpoint {shown(path)}: {name!r} is not a dense tensor of real numbers")
        if tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
            shape = tuple(tensor.shape)
            raise BuildError(f"checkpoint {shown(path)}: {name!r} is {shape}, and the file holds fewer numbers")
    return dict(tensors)


def as_float(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def plain(text: str) -> Any:
    """A value of safetensors' metadata: JSON as we write it, or the free text of others."""
    try:
        return from_json(text)
    except ValueError:
        return text


def write_weights(path: Path, weights: Weights, card: Mapping[str, Any], half: bool = True) -> None:
    """Write a checkpoint and its card. `half`: float32 is kept as float16, which halves the file."""
    tensors = {
        name: (tensor.half() if half and tensor.dtype == torch.float32 else tensor).detach().contiguous().numpy()
        for name, tensor in weights.tensors.items()
    }
    about = {name: json.dumps(value) for name, value in weights.about.items()}
    content = array_files.save(tensors, about)
    # The card says of which weights it is: should the second write not be reached, an old card is not believed.
    card = {**card, "weights": hashlib.sha256(content).hexdigest()}
    write_whole(path, content)
    write_whole(path.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())
