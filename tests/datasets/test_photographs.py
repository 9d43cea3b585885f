import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.datasets import photographs
from generator.spec import BuildError

ROOT = Path()
needs_packages = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in photographs.PACKAGES), reason="a package is not installed"
)


def settings(**more):
    return photographs.Settings(source="photographs", **more)


@needs_packages
def test_there_are_some_hundred_squares_of_eight_photographs():
    train, test = (photographs.load(settings(size=64), split, ROOT) for split in ("train", "test"))

    assert train.pixels.shape[1:] == (64, 64, 3)
    assert len(train.pixels) + len(test.pixels) > 300
    assert len(train.pixels) == pytest.approx(4 * len(test.pixels), abs=4)
    assert {train.classes[label] for label in train.labels} == set(train.classes)
    assert {"chelsea", "flower"} < set(train.classes)


def test_squares_step_by_half_a_side_and_none_is_enlarged_twofold():
    photograph = Image.new("RGB", (60, 40))

    assert len(photographs.squares(photograph, settings(size=16, cuts=(1,)))) == 2  # from 0 and from 20
    assert len(photographs.squares(photograph, settings(size=16, cuts=(2,)))) == 15  # 3 rows of 5
    assert photographs.squares(photograph, settings(size=16, cuts=(6,))) == []  # of 6 pixels


def test_a_square_is_cut_where_it_stands():
    ramp = np.zeros((40, 60, 3), np.uint8)
    ramp[:, :, 0] = np.arange(60)

    left, right = photographs.squares(Image.fromarray(ramp), settings(size=40, cuts=(1,)))

    assert (left[0, 0, 0], right[0, 0, 0], right[0, -1, 0]) == (0, 20, 59)


@needs_packages
def test_an_unknown_split_names_the_nearest():
    with pytest.raises(BuildError, match="did you mean 'train'"):
        photographs.load(settings(), "trian", ROOT)


def test_without_the_packages_the_reason_says_what_to_install(monkeypatch):
    monkeypatch.setattr(photographs, "find_spec", lambda name: None)

    assert "pip install 'whatfires[examples]'" in photographs.missing(settings(), ROOT)
    with pytest.raises(BuildError, match="come with skimage and sklearn"):
        photographs.load(settings(), "test", ROOT)


def test_the_digest_changes_with_the_packages(monkeypatch):
    before = photographs.digest(settings(), ROOT)
    monkeypatch.setattr(photographs, "versions", lambda: {"scikit-image": "0.1"})

    assert photographs.digest(settings(), ROOT) != before
