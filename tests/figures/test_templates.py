from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from generator.figures.templates import Options, compute
from generator.model import ImageInput, Model
from generator.spec import BuildError
from tests.figures.linear_inputs import Known, classifier


def compute_with(inputs=None, **options):
    return compute(Options(model="known", **options), inputs or Known())


def test_with_a_shared_scale_the_largest_weight_is_white_and_no_weight_is_grey():
    artifact = compute_with(size=1)

    assert [artifact.arrays[f"row-00{row}"][0, :, 0].tolist() for row in range(4)] == [
        [191, 128],  # 2 of 4
        [255, 128],
        [96, 128],  # -1 of 4
        [128, 159],
    ]


def test_with_scales_of_their_own_every_picture_reaches_its_end():
    artifact = compute_with(size=1, scale="each")

    assert artifact.arrays["row-002"][0, :, 0].tolist() == [0, 128]


def test_every_pair_has_a_cosine_in_both_directions_and_every_class_its_nearest():
    artifact = compute_with()

    assert artifact.measures["cosine.a.b"] == artifact.measures["cosine.b.a"] == 1.0
    assert artifact.measures["cosine.a.c"] == -1.0
    assert artifact.measures["cosine.a.d"] == 0.0
    assert artifact.data["pictures"][0]["nearest"] == "b"


def test_classes_are_shown_in_the_order_asked_for():
    artifact = compute_with(classes=["d", "a"])

    assert [picture["label"] for picture in artifact.data["pictures"]] == ["d", "a"]
    assert len(artifact.arrays) == 2


def test_small_pictures_are_enlarged_by_whole_pixels_without_inventing_shapes():
    picture = compute_with(size=128).arrays["row-001"]

    assert picture.shape == (64, 128, 3)
    assert set(picture[:, :64].ravel()) == {255}
    assert set(picture[:, 64:].ravel()) == {128}


def test_filters_of_the_first_convolution_are_named_by_number():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU(), nn.Conv2d(8, 4, 3))
    inputs = Known(known=Model("conv", network, (), ImageInput(3, 32, 32)))

    artifact = compute_with(inputs, rows=[6, 2])

    assert [picture["label"] for picture in artifact.data["pictures"]] == ["6", "2"]
    assert artifact.data["layer"] == "0"
    assert not artifact.data["named"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "liner"}, "did you mean 'linear'"),
        ({"classes": ["e"]}, "has no row 'e'; known: a, b, c, d"),
        ({"rows": [4]}, "has no row 4; it has 4, from 0"),
    ],
)
def test_what_the_model_has_not_is_named(options, message):
    with pytest.raises(BuildError, match=message):
        compute_with(**options)


def test_classes_and_rows_exclude_each_other():
    with pytest.raises(ValidationError, match="classes or rows, not both"):
        Options(model="known", classes=["a"], rows=[0])


def test_a_model_without_weights_on_the_image_is_an_error():
    model = replace(classifier(), image=ImageInput(3, 7, 7))
    with pytest.raises(BuildError, match="no layer whose weights act on the image"):
        compute_with(Known(known=model))
