import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from generator.datasets import cifar10
from generator.interp import vision
from generator.spec import BuildError


def settings(**more):
    return cifar10.Settings(source="cifar10", **more)


@pytest.fixture
def torchvisions_copy(tmp_path, monkeypatch):
    """A folder as torchvision makes it, and a CIFAR10 that notes how it was called and holds two grey images."""
    (tmp_path / "data" / "cifar-10-batches-py").mkdir(parents=True)
    calls = []

    def make(folder, train, download):
        calls.append((folder, train, download))
        return SimpleNamespace(data=np.full((2, 32, 32, 3), 7, np.uint8), targets=[9, 0])

    monkeypatch.setattr(vision.torchvision.datasets, "CIFAR10", make)
    return calls


def test_a_folder_of_files_is_read_before_torchvisions_copy(tmp_path, torchvisions_copy):
    (tmp_path / "mine" / "test" / "cat").mkdir(parents=True)
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 9, 9)).save(buffer, "PNG")
    (tmp_path / "mine" / "test" / "cat" / "1.png").write_bytes(buffer.getvalue())

    images = cifar10.load(settings(path="mine", folder="data"), "test", tmp_path)

    assert images.classes == ("cat",)
    assert torchvisions_copy == []


def test_torchvisions_copy_is_read_without_a_download(tmp_path, torchvisions_copy):
    images = cifar10.load(settings(path="absent.zip", folder="data"), "test", tmp_path)

    assert torchvisions_copy == [(tmp_path / "data", False, False)]
    assert [images.classes[label] for label in images.labels] == ["truck", "airplane"]
    assert images.pixels.shape == (2, 32, 32, 3)


def test_a_broken_copy_is_an_error_of_the_build(tmp_path, torchvisions_copy, monkeypatch):
    def broken(folder, train, download):
        raise RuntimeError("Dataset not found or corrupted.")

    monkeypatch.setattr(vision.torchvision.datasets, "CIFAR10", broken)

    with pytest.raises(BuildError, match="corrupted"):
        cifar10.load(settings(folder="data"), "train", tmp_path)


def test_an_unknown_split_names_the_nearest(tmp_path, torchvisions_copy):
    with pytest.raises(BuildError, match="did you mean 'test'"):
        cifar10.load(settings(folder="data"), "tests", tmp_path)


def test_absent_data_say_what_to_do(tmp_path):
    reason = cifar10.missing(settings(path=["cifar10.zip"], folder="data"), tmp_path)

    assert "no cifar10.zip" in reason
    assert "download = true" in reason
    with pytest.raises(BuildError, match=r"no cifar10\.zip"):
        cifar10.load(settings(path=["cifar10.zip"], folder="data"), "test", tmp_path)


def test_data_that_may_be_downloaded_are_not_missing(tmp_path):
    assert cifar10.missing(settings(folder="data", download=True), tmp_path) == ""


def test_a_row_that_says_no_place_is_refused():
    with pytest.raises(ValidationError, match="give path, folder, or both"):
        settings()
    with pytest.raises(ValidationError, match="download needs a folder"):
        settings(path="a.zip", download=True)


def test_the_digest_of_torchvisions_copy_is_the_same_before_and_after_its_download(tmp_path):
    before = cifar10.digest(settings(folder="data", download=True), tmp_path)
    (tmp_path / "data" / "cifar-10-batches-py").mkdir(parents=True)

    assert cifar10.digest(settings(folder="data"), tmp_path) == before
