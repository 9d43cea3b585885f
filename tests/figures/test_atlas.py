import re
import sys
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from generator.data import Images
from generator.figures.atlas import EXAMPLE, Options, compute
from generator.inputs import Inputs
from generator.interp.pace import Pace
from generator.model import ImageInput, Model
from generator.spec import BuildError, BuildErrors
from tests import nets
from tests.conftest import SmallSite


def model(network, classes=tuple("abcde")):
    return Model("known", network.eval().requires_grad_(False), classes, ImageInput(3, 32, 32))


@dataclass(frozen=True)
class Known(Inputs):
    """Inputs without a library: one model, and 60 images of two kinds, red stripes and blue noise."""

    library: None = None
    known: Model = field(default_factory=lambda: model(nets.vision()))
    most: int = 60

    @property
    def model(self):
        return self.known

    @property
    def earlier(self):
        return None

    def pace(self, layers, height, width):
        return Pace(batch=4, alike=True)

    def images(self, dataset, split="test"):
        drawn = np.random.default_rng(0).integers(0, 40, (self.most, 32, 32, 3))
        labels = np.arange(self.most) % 2
        drawn[labels == 0, ::4, :, 0] += 200
        drawn[labels == 1, :, :, 2] += 180
        return Images(drawn.astype(np.uint8), labels, ("stripes", "<blue>"))


@pytest.fixture(scope="module")
def inputs():
    torch.manual_seed(0)
    return Known()


def options(**more):
    example = yaml.safe_load(EXAMPLE)
    example.pop("caption")
    return Options.model_validate({**example, "dataset": "dots", "images": 60, **more})


def test_each_cell_with_enough_points_has_a_picture_on_the_sheet(inputs):
    artifact = compute(options(), inputs)

    cells = artifact.data["cells"]
    assert artifact.measures["cells"] == len(cells) > 1
    assert min(cell["points"] for cell in cells) >= 3
    assert artifact.measures["shown"] == pytest.approx(sum(cell["points"] for cell in cells) / 60)
    height, width, _ = artifact.arrays["sheet"].shape
    assert width >= max(cell["left"] for cell in cells) + 16
    assert height >= max(cell["top"] for cell in cells) + 16
    assert len({(cell["left"], cell["top"]) for cell in cells}) == len(cells)
    assert len({(cell["row"], cell["column"]) for cell in cells}) == len(cells)


def test_images_that_differ_lie_apart_and_shuffled_labels_do_not_agree(inputs):
    measures = compute(options(layer="conv1"), inputs).measures

    assert measures["agreement"] > measures["agreement.shuffled"] + 0.1


def test_evidence_stands_beside_every_cell_and_only_failures_are_in_sight(inputs):
    artifact = compute(options(), inputs)

    for cell in artifact.data["cells"]:
        assert {"activation", "natural.times", "kept.jpeg", "spectrum"} <= set(cell["evidence"])
        place = f"cell-{cell['row'] + 1}-{cell['column'] + 1}"
        assert artifact.measures[f"{place}.natural.times"] == cell["evidence"]["natural.times"]
    failing = sum(
        any("natural images excites it more" in one for one in cell["warnings"]) for cell in artifact.data["cells"]
    )
    told = [one for one in artifact.data["warnings"] if "no better than the best natural image" in one]
    assert [int(one.split()[0]) for one in told] == [failing] * bool(failing)
    assert artifact.data["natural"] == 60


def test_larger_pictures_stand_for_more_points(inputs):
    cells = sorted(compute(options(), inputs).data["cells"], key=lambda cell: cell["points"])

    sides = [cell["side"] for cell in cells]
    assert sides == sorted(sides)
    assert sides[-1] == 1


def test_a_cell_is_called_by_the_class_that_its_points_support(inputs):
    network = nets.vision()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.weight[2] = 1.0  # whatever is behind a ReLU counts for class c alone

    artifact = compute(options(layer="relu2"), Known(known=model(network)))

    assert artifact.data["named"]
    assert {cell["name"] for cell in artifact.data["cells"]} == {"c"}


def test_without_classes_a_cell_is_called_by_the_label_of_most_of_its_points(inputs):
    artifact = compute(options(), Known(known=replace(inputs.known, classes=())))

    assert not artifact.data["named"]
    assert all(cell["name"] == cell["label"] for cell in artifact.data["cells"])
    assert {cell["name"] for cell in artifact.data["cells"]} == {"stripes", "<blue>"}


def test_a_flat_layer_is_one_position(inputs):
    assert compute(options(layer="flat"), inputs).data["positions"] == 1


def test_whitening_changes_the_pictures_and_not_the_layout(inputs):
    with_it, without = (compute(options(whiten=whiten), inputs) for whiten in (True, False))

    places = [
        [(cell["row"], cell["column"], cell["points"], cell["name"]) for cell in one.data["cells"]]
        for one in (with_it, without)
    ]
    assert places[0] == places[1]
    assert not np.array_equal(with_it.arrays["sheet"], without.arrays["sheet"])


@pytest.mark.parametrize("layout", ["tsne", "pca"])
def test_the_same_seed_gives_the_same_atlas_and_another_seed_another(inputs, layout):
    once, again, other = (compute(options(layout=layout, seed=seed), inputs) for seed in (0, 0, 1))

    assert (once.data, once.measures) == (again.data, again.measures)
    assert np.array_equal(once.arrays["sheet"], again.arrays["sheet"])
    assert once.data != other.data


@pytest.mark.parametrize("most", [1, 59])
def test_a_data_set_with_too_few_images_says_how_many_there_are(most):
    with pytest.raises(BuildError, match=f"data set dots has {most} images? in split test, .* asks for 60"):
        compute(options(), Known(most=most))


def test_a_layout_whose_library_is_missing_is_told_before_anything_is_computed(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)

    with pytest.raises(BuildError, match=r"layout umap needs the package umap: pip install 'whatfires\[atlas\]'"):
        compute(options(layout="umap"), Known(most=1))


def test_cells_that_need_more_points_than_any_has_are_an_error(inputs):
    with pytest.raises(BuildError, match="no cell of 4 × 4 has 60 of 60 points; take more images, or a smaller grid"):
        compute(options(least=60), inputs)


def test_an_unknown_layer_is_told_before_anything_is_computed(quick_site: SmallSite):
    quick_site.figure(f"id: map\nkind: atlas\n{EXAMPLE}".replace("layer: conv2", "layer: cnv2"))

    with pytest.raises(BuildErrors, match=r"figure map: unknown layer 'cnv2' of model tiny-vision; did you mean"):
        quick_site.build()


def test_a_layer_whose_output_has_no_channels_is_refused():
    class Single(nn.Module):
        def __init__(self):
            super().__init__()
            self.flat = nn.Flatten(0)

        def forward(self, images):
            return self.flat(images.mean((1, 2, 3)))[:, None]

    with pytest.raises(BuildError, match="layer flat of model known: .*one number for an image"):
        compute(options(layer="flat"), Known(known=model(Single())))


def test_activations_that_are_not_numbers_are_refused():
    network = nets.vision()
    network.conv1.weight.data[0, 0, 0, 0] = float("nan")

    with pytest.raises(BuildError, match="layer conv2 of model known gives activations that are not numbers"):
        compute(options(), Known(known=model(network)))


def test_cells_can_be_reached_by_keyboard_and_their_names_are_escaped(quick_site: SmallSite):
    toml = quick_site.content / "site.toml"
    toml.write_text(toml.read_text().replace('classes = ["a", "b"', 'classes = ["<a>", "<b>"'))
    quick_site.figure(f"id: map\nkind: atlas\n{EXAMPLE}")
    quick_site.build()
    page = quick_site.read()

    places = re.findall(r'<div class="place" tabindex="0" role="img"[^>]* aria-label="([^"]+)"', page)
    assert len(places) > 1
    assert all(
        re.fullmatch(r".+: row \d, column \d, \d+ points, \d+% of them labelled \d(; .+)?", place) for place in places
    )
    assert page.count("<image ") == len(places)
    assert "<a>:" not in page
