"""Which groups of units a row of site.toml wants of a network that reads, and the sparse dictionaries it adds.

A dictionary is a folder as SAELens saves it: cfg.json, and weights in sae_weights.safetensors. Only safetensors are
read: a pickle could execute code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator import interp
from generator.files import file_digest
from generator.foreign_json import object_from_json
from generator.spec import BuildError, ModelOptions, nearest
from generator.weights import read_weights

if TYPE_CHECKING:
    from torch import nn

CONFIGURATION, WEIGHTS = "cfg.json", "sae_weights.safetensors"


class GroupOptions(ModelOptions):
    """What every source of networks that read can be told of their groups of units."""

    groups: tuple[str, ...] = Field(
        (), description='which units figures read, such as "mlp 3" or "residual *"; all if not given'
    )

    dictionaries: Mapping[str, str] = Field(
        default_factory=dict,
        description="folders of sparse dictionaries as SAELens saves them, by the group that their features become",
    )


def chosen_groups(
    name: str, settings: GroupOptions, sites: Mapping[str, interp.hooked.Site]
) -> dict[str, interp.hooked.Site]:
    """The groups that the row asks for, and those of its dictionaries."""
    for pattern in settings.groups:
        if not any(fnmatchcase(group, pattern) for group in sites):
            raise BuildError(f"models.{name}.groups: there is no group {pattern!r}{nearest(pattern, sites)}")
    wanted = (*settings.groups, *settings.dictionaries) if settings.groups else ("*",)
    return {group: site for group, site in sites.items() if any(fnmatchcase(group, one) for one in wanted)}


def dictionary_digests(settings: GroupOptions, root: Path) -> dict[str, list[str]]:
    """The digests of the two files of each dictionary, by group."""
    return {
        group: [file_digest(existing(group, root / folder / name)) for name in (CONFIGURATION, WEIGHTS)]
        for group, folder in settings.dictionaries.items()
    }


def dictionary_sites(
    settings: GroupOptions, root: Path, place: Callable[[str], tuple[nn.Module, bool, int]]
) -> dict[str, interp.hooked.Site]:
    """A group for each dictionary. place: the module that a hook's name stands for, whether what enters it is meant,
    and how wide that is.

    BuildError where a folder does not hold what it should.
    """
    found = {}
    for group, folder in sorted(settings.dictionaries.items()):
        about = configuration(group, existing(group, root / folder / CONFIGURATION))
        weights = read_weights(existing(group, root / folder / WEIGHTS))
        try:
            units = interp.dictionaries.dictionary(weights.tensors, **form(about))
            module, entering, width = place(hook_of(about))
            if width != len(units.decoder_bias):
                raise ValueError(
                    f"{hook_of(about)} is {width} wide there, and the dictionary {len(units.decoder_bias)}"
                )
        except ValueError as error:
            raise BuildError(f"dictionary {group}: {root / folder}: {error}") from error
        found[group] = interp.hooked.Site(module, entering, units)
    return found


def existing(group: str, path: Path) -> Path:
    if not path.is_file():
        pickles = [*path.parent.glob("*.pt"), *path.parent.glob("*.bin")]
        hint = f"; {pickles[0].name} is a pickle and is not read" if pickles else ""
        raise BuildError(f"dictionary {group}: there is no file {path}{hint}")
    return path


def configuration(group: str, path: Path) -> dict[str, Any]:
    try:
        return object_from_json(path.read_bytes())
    except ValueError as error:
        raise BuildError(f"dictionary {group}: {path} cannot be read: {error}") from error


def hook_of(about: Mapping[str, Any]) -> str:
    """The hook that the dictionary was trained on; newer files say it in `metadata`, or `meta`."""
    places = [about, *(about.get(name) or {} for name in ("metadata", "meta"))]
    hook = next((one["hook_name"] for one in places if one.get("hook_name")), None)
    if hook is None:
        raise ValueError(f"{CONFIGURATION} does not say hook_name")
    return str(hook)


def form(about: Mapping[str, Any]) -> dict[str, Any]:
    """What the configuration says of how features are computed; ValueError where it asks for what is not known."""
    normalised = about.get("normalize_activations", "none")
    if normalised not in ("none", None, False):
        raise ValueError(f"normalize_activations is {normalised!r}; fold it into the weights first, and say 'none'")
    if about.get("rescale_acts_by_decoder_norm"):
        raise ValueError("rescale_acts_by_decoder_norm is set; fold the norms into the weights first")
    architecture = about.get("architecture", "standard")
    function = about.get("activation_fn", about.get("activation_fn_str", "relu"))
    if architecture == "standard" and function == "topk":  # as older files say it
        architecture = "topk"
    elif function not in ("relu", "topk"):
        raise ValueError(f"its activation function is {function!r}, not relu or topk")
    older = about.get("activation_fn_kwargs") or {}
    return {
        "architecture": architecture,
        "centred": bool(about.get("apply_b_dec_to_input", True)),
        "most": about.get("k", older.get("k")),
    }
