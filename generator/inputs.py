"""What a kind's `compute` may ask for: its model, its images, its texts. Nothing is loaded before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.artifact import Artifact, digest
from generator.data import Document, Images
from generator.decoding import opened
from generator.deferred import Deferred
from generator.key import code_digest, versions
from generator.library import Library
from generator.machine import processor
from generator.model import Model
from generator.seeing import image_of
from generator.spec import BuildError, Changed, ImageChoice, TextChoice, nearest

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")
skimage = Deferred("skimage")

PACES: dict[str, interp.pace.Pace] = {}  # measured by this process, whichever store they are kept in


@dataclass(frozen=True)
class Inputs:
    """The library of the site, and the part of it that one figure works on."""

    library: Library
    model_name: str | None = None
    progress: Callable[[int, int], None] = lambda done, total: None
    random: int | None = None  # the seed of random weights, in place of the model's own
    again: set[str] = field(default_factory=set)  # keys of what is to be made again once, though it is kept
    chooser: str | None = None  # the network in which units are found by concept, where it is another

    @property
    def chosen_in(self) -> Model:
        """Where the units of a concept are found: in a timeline at its newest, lest each step show another unit."""
        return self.model if self.chooser is None else self.library.model(self.chooser)

    @property
    def model(self) -> Model:
        """The figure's model, in a control with random weights; BuildError where the figure names none."""
        if self.random is not None:
            return self.untrained(self.random)
        if self.model_name is None:
            raise BuildError("the figure names no model")
        return self.library.model(self.model_name)

    @property
    def earlier(self) -> Model | None:
        """The figure's model as it was at the checkpoint before its own, None where there is none that fits.

        Only for kinds whose options say that they compare checkpoints: their keys tell of it.
        """
        if self.random is not None:
            return None
        try:
            return self.library.earlier(str(self.model_name))
        except Changed:
            raise
        except BuildError:  # damaged, or of another network: there is nothing to compare with
            return None

    def part(self, number: int, parts: int) -> Callable[[int, int], None]:
        """Tells the progress of one of several parts of the figure, from 0, which take about as long as each other."""
        return lambda done, total: self.progress(number * total + done, parts * total)

    def pace(self, layers: Sequence[str], height: int, width: int) -> interp.pace.Pace:
        """How the figure's network runs fastest up to these layers, on images of this size.

        Measured once on this machine and kept in the store, so that a figure is the same when it is made again.
        """
        model, image = self.model, image_of(self.model)
        asked = {
            "model": self.library.fingerprint(model.name),
            "layers": sorted(layers),
            "size": [height, width],
            "machine": [processor(), torch.get_num_threads()],
            "code": code_digest("generator.interp.pace"),
            "versions": versions(),
        }
        key = digest(asked)

        def measured() -> Artifact:
            if key in PACES:
                return Artifact(data=asdict(PACES[key]))
            noise = torch.rand(1, image.channels, height, width, device=interp.hooks.device(model.network))
            return Artifact(data=asdict(interp.pace.measured(model.network, layers, model.normalise(noise))))

        PACES[key] = interp.pace.Pace(**self.kept(asked, measured, lasting=True).data)
        return PACES[key]

    def kept(self, asked: Mapping[str, Any], make: Callable[[], Artifact], lasting: bool = False) -> Artifact:
        """What several figures need, made by the first of them and kept in the store, as their artifacts are.

        asked: all that it depends on, JSON-able. lasting: made once for good, since it would come out otherwise, and
        never made again to see whether it is the same.
        """
        key = digest(asked)
        called = f"what figures share ({asked.get('what', 'how the machine runs a network')})"
        found = None if key in self.again and not lasting else self.library.store.get(key, called)
        if found is None:
            found = replace(make(), provenance={"ingredients": dict(asked)})
            if lasting:  # workers that measure at the same time go on with what the first of them found
                return self.library.store.put_first(key, found)
            self.library.store.put(key, found)
            self.again.discard(key)
        return found

    def untrained(self, seed: int) -> Model:
        """The figure's network with the random weights it would start its training from."""
        if self.model_name is None:
            raise BuildError("the figure names no model")
        return self.library.untrained(self.model_name, seed)

    def trained_with(self, settings: Mapping[str, Any]) -> tuple[Model, Mapping[str, float]]:
        """The figure's model, trained by its recipe but for some settings, and what it measures; trained only once."""
        variant = self.library.variant(str(self.model_name), settings)
        model = self.library.model(variant)
        return model, self.library.measures(variant)

    def images(self, dataset: str, split: str = "test", skip: bool = False) -> Images:
        """All images of a split. BuildError where one is damaged; with `skip` the others, and sentences about it."""
        return self.library.images(dataset, split, skip)

    def documents(self, dataset: str, split: str = "test") -> Sequence[Document]:
        return self.library.documents(dataset, split)

    def labelled_picture(self, choice: ImageChoice) -> tuple[NDArray[np.uint8], str]:
        """The chosen image, uint8, (height, width, 3), sRGB, and its true class, "" where it has none."""
        if choice.dataset is not None:
            images = self.images(choice.dataset, choice.split)
            numbers = np.arange(len(images.labels))
            if choice.label is not None:
                if choice.label not in images.classes:
                    hint = nearest(choice.label, images.classes)
                    raise BuildError(f"data set {choice.dataset} has no class {choice.label!r}{hint}")
                numbers = np.flatnonzero(images.labels == images.classes.index(choice.label))
            if choice.index >= len(numbers):
                raise BuildError(f"image {choice.index} of {choice.dataset} {choice.split}: there are {len(numbers)}")
            number = numbers[choice.index]
            pixels, label = images.pixels[number], images.classes[images.labels[number]]
        elif choice.sample is not None:
            pixels, label = sample(choice.sample), ""
        else:
            pixels, label = read_picture(self.library.root / str(choice.file)), ""
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        return (np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]), label

    def text(self, choice: TextChoice) -> tuple[str, str, str]:
        """(context, text, name): what the network reads first, what is shown, where it is from."""
        if choice.literal is not None:
            return "", choice.literal, "the post"
        documents = self.documents(str(choice.dataset), choice.split)
        if not documents:
            raise BuildError(f"data set {choice.dataset} has no documents in split {choice.split}")
        document = next((one for one in documents if choice.document in (None, one.name)), None)
        if document is None:
            hint = nearest(choice.document, [one.name for one in documents])
            raise BuildError(f"no document {choice.document!r} in {choice.dataset} {choice.split}{hint}")
        if choice.start >= len(document.text):
            raise BuildError(f"{document.name} has {len(document.text)} characters; it cannot start at {choice.start}")
        end = choice.start + choice.length
        return document.text[: choice.start], document.text[choice.start : end], document.name


def sample(name: str) -> NDArray[np.uint8]:
    """An image that scikit-image carries in its package, such as chelsea (a cat), coffee or rocket."""
    try:
        public = [one for one in skimage.data.__all__ if not one.startswith("_")]
    except ModuleNotFoundError as error:
        raise BuildError("sample images come with scikit-image: pip install 'whatfires[examples]'") from error
    if name not in public:
        raise BuildError(f"scikit-image has no sample {name!r}{nearest(name, public)}")
    try:
        pixels = getattr(skimage.data, name)()
    except Exception as error:  # most samples are no part of the package, and would be downloaded
        raise BuildError(f"scikit-image does not carry its sample {name!r} in the package ({error})") from error
    return np.asarray(pixels, dtype=np.uint8)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """An image file as uint8, (height, width, 3). One of absurd size is refused unread."""
    with opened(path.read_bytes(), f"image {path}") as image:
        return np.asarray(image.convert("RGB"))
