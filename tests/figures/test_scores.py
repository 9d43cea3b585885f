import numpy as np
import pytest

from generator.figures.scores import Options, compute
from tests.figures.linear_inputs import Known


def compute_with(index=0, **more):
    image = {"dataset": "dots", "index": index}
    return compute(Options(model="known", image=image, **more), Known())


def test_the_scores_are_weights_times_pixels_plus_bias():
    artifact = compute_with()

    assert {name: artifact.measures[f"score.{name}"] for name in "abcd"} == {"a": 2.0, "b": 3.0, "c": -0.5, "d": 0.0}


def test_the_winner_and_the_true_class_are_marked_and_the_margins_told():
    artifact = compute_with()  # truly a, judged b by 3 to 2

    assert [bar["label"] for bar in artifact.data["bars"] if bar["winner"]] == ["b"]
    assert [bar["label"] for bar in artifact.data["bars"] if bar["true"]] == ["a"]
    assert artifact.measures["margin"] == 1.0
    assert artifact.measures["margin.true"] == -1.0
    assert artifact.measures["rank.true"] == 2.0


def test_bars_start_at_zero_and_share_the_width():
    bars = compute_with().data["bars"]  # from -0.5 to 3, so that zero is at a seventh

    zero = pytest.approx(100 / 7, abs=0.01)
    assert [bar["start"] for bar in bars] == [zero, zero, 0.0, zero]
    assert bars[1]["length"] == pytest.approx(600 / 7, abs=0.01)


def test_of_many_classes_only_the_highest_are_shown():
    data = compute_with(most=2).data

    assert [bar["label"] for bar in data["bars"]] == ["b", "a"]
    assert data["classes"] == 4


def test_one_class_shown_is_enough():
    assert [bar["label"] for bar in compute_with(most=1).data["bars"]] == ["b"]


def test_an_image_of_another_size_is_brought_to_the_models(monkeypatch):
    large = np.zeros((30, 60, 3), np.uint8)
    large[:, :30] = 255
    monkeypatch.setattr(Known, "labelled_picture", lambda self, choice: (large, ""))

    artifact = compute_with(size=2)

    assert artifact.arrays["image"].shape == (1, 2, 3)
    assert artifact.data["winner"] == "b"
    assert "margin.true" not in artifact.measures
