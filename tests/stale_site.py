"""A small report that has one of everything that a figure can depend on, with code of its author's beside the posts."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from generator import interp
from generator.artifact import Artifact, ArtifactStore
from generator.models.char_rnn import SYMBOLS
from generator.pipeline import Outcome, build
from generator.runners import here
from generator.spec import Job
from generator.weights import Weights, write_weights
from tests.conftest import PYTHON, forget_code

TOML = """
title = "Stale or not"

[models.reader]
source = "char-rnn"
checkpoints = "checkpoints/reader/*.safetensors"

[models.pupil]
source = "char-rnn"
corpus = "texts"
train = { width = 6, embedding = 4, steps = 2, batch = 4, window = 16 }

[models.seer]
source = "python"
factory = "nets:make"
checkpoints = "checkpoints/seer/*.safetensors"
channels = 3
height = 16
width = 16
classes = ["a", "b", "c"]

[datasets.texts]
source = "text"
path = "texts/*.py"

[datasets.pictures]
source = "image-folder"
path = "pictures"

[datasets.masked]
source = "image-folder"
path = "pictures"
masks = "masks"
"""

FIRST = """---
title: First
date: 2026-01-02
---

```figure
id: coloured
kind: activation-text
model: reader
units: [{index: 1}]
text: {dataset: texts, length: 40}
caption: A text.
```

```figure
id: alike
kind: activation-text
model: reader
units: [{index: 1}]
text: {dataset: texts, length: 40}
```

```figure
id: marked
kind: activation-text
model: reader
dataset: texts
units: [{concept: marked, group: hidden}]
text: {literal: "the green tree"}
documents: 2
length: 100
functions: {marked: "concepts:marked", early: "concepts:early"}
```

```figure
id: written
kind: sample
model: pupil
length: 12
temperatures: [1.0]
seed: 3
```

```figure
id: curve
kind: training-curve
models: [reader]
```

--8<-- "parts/shared.md"
"""

SECOND = """---
title: Second
date: 2026-01-03
---

```figure
id: grown
kind: class-image
model: seer
classes: [a]
steps: 1
size: 16
```

```figure
id: mapped
kind: activation-maps
model: seer
image: {file: cat.png}
layer: conv1
count: 2
size: 16
```

```figure
id: filters
kind: templates
model: seer
layer: conv1
```

```figure
id: labelled
kind: dissection
model: seer
layer: relu1
dataset: masked
images: 8
```

```figure
id: classed
kind: dissection
model: seer
layer: relu1
dataset: pictures
images: 8
```
"""

SHARED = """## In common

Words that two posts may share.

```figure
id: shared
kind: sample
model: reader
length: 8
temperatures: [1.0]
```
"""

CODE = {
    "concepts.py": '''"""Concepts of text."""
import numpy as np

import words


def marked(text):
    """Whether a character is one of the marks."""
    return np.array([one in words.MARKS for one in text], dtype=bool)


def early(text):
    return np.arange(len(text)) < 50
''',
    "words.py": 'MARKS = "eo"\n',
    "nets.py": '''"""Networks."""
from collections import OrderedDict

from torch import nn

from layers import first


def make():
    return nn.Sequential(
        OrderedDict(
            conv1=first(), relu1=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten(), head=nn.Linear(16, 3)
        )
    )
''',
    "layers/__init__.py": "from layers.convolutions import first\n",
    "layers/convolutions.py": "from torch import nn\n\n\ndef first():\n    return nn.Conv2d(3, 4, 3, stride=2, padding=1)\n",
    "unrelated.py": "x = 1\n",
}


class StaleSite:
    """The report, and which of its figures a build computes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.content, self.out = folder, folder / "content", folder / "site"
        self.store = ArtifactStore(folder / "store")

    def path(self, name: str) -> Path:
        return self.content / name

    def write(self, name: str, text: str) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def swap(self, name: str, old: str, new: str) -> None:
        """Replace what stands in a file, once."""
        text = self.path(name).read_text()
        assert old in text
        self.path(name).write_text(text.replace(old, new, 1))

    def swap_unseen(self, name: str, old: str, new: str) -> None:
        """The same, such that the file's size and time stay what they were."""
        before = self.path(name).stat()
        self.swap(name, old, new)
        os.utime(self.path(name), ns=(before.st_atime_ns, before.st_mtime_ns))
        after = self.path(name).stat()
        assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    def build(self) -> Outcome:
        forget_code()
        return build(self.content, self.out, self.store)

    def recomputed(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """Build, and return the ids of the figures whose artifacts were computed."""
        keys: set[str] = set()
        compute: Callable[..., Artifact] = here.computed

        def noted(job: Job, *more: object) -> Artifact:
            keys.add(job.key)
            return compute(job, *more)

        with monkeypatch.context() as patch:
            patch.setattr(here, "computed", noted)
            self.build()
        figures = json.loads((self.out / "report.json").read_text())["figures"]
        return {figure["id"] for figure in figures if figure["key"] in keys}


def write_site(folder: Path) -> StaleSite:
    """The report as it is before anything is edited."""
    site = StaleSite(folder)
    for name, text in {
        "site.toml": TOML, "posts/first.md": FIRST, "posts/second.md": SECOND, "parts/shared.md": SHARED, **CODE,
    }.items():  # fmt: skip
        site.write(name, text)
    for number in range(10):
        site.write(f"texts/text{number}.py", PYTHON.format(number) * 3)
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        for number in range(4):
            pixels = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            picture(site.path(f"pictures/test/{label}/{number}.png"), pixels)
            picture(site.path(f"masks/test/{label}/{number}.png"), (pixels[..., 0] > 128).astype(np.uint8))
    picture(site.path("cat.png"), random.integers(0, 255, (16, 16, 3), dtype=np.uint8))
    for step in (1, 2, 3):
        reader_checkpoint(site, step)
        seer_checkpoint(site, step)
    return site


def picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def reader_checkpoint(site: StaleSite, step: int) -> None:
    torch.manual_seed(step)
    shape = {"cell": "rnn", "layers": 1, "width": 6, "embedding": 4}
    network = interp.recurrent.CharRNN(len(SYMBOLS), **shape)
    card = {"step": step, "recipe": {"batch": 4, "window": 16}, "measures": {"loss": 4.0 - step / 10}}
    path = site.path(f"checkpoints/reader/step-{step}.safetensors")
    write_weights(path, Weights(network.state_dict(), {"shape": shape, "symbols": SYMBOLS}), card)


def seer_checkpoint(site: StaleSite, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    shapes = {"conv1.weight": (4, 3, 3, 3), "conv1.bias": (4,), "head.weight": (3, 16), "head.bias": (3,)}
    path = site.path(f"checkpoints/seer/step-{step}.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}, path)


def copied(site: StaleSite, folder: Path) -> StaleSite:
    """The same report and store in another folder; times are kept."""
    shutil.copytree(site.folder, folder, dirs_exist_ok=True)
    return StaleSite(folder)
