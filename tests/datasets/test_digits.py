import importlib.util
from pathlib import Path

import numpy as np
import pytest

from generator.datasets import digits
from generator.spec import BuildError

SETTINGS = digits.Settings(source="digits")
ROOT = Path()
needs_sklearn = pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")


@needs_sklearn
def test_every_fifth_of_the_1797_digits_is_for_test():
    train, test = (digits.load(SETTINGS, split, ROOT) for split in ("train", "test"))

    assert (len(train.labels), len(test.labels)) == (1438, 359)
    # the file begins 0 1 2 3 4 5 6 7 8 9 0 1 …
    assert train.labels[:8].tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert test.labels[:4].tolist() == [4, 9, 4, 9]


@needs_sklearn
def test_ink_is_255_and_paper_0():
    images = digits.load(SETTINGS, "test", ROOT)

    assert images.pixels.shape[1:] == (8, 8, 1)
    assert images.pixels.dtype == np.uint8
    assert (images.pixels.min(), images.pixels.max()) == (0, 255)
    assert images.classes == tuple("0123456789")


@needs_sklearn
def test_an_unknown_split_names_the_nearest():
    with pytest.raises(BuildError, match="did you mean 'train'"):
        digits.load(SETTINGS, "trains", ROOT)


def test_without_scikit_learn_the_reason_says_what_to_install(monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda name: None)

    assert "pip install 'whatfires[examples]'" in digits.missing(SETTINGS, ROOT)
    with pytest.raises(BuildError, match="pip install"):
        digits.load(SETTINGS, "test", ROOT)


def test_the_digest_changes_with_the_version_of_scikit_learn(monkeypatch):
    before = digits.digest(SETTINGS, ROOT)
    monkeypatch.setattr(digits, "versions", lambda: {"scikit-learn": "0.1"})

    assert digits.digest(SETTINGS, ROOT) != before
