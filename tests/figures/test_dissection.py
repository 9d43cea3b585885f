"""Dissection of networks whose units are known, and what cannot be dissected."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import nn

from generator.data import Images
from generator.figures.dissection import Options, compute
from generator.inputs import Inputs
from generator.model import ImageInput, Model
from generator.spec import BuildError


class Colours(nn.Module):
    """Maps of how red, green and blue an image is, one that never changes, and one of red again."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(3, 5, 1, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.maps(images).mean((2, 3))


def network(weight: torch.Tensor) -> Model:
    made = Colours().eval().requires_grad_(False)
    made.maps.weight.copy_(weight[..., None, None])
    return Model("colours", made, (), ImageInput(3, 4, 4))


SEEING = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0.5, 0, 0]])
BLIND = torch.zeros(5, 3)


def coloured(each: int = 20) -> Images:
    """Images of noise, in which each class has more of its own colour."""
    draw = np.random.default_rng(0)
    labels = np.arange(3 * each) % 3
    pixels = draw.integers(0, 60, (3 * each, 4, 4, 3))
    pixels[np.arange(3 * each), :, :, labels] += 100
    return Images(pixels.astype(np.uint8), labels.astype(np.int64), ("red", "green", "blue"))


@dataclass(frozen=True)
class Known(Inputs):
    library: None = None  # type: ignore[assignment]
    data: Images = field(default_factory=coloured)
    seeing: torch.Tensor = field(default_factory=lambda: SEEING)

    @property
    def model(self) -> Model:
        return network(self.seeing)

    def untrained(self, seed: int) -> Model:
        return network(BLIND)

    def images(self, dataset: str, split: str = "test") -> Images:
        return self.data


def dissected(inputs: Known | None = None, **more: object):
    return compute(Options(model="m", layer="maps", dataset="colours", **more), inputs or Known())


def test_a_unit_that_sees_a_class_is_its_best_with_an_area_of_one() -> None:
    artifact = dissected()
    measures = artifact.measures

    assert [measures[f"{name}.unit"] for name in ("red", "green", "blue")] == [0, 1, 2]
    assert [measures[f"{name}.auc"] for name in ("red", "green", "blue")] == [1, 1, 1]
    assert measures["share"] == 0.8, "all but the unit that never changes"
    assert measures["classes-detected"] == 3
    assert measures["silent"] == 1


def test_random_weights_that_see_nothing_are_at_chance() -> None:
    measures = dissected().measures

    assert measures["red.untrained"] == 0.5
    assert measures["untrained-share"] == 0
    assert measures["untrained-classes-detected"] == 0


def test_an_area_is_of_images_that_did_not_choose_the_unit() -> None:
    """The best of fifty blind units looks good on the half that chose it, and is at chance on the other."""
    draw = np.random.default_rng(1)
    data = Images(draw.integers(0, 256, (80, 4, 4, 3), dtype=np.uint8), np.arange(80) % 2, ("a", "b"))
    made = Colours()
    made.maps = nn.Conv2d(3, 50, 4)
    wide = Model("wide", made.eval().requires_grad_(False), (), ImageInput(3, 4, 4))

    class Wide(Known):
        @property
        def model(self) -> Model:
            return wide

    torch.manual_seed(0)
    nn.init.normal_(made.maps.weight)
    measured = [dissected(Wide(data=data), seed=seed).measures for seed in range(8)]

    assert np.mean([one["a.auc"] for one in measured]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([one["share"] for one in measured]) < 0.05


def test_the_images_shown_are_of_the_class_that_a_unit_sees() -> None:
    artifact = dissected()

    assert [one["right"] for one in artifact.data["exemplars"]] == [5, 5, 5]
    assert len(artifact.arrays) == 15
    assert all(array.shape == (64, 64, 3) for array in artifact.arrays.values())


def test_more_units_of_a_class_come_in_the_order_of_the_half_that_chooses() -> None:
    rows = {one["name"]: one["rows"] for one in dissected(top=2).data["classes"]}

    assert {row["unit"] for row in rows["red"]} == {0, 4}


def test_another_seed_divides_the_images_otherwise() -> None:
    draw = np.random.default_rng(2)
    data = Images(draw.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8), np.arange(60) % 3, ("a", "b", "c"))

    assert dissected(Known(data=data)).measures != dissected(Known(data=data), seed=1).measures


def test_classes_have_equally_many_images_and_no_more_than_asked_for() -> None:
    assert dissected(images=24).measures["images"] == 24
    assert dissected().measures["images"] == 60


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Images(np.zeros((1, 4, 4, 3), np.uint8), np.array([0]), ("a", "b")), "has 0 classes with 4 images or more"),
        (Images(np.zeros((9, 4, 4, 3), np.uint8), np.zeros(9, np.int64), ("a",)), "has 1 classes .* so two such"),
    ],
)
def test_one_image_or_one_class_cannot_be_dissected(data: Images, message: str) -> None:
    with pytest.raises(BuildError, match=f"data set colours, split test, {message}"):
        dissected(Known(data=data))


def test_too_few_images_for_the_classes_are_told() -> None:
    with pytest.raises(BuildError, match="images: 3 classes need at least 12 images"):
        dissected(images=9)


def test_activations_that_are_not_numbers_are_told() -> None:
    with pytest.raises(BuildError, match="some activations of layer maps are not numbers"):
        dissected(Known(seeing=SEEING * torch.nan))


def test_a_network_that_takes_no_images_is_told() -> None:
    class Blind(Known):
        @property
        def model(self) -> Model:
            return Model("text", Colours())

    with pytest.raises(BuildError, match="model text takes no images"):
        dissected(Blind())


def marked(count: int = 40, side: int = 20) -> Images:
    """Dark noise, in which two pixels of each image are red or green: one in two hundred, as many as fire."""
    draw = np.random.default_rng(0)
    pixels, masks = draw.integers(0, 40, (count, side, side, 3)), np.zeros((count, side, side), np.uint8)
    for number in range(count):
        row, column = draw.integers(0, side), draw.integers(0, side - 1)
        pixels[number, row, column : column + 2, number % 2] = draw.integers(200, 250, 2)
        masks[number, row, column : column + 2] = number % 2 + 1
    labels = np.zeros(count, np.int64)
    return Images(pixels.astype(np.uint8), labels, ("one",), masks=masks, concepts=("red", "green", "absent"))


class Marked(Known):
    @property
    def model(self) -> Model:
        return Model("colours", network(self.seeing).network, (), ImageInput(3, 20, 20))

    def untrained(self, seed: int) -> Model:
        return Model("colours", network(BLIND).network, (), ImageInput(3, 20, 20))


def test_where_there_are_masks_a_unit_is_labelled_by_what_it_fires_on() -> None:
    """Each colour is in half of the images, so a unit fires twice as often as its concept is there."""
    artifact = dissected(Marked(data=marked()))
    measures = artifact.measures

    assert artifact.data["measure"] == "IoU"
    assert {measures["red.unit"], measures["green.unit"]} <= {0.0, 1.0, 4.0}
    assert measures["red.iou"] > 0.4
    assert measures["green.iou"] > 0.4
    assert measures["red.untrained"] == 0
    assert "absent.iou" not in measures
    assert measures["silent"] == 1
    assert artifact.data["threshold"] == 0.04


def test_an_overlap_is_of_images_that_did_not_choose_the_unit_or_its_threshold() -> None:
    data = marked()
    halves = np.random.default_rng(0).permutation(40)
    data.masks[halves[20:]] = data.masks[halves[20:]][:, ::-1]  # type: ignore[index]

    measures = dissected(Marked(data=data)).measures

    assert measures["red.iou"] < 0.1, "the half that measures has its masks elsewhere"


def test_a_threshold_is_the_first_halfs() -> None:
    """Twice as bright, the other half would have a threshold twice as high, and its noise would stay below it."""
    data = marked()
    second = np.random.default_rng(0).permutation(40)[20:]
    usual = dissected(Marked(data=marked())).measures
    data.pixels[second] = np.clip(data.pixels[second].astype(int) + 45, 0, 255)

    assert dissected(Marked(data=data)).measures["red.iou"] < usual["red.iou"] / 4


def test_exemplars_are_dim_where_their_unit_does_not_fire() -> None:
    artifact = dissected(Marked(data=marked()))

    bright = [(array.max(2) > 90).mean() for array in artifact.arrays.values()]
    assert min(bright) > 0
    assert max(bright) < 0.1
    assert all(picture["right"] for picture in artifact.data["exemplars"][0]["pictures"])


def test_a_layer_without_maps_has_nothing_to_lay_over_masks() -> None:
    class Flat(Marked):
        @property
        def model(self) -> Model:
            flat = nn.Sequential(nn.Flatten(), nn.Linear(1200, 3)).eval().requires_grad_(False)
            return Model("flat", nn.Sequential(OrderedDict(maps=flat)), (), ImageInput(3, 20, 20))

    with pytest.raises(BuildError, match="layer maps of model flat has no maps to lay over masks"):
        dissected(Flat(data=marked()))


def test_masks_that_show_nothing_are_told() -> None:
    data = replace(marked(), masks=np.zeros((40, 20, 20), np.uint8))

    with pytest.raises(BuildError, match="data set colours, split test, has no concept that 2 masks of either half"):
        dissected(Marked(data=data))
