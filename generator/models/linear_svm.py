"""Source `linear-svm`: a linear classifier of images, trained with the multiclass hinge loss.

Its weights act on plain pixels in [0, 1], so a row of them is the picture that the class looks for.
After the notes of Stanford's CS231n, https://cs231n.github.io/linear-classify/.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from generator import interp
from generator.data import Images
from generator.deferred import Deferred
from generator.filling import believed, check_widths, fill, needed
from generator.model import ImageInput, Model
from generator.spec import BuildError, Options, UnitPagesOptions
from generator.weights import Desk, Trained, Weights

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

STILL = 1e-4  # a frequency that varies less than this over the images says nothing
SPLITS = ("train", "test")  # that training reads


class About(Options):
    """What a checkpoint says of itself."""

    classes: tuple[str, ...] = Field(min_length=1)
    channels: int = Field(ge=1, le=4)
    height: int = Field(ge=1, le=4096)
    width: int = Field(ge=1, le=4096)


ABOUT = tuple(About.model_fields)


class Recipe(Options):
    """How to train it: mean hinge loss + l2 × sum of weight² × (1 + (smoothness × cycles per image)²)."""

    steps: int = Field(1000, ge=1, description="gradient steps")
    batch: int = Field(250, ge=1, description="images of one step")
    rate: float = Field(0.02, gt=0, description="learning rate at the start; it falls linearly to zero")
    l2: float = Field(0.01, ge=0, description="penalty on the squared weights; a strong one gives calm templates")
    smoothness: float = Field(0.3, ge=0, description="how much more fine detail of a template costs than a flat one")
    seed: int = 0
    keep: tuple[int, ...] = Field((), description="steps whose weights are kept, besides the last")


class Settings(UnitPagesOptions):
    """A row of site.toml."""

    source: Literal["linear-svm"]
    checkpoints: str | None = Field(None, description="a glob of files, relative to the content folder")
    dataset: str | None = Field(None, description="the data set of images that training reads")
    train: Recipe | None = None


def fingerprint(settings: Settings, root: Path) -> dict[str, Any]:
    return {}


def load(name: str, settings: Settings, weights: Weights | None, seed: int, root: Path) -> Model:
    """The classifier with its weights, or, where these hold no tensors, as `seed` initialises a linear layer."""
    weights = needed(name, "linear-svm", weights, ABOUT)
    about = believed(name, About, {key: weights.about[key] for key in ABOUT}, "what the checkpoint says of itself")
    image = ImageInput(about.channels, about.height, about.width)
    inputs = image.channels * image.height * image.width
    torch.manual_seed(seed)
    try:
        check_widths(weights, {"linear.weight": inputs})
        linear = torch.nn.Linear(inputs, len(about.classes))
        network = torch.nn.Sequential(OrderedDict(flatten=torch.nn.Flatten(), linear=linear))
        if weights.tensors:
            fill(network, weights)
    except ValueError as error:
        raise BuildError(f"model {name}: the checkpoint does not fit what it says of itself: {error}") from error
    return Model(name, network.eval().requires_grad_(False), about.classes, image)


def train(settings: Settings, splits: Mapping[str, Images], desk: Desk) -> Iterator[Trained]:
    """Follow the recipe on the whole split `train`; it takes seconds, so nothing is kept on the way.

    The descent runs on standardised frequencies of opponent colours, in which natural images are
    nearly uncorrelated, so that a thousand steps are enough; then all is folded into weights on pixels.
    """
    recipe = settings.train or Recipe()
    images = as_floats(splits["train"])
    labels = torch.from_numpy(splits["train"].labels)
    classes = splits["train"].classes
    shape = images.shape[1:]  # channels, height, width

    features = interp.linear.to_frequencies(images).flatten(1)
    mean, deviation = features.mean(0), features.std(0).clamp_min(STILL)
    cycles = interp.linear.frequency(*shape).flatten()
    training = interp.svm.train(
        features.sub_(mean).div_(deviation),
        labels,
        len(classes),
        penalty=recipe.l2 * (1 + (recipe.smoothness * cycles) ** 2) / deviation**2,
        steps=recipe.steps,
        batch=recipe.batch,
        rate=recipe.rate,
        seed=recipe.seed,
        keep=recipe.keep,
        report=lambda done, total: desk.report(done, total, ""),
    )
    about = dict(zip(ABOUT, (list(classes), *shape), strict=True))
    for step, weight, bias in training:
        weight = weight / deviation
        bias = bias - weight @ mean
        rows = interp.linear.from_frequencies(weight.view(-1, *shape)).flatten(1)
        # Rounded as a checkpoint keeps them, so that the measures are those of the stored weights.
        tensors = {"linear.weight": rows.half().float(), "linear.bias": bias.half().float()}
        measures, intervals = measured(tensors, splits, recipe.seed)
        yield Trained(step, Weights(tensors, about), measures, intervals=intervals)


def measured(
    tensors: Mapping[str, torch.Tensor], splits: Mapping[str, Images], seed: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Accuracy and mean hinge loss (without the penalty), on images held out and on those of training.

    And the intervals of what is of those held out, as other images of their kind would give it.
    """
    measures, intervals = {}, {}
    for split, suffix in (("test", ""), ("train", ".train")):
        labels = torch.from_numpy(splits[split].labels)
        scores = as_floats(splits[split]).flatten(1) @ tensors["linear.weight"].T + tensors["linear.bias"]
        each = {"accuracy": (scores.argmax(1) == labels).double(), "loss": interp.svm.hinge(scores, labels).double()}
        for name, values in each.items():
            measures[f"{name}{suffix}"] = round(float(values.mean()), 4)
            if split == "test":
                low, high = interp.resampling.mean_interval(values.numpy(), seed)
                intervals[name] = (round(low, 4), round(high, 4))
    return measures, intervals


def as_floats(images: Images) -> torch.Tensor:
    """(images, channels, height, width), in [0, 1]."""
    return interp.pictures.from_pixels(images.pixels, images.pixels.shape[3])
