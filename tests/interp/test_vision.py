import pytest
import torch

from generator.interp import vision


def test_torchvision_is_imported_and_has_both_operators_whoever_defined_them():
    assert "alexnet" in vision.models.list_models(vision.models)
    assert hasattr(torch.ops.torchvision, "nms")
    assert hasattr(torch.ops.torchvision, "qnms")


def test_nothing_is_defined_where_the_operators_exist():
    assert vision.define_missing() is None


def test_missing_operators_are_defined_for_as_long_as_the_definition_lives():
    library = vision.define_missing("whatfires_test")

    assert hasattr(torch.ops.whatfires_test, "nms")
    assert hasattr(torch.ops.whatfires_test, "qnms")
    assert vision.define_missing("whatfires_test") is None
    with pytest.raises(NotImplementedError):
        torch.ops.whatfires_test.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    library._destroy()


def test_a_compiled_part_that_cannot_be_loaded_is_left_alone(tmp_path):
    (tmp_path / "_C.so").write_bytes(b"not a library")

    vision.load_compiled([tmp_path])


def test_imagenet_has_its_thousand_classes_in_order():
    classes = vision.imagenet_classes()

    assert len(classes) == 1000
    assert [classes[number] for number in (1, 130, 292, 954, 985)] == [
        "goldfish",
        "flamingo",
        "tiger",
        "banana",
        "daisy",
    ]
