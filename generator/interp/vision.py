"""The one way to torchvision: importable also where its compiled operators are missing.

As it is imported, torchvision describes its operators `nms` and `qnms` to PyTorch, and fails if nothing has
defined them, as where it was compiled for another PyTorch than the one that runs. Networks that classify
never call them, so where they are missing their schemas are defined first: names without a kernel.
Calling one still fails, with PyTorch's own message.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def load_compiled(folders: Iterable[Path]) -> None:
    """Load torchvision's compiled operators from its folders, as its own import would; where that fails, do nothing."""
    for path in (file for folder in folders for file in folder.glob("_C*.[sp][oy]*")):
        with suppress(OSError):
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]


def define_missing(namespace: str = "torchvision") -> torch.library.Library | None:
    """Define those of the schemas that nothing defines yet; they last as long as what is returned."""
    missing = [schema for name, schema in SCHEMAS.items() if not hasattr(getattr(torch.ops, namespace), name)]
    if not missing:
        return None
    library = torch.library.Library(namespace, "DEF")  # type: ignore[no-untyped-call]
    for schema in missing:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library


found = find_spec("torchvision")
if found is None:
    raise ModuleNotFoundError("torchvision is not installed", name="torchvision")
load_compiled(map(Path, found.submodule_search_locations or ()))
definitions = define_missing()

import torchvision  # noqa: E402  (its operators must be defined by now)
from torchvision import models  # noqa: E402

__all__ = ["define_missing", "definitions", "models", "torchvision"]


def imagenet_classes() -> list[str]:
    """The thousand classes of ILSVRC 2012, in the order of the logits of all networks trained on it."""
    return list(models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
