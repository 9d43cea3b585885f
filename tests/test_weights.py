"""Files of weights: what is read, what is refused, and that nothing in them runs."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from generator.spec import BuildError, BuildErrors
from generator.weights import Weights, checkpoints, read_weights, write_weights
from tests.conftest import SITE_TOML, SmallSite

FIGURE = "id: a\nkind: activation-text\nmodel: tiny-text\nunits: [{index: 0}]\ntext: {literal: abc}\n"


def with_checkpoints(site: SmallSite, more: str = "") -> None:
    """The character model is read from files only: it has no recipe."""
    head, _, tail = SITE_TOML.partition("train = { width = 8")
    site.toml(f'{head}checkpoints = "*.{more or "safetensors"}"{tail[tail.index(chr(10)) :]}')
    site.figure(FIGURE)


def test_weights_come_back_as_they_were_written_in_half_precision(tmp_path: Path) -> None:
    tensor = torch.randn(3, 4)
    write_weights(tmp_path / "step-7.safetensors", Weights({"w": tensor}, {"symbols": "é\n"}), {"step": 7})
    back = read_weights(tmp_path / "step-7.safetensors")

    torch.testing.assert_close(back.tensors["w"], tensor.half().float(), rtol=0, atol=0)
    assert back.about == {"symbols": "é\n"}
    assert checkpoints(tmp_path, "*.safetensors")[0].card()["step"] == 7


def test_a_card_of_other_weights_is_not_believed(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        write_weights(tmp_path / f"step-{value:.0f}.safetensors", Weights({"w": torch.tensor([value])}), {})
    (tmp_path / "step-2.json").replace(tmp_path / "step-1.json")

    with pytest.raises(BuildError, match="is of other weights than step-1"):
        checkpoints(tmp_path, "step-1.safetensors")[0].card()


def test_checkpoints_may_be_named_by_an_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "step-3.pt").touch()

    assert [one.step for one in checkpoints(Path("elsewhere"), f"{tmp_path}/runs/*/step-*.pt")] == [3]


@pytest.mark.parametrize(
    "card", ["[" * 100_000, '{"step": 1e999}', '{"step": {}}'], ids=["deep", "endless", "no number"]
)
def test_a_card_that_tells_no_step_leaves_the_name(tmp_path: Path, card: str) -> None:
    (tmp_path / "final.pt").touch()
    (tmp_path / "final.json").write_text(card)

    assert checkpoints(tmp_path, "*.pt")[0].name == "final"


def test_a_card_that_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    (tmp_path / "final.pt").touch()
    (tmp_path / "final.json").write_text("[" * 100_000)

    with pytest.raises(BuildError, match="training card .*final.json: nested too deeply"):
        checkpoints(tmp_path, "*.pt")[0].card()


def test_metadata_that_others_wrote_are_kept_as_text(tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "a.safetensors", {"format": "pt", "author": "me", "step": "3"})

    assert read_weights(tmp_path / "a.safetensors").about == {"author": "me", "step": 3}


def test_checkpoints_are_ordered_by_the_step_in_their_names(tmp_path: Path) -> None:
    for name in ("step-10.pt", "step-9.pt", "step-100.pt"):
        (tmp_path / name).touch()

    assert [one.step for one in checkpoints(tmp_path, "*.pt")] == [9, 10, 100]


def test_a_state_dict_of_pytorch_is_read(tmp_path: Path) -> None:
    torch.save({"state_dict": {"w": torch.ones(2)}, "epoch": 3}, tmp_path / "a.pt")

    torch.testing.assert_close(read_weights(tmp_path / "a.pt").tensors["w"], torch.ones(2))


class Malicious:
    """A pickle that makes a file when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("by", ["pickle", "torch"])
def test_a_malicious_pickle_is_refused_and_does_not_run(quick_site: SmallSite, by: str) -> None:
    target = quick_site.folder / "owned"
    path = quick_site.content / "step-1.pt"
    if by == "torch":
        torch.save({"w": Malicious(target)}, path)
    else:
        path.write_bytes(pickle.dumps(Malicious(target)))
    with_checkpoints(quick_site, "pt")

    with pytest.raises(BuildErrors, match=r"a.md:6: figure a: .*refused"):
        quick_site.build()
    assert not target.exists()


def test_a_truncated_checkpoint_is_named(quick_site: SmallSite) -> None:
    path = quick_site.content / "step-1.safetensors"
    write_weights(path, Weights({"w": torch.ones(100)}, {}), {})
    path.write_bytes(path.read_bytes()[:-50])
    with_checkpoints(quick_site)

    with pytest.raises(BuildErrors, match=r"a.md:6: figure a: .*step-1.safetensors cannot be read .*truncated"):
        quick_site.build()


def test_no_checkpoint_and_no_recipe_is_told_before_anything_is_computed(quick_site: SmallSite) -> None:
    with_checkpoints(quick_site)

    with pytest.raises(
        BuildErrors, match=r"a.md:6: figure a: model tiny-text: no checkpoint matches .* no `train` recipe"
    ):
        quick_site.build()


def test_a_checkpoint_of_another_kind_of_model_is_told(quick_site: SmallSite) -> None:
    write_weights(quick_site.content / "step-1.safetensors", Weights({"w": torch.ones(2)}, {}), {})
    with_checkpoints(quick_site)

    with pytest.raises(BuildErrors, match="does not say its shape"):
        quick_site.build()


def test_a_file_that_is_no_state_dict_is_told(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "a.pt")

    with pytest.raises(BuildError, match="no state dict"):
        read_weights(tmp_path / "a.pt")


def test_activations_that_are_no_numbers_are_told(quick_site: SmallSite) -> None:
    quick_site.figure(FIGURE)
    quick_site.build()
    (key,) = [path.stem for path in quick_site.store.folder.glob("*/*.npz") if has_weights(quick_site, path.stem)][:1]
    artifact = quick_site.store.get(key)
    assert artifact is not None
    tensors = {name: torch.full(array.shape, float("nan")) for name, array in artifact.arrays.items()}
    write_weights(quick_site.content / "step-1.safetensors", Weights(tensors, artifact.data["about"]), {})
    with_checkpoints(quick_site)

    with pytest.raises(BuildErrors, match=r"a.md:6: figure a: model tiny-text: some activations are not numbers"):
        quick_site.build()


def has_weights(site: SmallSite, key: str) -> bool:
    artifact = site.store.get(key)
    return artifact is not None and "symbols" in artifact.data.get("about", {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("index: 0", "index: 99", "the model has no unit 99 in hidden; it has 0 to 7"),
        (
            "units: [{index: 0}]",
            "units: [{concept: inside-sting}]\ndataset: tiny-corpus",
            "did you mean 'inside-string'",
        ),
        ("text: {literal: abc}", "text: {dataset: tiny-corpus, document: text99.py}", "no document 'text99.py'"),
        ("model: tiny-text", "model: tiny-linear", "model tiny-linear reads no text"),
    ],
)
def test_a_unit_concept_or_document_that_is_not_there_is_told(
    quick_site: SmallSite, old: str, new: str, message: str
) -> None:
    quick_site.figure(FIGURE.replace(old, new))

    with pytest.raises(BuildErrors, match="a.md:6: figure a: ") as caught:
        quick_site.build()
    assert message in str(caught.value)


def test_an_unknown_layer_is_told_with_the_nearest_right_word(quick_site: SmallSite) -> None:
    quick_site.figure("id: a\nkind: layer-ladder\nmodel: tiny-vision\nlayers:\n- conv1\n- cnov2\n")

    with pytest.raises(
        BuildErrors, match=r"a.md:12: figure a: unknown layer 'cnov2' of model tiny-vision; did you mean 'conv2'\?"
    ):
        quick_site.build()
