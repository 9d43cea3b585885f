"""Character models as a source: the training's course, what is kept of it, and corpora that are no corpora."""

import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from generator.artifact import ArtifactStore
from generator.cli import main
from generator.data import Document
from generator.models import char_rnn
from generator.models.char_rnn import SYMBOLS, Recipe, encoded
from generator.spec import BuildError
from generator.weights import Desk, Trained, read_weights
from tests.conftest import ROOT, SITE_TOML, SmallSite

TEXT = "def f(x):\n    return x + 1  # é\n" * 60


def settings(**recipe: object) -> char_rnn.Settings:
    shape = {"width": 8, "embedding": 4, "batch": 4, "window": 16}
    return char_rnn.Settings(source="char-rnn", train=Recipe(**{**shape, "steps": 8, **recipe}))


def splits(**texts: str) -> dict[str, list[Document]]:
    whole = {"train": TEXT, "validation": TEXT[:300], "test": TEXT[300:700]} | texts
    return {split: [Document(split, text)] if text else [] for split, text in whole.items()}


def desk(folder: Path, after: int = 0, action: object = None) -> Desk:
    """A desk at which something happens after some step."""

    def report(done: int, total: int, word: str) -> None:
        if done == after and callable(action):
            action()

    return Desk(report, ArtifactStore(folder), "ab" * 32)


def same(one: Trained, other: Trained) -> bool:
    return one.measures == other.measures and all(
        torch.equal(tensor, other.weights.tensors[name]) for name, tensor in one.weights.tensors.items()
    )


def test_the_card_tells_the_losses_on_the_way(tmp_path: Path) -> None:
    (last,) = char_rnn.train(settings(check=3), splits(), desk(tmp_path))
    read, losses, held_out = zip(*last.course["curve"], strict=True)

    assert read == (3 * 64, 6 * 64, 8 * 64)
    assert all(2 < loss < 5 for loss in losses + held_out)
    assert last.course["threads"] == 1
    assert last.course["half"] is False
    assert last.measures["bits"] == pytest.approx(last.measures["loss"] / 0.6931, abs=1e-3)


def test_ctrl_c_ends_a_training_between_steps_and_it_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    (whole,) = char_rnn.train(settings(check=3), splits(), desk(tmp_path / "one"))

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="stopped after step 4 of 8; the same command goes on from there"):
        list(char_rnn.train(settings(check=3), splits(), desk(tmp_path / "two", 4, interrupt)))
    steps: list[int] = []
    going_on = Desk(lambda done, total, word: steps.append(done), ArtifactStore(tmp_path / "two"), "ab" * 32)
    (last,) = char_rnn.train(settings(check=3), splits(), going_on)

    assert steps == [5, 6, 7, 8]
    assert same(whole, last)
    assert last.course["curve"] == whole.course["curve"]


def test_a_killed_training_goes_on_from_what_was_kept_last(small_site: SmallSite) -> None:
    """Killed for good in step 6, having kept its state after every step."""
    small_site.toml(SITE_TOML.replace("steps = 3", "steps = 9"))
    code = (
        "import os, signal; from generator.models import char_rnn; char_rnn.PAUSE = 0.0\n"
        "from generator.interp.training import Training\n"
        "step = Training.step\n"
        "Training.step = lambda self: os.kill(os.getpid(), signal.SIGKILL) if self.done == 5 else step(self)\n"
        "from generator.cli import main; main(['train', 'tiny-text', '--to', 'killed', '--store', 'store'])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL

    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(char_rnn.Course, "told", lambda self: seen.append(1) or "")
        trained = [weights_after(small_site, folder) for folder in ("killed", "whole")]

    assert len(seen) == 4 + 9  # the second training finds nothing that is unfinished
    assert trained[0] == trained[1]


def weights_after(site: SmallSite, folder: str) -> dict[str, list[float]]:
    done = CliRunner().invoke(main, ["train", "tiny-text", "--to", folder, "--store", str(site.store.folder)])
    assert done.exit_code == 0, done.output
    tensors = read_weights(site.folder / folder / "step-000009.safetensors").tensors
    return {name: tensor.flatten().tolist() for name, tensor in tensors.items()}


def test_a_loss_that_is_no_number_is_told_and_the_last_good_weights_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Trained] = []
    step = char_rnn.interp.training.Training.step

    def broken(self: char_rnn.interp.training.Training) -> float:
        if self.done == 7:
            self.network.head.weight.data.fill_(float("nan"))  # as an overflow would
        return step(self)

    monkeypatch.setattr(char_rnn.interp.training.Training, "step", broken)
    training = char_rnn.train(settings(check=3), splits(), desk(tmp_path))
    with pytest.raises(BuildError, match=r"in step 8 the loss .* the weights of step 6 are good. Lower the `rate`"):
        found.extend(training)
    monkeypatch.undo()
    (undisturbed, *_) = char_rnn.train(settings(check=3, keep=(6,)), splits(), desk(tmp_path / "other"))

    assert [one.step for one in found] == [6]
    assert same(found[0], undisturbed)
    kept = desk(tmp_path).kept()
    assert kept is not None
    assert kept.arrays["done"] == 6


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"train": ""}, "the corpus has 0 characters for train; give it more text, or more files"),
        ({"train": "x"}, "the corpus has 1 characters for train"),
        ({"validation": ""}, "the corpus has 0 characters for validation"),
        ({"test": "y"}, "the corpus has 1 characters for test"),
        ({"train": "short"}, "the corpus: 5 characters are too few for 4 streams of 17: give a longer text"),
    ],
)
def test_a_corpus_that_is_too_small_is_told(texts: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=message):
        list(char_rnn.train(settings(), splits(**texts), desk(tmp_path)))


def test_every_character_is_its_symbol_and_parts_of_a_file_stay_in_order() -> None:
    documents = [Document("b@100", "tw\to"), Document("b@20", "one~é日\x7f\ud800🦊"), Document("a", SYMBOLS[1:])]
    found = "".join(SYMBOLS[index] for index in encoded(documents).tolist())

    assert found == f"{SYMBOLS[1:]}\n\none~{SYMBOLS[0] * 5}\n\ntw\to"
    assert len(encoded([])) == 0


def test_encoding_a_long_text_takes_little_more_memory_than_the_text() -> None:
    documents = [Document(str(number), "a line of text\n" * 100_000) for number in range(8)]
    size = sum(len(document.text) for document in documents)  # 12 million characters, a byte each
    tracemalloc.start()
    try:
        encoded(documents)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2.5 * size


def test_a_training_that_takes_long_has_a_trial_of_the_pace_unless_the_recipe_says_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def measured(network: object, plan: object, threads: list[int], halves: tuple[bool, ...]) -> object:
        asked.append((list(threads), halves))
        return char_rnn.interp.training.Pace(threads[-1], halves[-1])

    monkeypatch.setattr(char_rnn.interp.training, "measured", measured)
    monkeypatch.setattr(char_rnn.interp.training, "doublings", lambda: [1, 2])
    network = char_rnn.interp.recurrent.CharRNN(4, width=4)
    long = {"steps": 1000, "batch": 50, "window": 50}
    recipes = [Recipe(), Recipe(**long), Recipe(**long, half=True), Recipe(**long, threads=3), Recipe(**long, threads=3, half=False)]  # fmt: skip
    found = [char_rnn.chosen_pace(network, recipe) for recipe in recipes]

    assert [(pace.threads, pace.half) for pace in found] == [(2, True), (2, True), (2, True), (3, True), (3, False)]
    assert asked == [([1, 2], (False, True)), ([1, 2], (False, True)), ([1, 2], (True,)), ([3], (False, True))]
    assert char_rnn.chosen_pace(network, Recipe(steps=3)).threads == 1


def test_all_that_a_recipe_says_of_its_steps_is_followed() -> None:
    asked = {"steps": 7, "batch": 3, "window": 5, "rate": 0.5, "seed": 9, "clip": 2.0, "schedule": "cosine"}
    asked |= {"warm": 0.5, "decay": 0.25, "sparsity": 0.125, "steadiness": 2.5}
    found = vars(char_rnn.plan(Recipe(**asked), char_rnn.interp.training.Pace(4, True)))

    assert found == asked | {"threads": 4, "half": True}
