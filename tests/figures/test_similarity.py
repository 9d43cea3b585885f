import importlib.util
from dataclasses import replace

import pytest
import yaml

from generator.artifact import ArtifactStore
from generator.figures import scores, similarity, templates
from generator.figures.similarity import Options, alike, compute
from generator.inputs import Inputs
from generator.library import Library
from generator.settings import Settings
from generator.spec import BuildError
from tests.figures.linear_inputs import Known, classifier


def compute_with(inputs=None, **options):
    return compute(Options(model="known", **options), inputs or Known())


def test_without_a_data_set_there_is_only_the_likeness():
    artifact = compute_with()

    assert artifact.data["confusions"] is None
    assert artifact.data["closest"] == {"pair": ["a", "b"], "cosine": 1.0}
    assert artifact.measures["cosine.b.c"] == -1.0


def test_confusions_are_shares_of_the_true_class():
    # truly a, b, d, c, c; taken for b, b, d, c, d
    measures = compute_with(dataset="dots").measures

    assert measures["confusion.a.b"] == 1.0
    assert measures["confusion.c.d"] == 0.5
    assert measures["confusion.b.a"] == 0.0
    assert measures["accuracy.c"] == 0.5
    assert measures["accuracy"] == pytest.approx(3 / 5)


def test_a_score_that_is_not_a_number_wins_against_no_class():
    broken = classifier()
    broken.network.linear.bias.data[0] = float("nan")

    with pytest.raises(BuildError, match="model known: some scores are not numbers"):
        compute_with(Known(known=broken), dataset="dots")


def test_of_a_choice_of_classes_only_their_images_count():
    artifact = compute_with(dataset="dots", classes=["b", "c"])

    assert artifact.data["images"] == 3
    assert artifact.data["classes"] == ["b", "c"]
    assert artifact.measures["accuracy"] == pytest.approx(2 / 3)


def test_colours_go_from_deep_blue_over_light_to_deep_red():
    levels = [[cell["level"] for cell in line] for line in compute_with().data["cosines"]]

    assert levels[0] == [20, 20, 0, 10]


def test_similar_classes_stand_side_by_side():
    near = {(0, 2): 0.9, (2, 3): 0.5, (0, 1): 0.1, (1, 3): -0.2, (1, 2): 0.0, (0, 3): 0.3}
    cosines = [[1.0 if i == j else near[min(i, j), max(i, j)] for j in range(4)] for i in range(4)]

    assert alike(cosines) == [1, 0, 2, 3]


def test_ordering_changes_no_measure():
    given, similar = (compute_with(dataset="dots", order=order).measures for order in ("given", "similar"))

    assert given == similar


def test_a_data_set_of_other_classes_is_an_error():
    with pytest.raises(BuildError, match="class 'a' is no class of model known"):
        compute_with(Known(known=replace(classifier(), classes=tuple("wxyz"))), dataset="dots")


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_examples_of_the_three_kinds_work_on_digits_that_the_build_learns_by_itself(tmp_path):
    settings = Settings(
        title="t",
        models={"tiny-linear": {"source": "linear-svm", "dataset": "digits", "train": {}}},
        datasets={"digits": {"source": "digits"}},
    )
    inputs = Inputs(Library(settings, tmp_path, ArtifactStore(tmp_path / "store")), "tiny-linear")
    artifacts = {}
    for kind in (templates, scores, similarity):
        options = yaml.safe_load(kind.EXAMPLE)
        options.pop("caption")
        artifacts[kind] = kind.compute(kind.Options.model_validate(options), inputs)

    assert artifacts[similarity].measures["accuracy"] >= 0.94
    assert artifacts[similarity].measures["accuracy"] == pytest.approx(
        inputs.library.measures("tiny-linear")["accuracy"], abs=1e-4
    )
    assert artifacts[templates].arrays["row-000"].shape == (128, 128, 3)
    assert artifacts[scores].data["winner"] == artifacts[scores].data["truth"] == "9"
