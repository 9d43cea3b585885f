import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import spearmanr
from torch import nn

from generator import interp
from generator.figures.attribution import Options, compute
from generator.seeing import resized
from generator.spec import BuildError
from tests.figures.seeing_inputs import SIDE, Given, Seeing, flat

METHODS = ["saliency", "integrated-gradients", "grad-cam", "occlusion"]


def options(**more):
    return Options.model_validate({"model": "given", "image": {"sample": "chelsea"}, "size": SIDE, **more})


def seen():
    pixels, _ = Given().labelled_picture(None)
    return torch.tensor(resized(pixels, SIDE, SIDE)).permute(2, 0, 1)[None] / 255


def test_every_method_stands_beside_its_control():
    artifact = compute(options(), Given())

    assert set(artifact.arrays) == {"image", *METHODS, *(f"{method}-random" for method in METHODS)}
    assert {array.shape for array in artifact.arrays.values()} == {(SIDE, SIDE, 3)}
    for method in METHODS:
        assert not np.array_equal(artifact.arrays[method], artifact.arrays[f"{method}-random"])
        assert -1 <= artifact.measures[f"{method}.sanity-correlation"] <= 1


def test_the_winning_class_is_asked_about_where_the_author_names_none():
    logits = Given().model.network(seen())[0]

    asked, named = compute(options(), Given()), compute(options(target="a"), Given())

    assert asked.data["target"] == "abcd"[int(logits.argmax())] == named.data["winner"]
    assert asked.measures["logit"] == pytest.approx(float(logits.max()), abs=1e-6)
    assert asked.measures["probability"] == pytest.approx(float(logits.softmax(0).max()), abs=1e-6)
    assert named.data["target"] == "a"
    assert named.measures["logit"] == pytest.approx(float(logits[0]), abs=1e-6)


def test_integrated_gradients_say_how_far_they_are_from_adding_up():
    measures = compute(options(methods=["integrated-gradients"], baseline=0.25), Given()).measures

    network = Given().model.network
    rise = (network(seen()) - network(torch.full((1, 3, SIDE, SIDE), 0.25)))[0]
    assert measures["integrated-gradients.rise"] == pytest.approx(float(rise[network(seen())[0].argmax()]), abs=1e-6)
    error = abs(measures["integrated-gradients.sum"] - measures["integrated-gradients.rise"])
    assert measures["integrated-gradients.completeness-error"] == pytest.approx(error)
    assert error < 0.02 * abs(measures["integrated-gradients.rise"])


def test_the_sanity_correlation_is_spearmans_of_absolute_values():
    artifact = compute(options(methods=["occlusion"], target="a", seed=3, window=4, stride=2), Given())

    maps = []
    for model in (Given().model, Given().untrained(4)):

        def score(images, network=model.network):
            return network(images)[:, 0]

        maps.append(interp.attribution.occlusion(score, seen(), torch.full_like(seen(), 0.5), 4, 2).abs().numpy())
    expected = spearmanr(maps[0].ravel(), maps[1].ravel()).statistic
    assert artifact.measures["occlusion.sanity-correlation"] == pytest.approx(expected, abs=1e-3)


def test_a_method_that_does_not_care_for_the_weights_is_warned_of():
    class Edges(nn.Module):
        """Random weights only scale what this network sees, so its maps keep their form."""

        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.rand(4))

        def forward(self, images):
            return images.square().sum((1, 2, 3))[:, None] * self.scale

    row = compute(options(methods=["saliency"]), Given(make=Edges)).data["rows"][0]

    assert row["alike"]
    assert row["correlation"] > 0.99
    other = compute(options(methods=["saliency"]), Given()).data["rows"][0]
    assert not other["alike"]


def test_random_weights_are_those_of_the_seed_after_the_figures():
    once, again, other = (compute(options(seed=seed), Given()) for seed in (0, 0, 1))

    assert once.measures == again.measures
    for method in METHODS:
        assert np.array_equal(once.arrays[method], other.arrays[method])
        assert not np.array_equal(once.arrays[f"{method}-random"], other.arrays[f"{method}-random"])


def test_an_in_place_relu_changes_nothing():
    plain, in_place = (compute(options(layer="last"), Given(make=lambda i=i: Seeing(inplace=i))) for i in (False, True))

    assert plain.measures == in_place.measures
    assert all(np.array_equal(plain.arrays[name], in_place.arrays[name]) for name in plain.arrays)


@pytest.mark.parametrize(
    "pack", [lambda x: {"aux": -x, "out": x}, lambda x: (x, -x), lambda x: interp.vision.models.GoogLeNetOutputs(x, None, None)]
)  # fmt: skip
def test_a_network_that_returns_more_than_its_logits_is_understood(pack):
    expected = compute(options(), Given())

    assert compute(options(), Given(make=lambda: Seeing(pack))).measures == expected.measures


def test_dropout_that_stays_on_is_refused():
    with pytest.raises(BuildError, match=r"other logits each time .* F\.dropout wants training=self\.training"):
        compute(options(), Given(make=lambda: Seeing(dropout=True)))


def test_grad_cam_takes_the_last_layer_with_positions_where_none_is_named():
    assert compute(options(methods=["grad-cam"]), Given()).data["layer"] == "last"

    def pooled():
        return nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 4))

    assert compute(options(methods=["grad-cam"]), Given(make=pooled)).data["layer"] == "0"


def test_a_network_without_positions_has_every_method_but_grad_cam():
    without = [method for method in METHODS if method != "grad-cam"]

    assert len(compute(options(methods=without), Given(make=flat)).data["rows"]) == 3
    with pytest.raises(
        BuildError,
        match=r"no layer whose output has height and width, .*methods: \[saliency, integrated-gradients, occlusion\]",
    ):
        compute(options(), Given(make=flat))


def test_a_layer_without_positions_is_answered_with_one_that_has():
    with pytest.raises(BuildError, match="output of layer head of model given has no height and width.* is last"):
        compute(options(layer="head"), Given())


def test_a_wrong_target_or_number_of_classes_is_named():
    with pytest.raises(BuildError, match="model given has no class 'e'; known: a, b, c, d"):
        compute(options(target="e"), Given())
    with pytest.raises(BuildError, match="has 3 classes, and gives 4 logits"):
        compute(options(), Given(classes=tuple("abc")))


def test_a_map_with_infinities_is_refused():
    class Broken(Seeing):
        def forward(self, images):
            return super().forward(images).double() * 1e39  # fits float64 only

    with pytest.raises(BuildError, match="Saliency of model given: some values are NaN or infinite"):
        compute(options(), Given(make=Broken))


def test_a_method_is_named_once():
    with pytest.raises(ValidationError, match="names a method twice"):
        options(methods=["saliency", "saliency"])


def test_without_captum_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "generator.interp.attribution", raising=False)
    monkeypatch.delattr(interp, "attribution", raising=False)
    monkeypatch.setitem(sys.modules, "captum.attr", None)

    with pytest.raises(BuildError, match=r"needs Captum: pip install 'whatfires\[attribution\]'"):
        compute(options(), Given())


def test_progress_ends_at_all_there_is_to_do():
    reports = []

    compute(options(), Given(progress=lambda *report: reports.append(report)))

    assert reports == [(done, 8) for done in range(1, 9)]
