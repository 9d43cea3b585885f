"""What data sets give: images with their classes, or documents of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Images:
    """pixels: uint8, (images, height, width, channels), sRGB or grey; labels: (images,) indices into classes.

    skipped: a sentence for each image that could not be read, and so is missing. names: of the files, where they are
    files, such as test/cat/1.jpg. masks: uint8, (images, height, width), which of the `concepts` each pixel shows,
    counted from 1; 0 is none.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    masks: NDArray[np.uint8] | None = None
    concepts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A text and its name, unique in its data set."""

    name: str
    text: str


class Documents(Sequence[Document]):
    """Documents that are read when they are asked for, and not kept: together they may be larger than memory."""

    def __init__(self, readers: Sequence[Callable[[], Document]]) -> None:
        self.readers = readers

    def __len__(self) -> int:
        return len(self.readers)

    @overload
    def __getitem__(self, number: int) -> Document: ...

    @overload
    def __getitem__(self, number: slice) -> Documents: ...

    def __getitem__(self, number: int | slice) -> Document | Documents:
        return Documents(self.readers[number]) if isinstance(number, slice) else self.readers[number]()
