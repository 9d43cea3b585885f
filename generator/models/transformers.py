"""Source `transformers`: any model of Hugging Face's library of one stack of blocks, from a folder or the local cache.

Weights are read from safetensors, or from PyTorch files with weights_only=True; code that a model brings is never run,
and nothing is downloaded unless the row says so.
"""

from __future__ import annotations

import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.deferred import Deferred
from generator.files import file_digest
from generator.foreign_json import object_from_json
from generator.groups import GroupOptions, chosen_groups, dictionary_digests, dictionary_sites
from generator.model import Model
from generator.spec import BuildError
from generator.weights import Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")
transformers = Deferred("transformers")
huggingface_hub = Deferred("huggingface_hub")

MOST = 1024  # tokens at once where the row does not say
READ = ("*.json", "*.txt", "*.model")  # files beside the weights that decide what a model does
UNREAD = ("pooler.",)  # parts that no figure reads, and many checkpoints lack


class Settings(GroupOptions):
    """[models.NAME] with source = "transformers"."""

    source: Literal["transformers"]
    pretrained: str = Field(
        description='a folder, relative to the content folder; "package:folder" of an installed package; or the name '
        "of a model of the Hugging Face hub, which must be in the local cache"
    )
    revision: str = Field("main", description="of a model of the hub: a branch, or better the commit itself")
    download: bool = Field(False, description="whether a model that is not in the cache may be downloaded")
    context: int | None = Field(
        None, ge=2, description=f"tokens read at once; as many as the model can, and up to {MOST}, if not given"
    )


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    """The digests of the files' bytes, read without loading anything."""
    return {
        "files": {path.name: file_digest(path) for path in files(folder(settings, root))},
        "dictionaries": dictionary_digests(settings, root),
    }


def folder(settings: Settings, root: Path) -> Path:
    """Where the model's files lie; BuildError where they are not on this machine."""
    name = settings.pretrained
    package, _, inside = name.partition(":")
    if (root / name / "config.json").is_file():
        return root / name
    if inside:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise BuildError(f"pretrained {name}: there is no package {package!r}; pip install it")
        found = Path(next(iter(spec.submodule_search_locations))) / inside
        if (found / "config.json").is_file():
            return found
        raise BuildError(f"pretrained {name}: there is no config.json in {found}")
    cached = in_cache(name, settings.revision)
    if cached is None and settings.download:
        try:
            allowed = [*READ, "*.safetensors"]
            return Path(huggingface_hub.snapshot_download(name, revision=settings.revision, allow_patterns=allowed))
        except Exception as error:  # the network's, the hub's, or that the package is not there
            raise BuildError(f"pretrained {name}: it could not be downloaded: {error}") from error
    if cached is None:
        raise BuildError(
            f"pretrained {name}: there is no folder {root / name} with a config.json, and the local cache holds no "
            f"model of this name; give another folder, or let it be downloaded with `download = true`"
        )
    return cached


def in_cache(name: str, revision: str) -> Path | None:
    """The folder of a model in the cache of the hub (https://huggingface.co/docs/huggingface_hub/guides/manage-cache)."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{name.replace('/', '--')}"
    pointer = cache / "refs" / revision
    found = cache / "snapshots" / (pointer.read_text().strip() if pointer.is_file() else revision)
    return found if (found / "config.json").is_file() else None


def files(place: Path) -> list[Path]:
    """What is read of a model's folder: of safetensors and PyTorch files, the first that there are."""
    weights = sorted(place.glob("*.safetensors")) or sorted(place.glob("*.bin"))
    if not weights:
        raise BuildError(f"{place} holds no weights, neither *.safetensors nor *.bin")
    return weights + sorted(path for pattern in READ for path in place.glob(pattern))


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The model of the folder, or, where weights hold no tensors, one of its shape as `seed` initialises it."""
    place = folder(settings, root)
    if find_spec("transformers") is None:
        raise BuildError(f"model {name}: its source needs transformers: pip install 'whatfires[transformers]'")
    assert interp.vision.torchvision  # transformers imports it as it is, which fails where its operators are missing
    transformers.utils.logging.disable_progress_bar()
    network = loaded(name, place) if weights is None else random(name, place, seed)
    network = network.eval().requires_grad_(False)
    try:
        parts = interp.transformers.anatomy(network, network.config.num_attention_heads)
    except (AttributeError, ValueError) as error:
        raise BuildError(f"model {name}: the source does not know {type(network).__name__}: {error}") from error
    sites = {**parts.sites(), **dictionary_sites(settings, root, parts.place)}
    words = tokenizer(name, place)
    can = [one for one in (getattr(network.config, "max_position_embeddings", None), words.model_max_length) if one]
    reader = interp.hooked.Hooked(
        network,
        chosen_groups(name, settings, sites),
        adapted(words),
        settings.context or min([MOST, *can]),
        partial(interp.transformers.run, network),
        attention=lambda ids: interp.transformers.attention(network, ids),
        unembed=interp.transformers.unembedding(network, parts),
    )
    return Model(name, network, reader=reader)


def architecture(name: str, place: Path) -> Any:
    """The class of the library that the folder's config.json names."""
    try:
        names = object_from_json((place / "config.json").read_bytes()).get("architectures") or ["none"]
    except ValueError as error:
        raise BuildError(f"model {name}: {place / 'config.json'} cannot be read: {error}") from error
    found = getattr(transformers, str(names[0]), None)
    if found is None:
        raise BuildError(f"model {name}: transformers has no {names[0]}, and code that a model brings is not run")
    return found


def loaded(name: str, place: Path) -> Any:
    """The network with its weights. BuildError where some are missing, or a file would execute code."""
    kind = architecture(name, place)
    try:
        network, told = kind.from_pretrained(
            place, local_files_only=True, weights_only=True, dtype=torch.float32, output_loading_info=True
        )
    except Exception as error:  # damaged files show as anything
        raise BuildError(f"model {name}: {place} cannot be loaded: {error}") from error
    missing = sorted(key for key in told["missing_keys"] if not any(part in key for part in UNREAD))
    if missing:
        raise BuildError(f"model {name}: the weights in {place} lack {missing[0]!r} and {len(missing) - 1} others")
    return network


def random(name: str, place: Path, seed: int) -> Any:
    kind = architecture(name, place)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(transformers.AutoConfig.from_pretrained(place, local_files_only=True))


def tokenizer(name: str, place: Path) -> Any:
    try:
        return transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
    except Exception as error:  # a folder without one, or with a damaged one, shows as anything
        raise BuildError(f"model {name}: {place} holds no tokenizer that can be read: {error}") from error


def adapted(words: Any) -> interp.tokenising.Tokenizer:
    """The library's tokenizer. Of a slow one, which tells no offsets, they are found by decoding."""

    def encode(text: str) -> tuple[list[int], list[tuple[int, int]] | None]:
        found = words(text, return_offsets_mapping=words.is_fast, verbose=False)
        return found["input_ids"], found.get("offset_mapping")

    return interp.tokenising.Tokenizer(
        encode,
        lambda ids: str(words.decode(list(ids), clean_up_tokenization_spaces=False)),
        frozenset(words.all_special_ids),
        len(words),
    )
