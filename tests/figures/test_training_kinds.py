"""Kinds for what a character model learnt, and how: curves, predictions, gates, units held still."""

import json
import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from generator import interp
from generator.artifact import Artifact
from generator.cli import main
from generator.figures.ablation import WIDTH, at_tokens, drawn
from generator.figures.training_curve import course
from generator.interp.reading import Clamp, Tokens
from generator.interp.recurrent import Recurrent
from generator.labelling import Corpus
from generator.spec import BuildError, BuildErrors
from tests.conftest import SITE_TOML, SmallSite

CURVE = "id: curve\nkind: training-curve\nmodels: [tiny-text]\n"
GUESSES = 'id: guesses\nkind: prediction-text\nmodel: tiny-text\ntext: {literal: "def é(x):\\n  y"}\n'
GATES = "id: gates\nkind: gates\nmodel: tiny-text\ndataset: tiny-corpus\n"
ABLATION = "id: held\nkind: ablation\nmodel: tiny-text\ndataset: tiny-corpus\ncontrols: 3\nlength: 200\nunits: [%s]\n"


def measures_of(site: SmallSite) -> dict[str, float]:
    (figure,) = json.loads((site.out / "report.json").read_text())["figures"]
    return dict(figure["measures"])


def artifact_of(site: SmallSite) -> Artifact:
    (figure,) = json.loads((site.out / "report.json").read_text())["figures"]
    found = site.store.get(figure["key"])
    assert found is not None
    return found


def test_a_curve_tells_the_losses_that_the_training_told(quick_site: SmallSite) -> None:
    quick_site.figure(CURVE + 'references: [{name: Better, loss: 0.5, source: "<me>, 2026"}]\n')
    quick_site.build()
    measures, data = measures_of(quick_site), artifact_of(quick_site).data
    (one,) = data["series"]
    page = quick_site.read()

    assert measures["tiny-text.characters"] == 3 * 4 * 16
    assert measures["tiny-text.bits"] == pytest.approx(measures["tiny-text.loss"] / math.log(2))
    assert len(one["training"]) == len(one["held_out"]) == 3
    assert len(one["checkpoints"]) == 1
    assert data["references"][0]["at"] > one["checkpoints"][0][1]  # a lower loss is drawn further down
    assert "&lt;me&gt;, 2026" in page
    assert "tiny-text ends at" in page


def test_a_curve_of_checkpoints_is_computed_again_when_there_is_one_more(small_site: SmallSite) -> None:
    row = 'corpus = "tiny-corpus"\ncheckpoints = "checkpoints/*.safetensors"'
    toml = SITE_TOML.replace('corpus = "tiny-corpus"', row, 1)
    small_site.toml(toml)
    small_site.figure(CURVE)
    small_site.build()
    first = measures_of(small_site)
    small_site.toml(toml.replace("steps = 3", "steps = 3, keep = [2]"))
    done = CliRunner().invoke(main, ["train", "tiny-text", "--to", "content/checkpoints", "--store", "store"])
    assert done.exit_code == 0, done.output
    outcome = small_site.build()

    assert outcome.computed == 1
    assert len(artifact_of(small_site).data["series"][0]["checkpoints"]) == 2
    assert measures_of(small_site) == first  # whose last checkpoint is what the build trained


def test_a_card_without_a_course_still_gives_its_checkpoint_and_none_at_all_is_told() -> None:
    card = {"step": 10, "recipe": {"batch": 2, "window": 3}, "measures": {"loss": 1.5}}

    assert course("m", [card]) == {"name": "m", "training": [], "held_out": [], "checkpoints": [(60, 1.5)]}
    with pytest.raises(BuildError, match="model m has no card of a training on text"):
        course("m", [{"step": 1, "recipe": {"l2": 1}, "measures": {"accuracy": 1}}])


@pytest.mark.parametrize(
    ("models", "message"),
    [("[tiny-txet]", "unknown model 'tiny-txet'; did you mean 'tiny-text'?"), ("[a, a]", "models: each once")],
)
def test_models_of_a_curve_must_be_there(quick_site: SmallSite, models: str, message: str) -> None:
    quick_site.figure(CURVE.replace("[tiny-text]", models))

    with pytest.raises(BuildErrors, match=message.replace("?", r"\?")):
        quick_site.build()


def test_guesses_are_of_the_character_that_comes_next_and_sum_to_less_than_one(quick_site: SmallSite) -> None:
    quick_site.figure(GUESSES + "guesses: 3\n")
    quick_site.build()
    measures, data = measures_of(quick_site), artifact_of(quick_site).data
    places = [place for line in data["lines"] for place in line]
    true = [place["true"] for place in places]

    assert "".join(place["text"] for place in places) == "def é(x):\n  y"
    assert [len(line) for line in data["lines"]] == [10, 3]
    assert true[-1] is None
    assert measures["loss"] == pytest.approx(-np.log(true[:-1]).mean(), abs=0.01)
    for place, after in zip(places, [*places[1:], None], strict=True):
        probabilities = [guess["probability"] for guess in place["guesses"]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1
        for guess in place["guesses"]:
            expected = {"é": "\ufffd"}.get(after["text"], after["text"]) if after else None
            assert guess["true"] == (guess["text"] == expected)


def test_guesses_know_what_was_read_before_the_text_that_is_shown(quick_site: SmallSite) -> None:
    def first(start: int) -> object:
        text = f"{{dataset: tiny-corpus, split: train, start: {start}, length: 5}}"
        quick_site.figure(f"id: guesses\nkind: prediction-text\nmodel: tiny-text\ntext: {text}\n")
        quick_site.build()
        return artifact_of(quick_site).data["lines"][0][0]

    whole, alone = first(40), first(0)
    assert whole != alone


@pytest.mark.parametrize(("text", "count"), [("x" * 1001, "1001"), ("", "0")])
def test_a_text_of_no_or_too_many_characters_is_told(quick_site: SmallSite, text: str, count: str) -> None:
    quick_site.figure(f"id: g\nkind: prediction-text\nmodel: tiny-text\ntext: {{literal: '{text}'}}\n")

    with pytest.raises(BuildErrors, match=f"text: {count} tokens; from 1 to 1000 can be shown"):
        quick_site.build()


def test_a_reader_that_sees_what_comes_has_no_predictions(
    quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recurrent, "causal", False)
    quick_site.figure(GUESSES.replace("def", "deg"))

    with pytest.raises(BuildErrors, match="sees what comes after a token"):
        quick_site.build()


def test_gates_are_shares_and_a_point_for_each_unit_lies_below_the_diagonal(quick_site: SmallSite) -> None:
    quick_site.figure(GATES)
    quick_site.build()
    measures, data = measures_of(quick_site), artifact_of(quick_site).data
    near, far = data["plot"]

    assert [panel["gate"] for panel in data["panels"]] == ["input", "forget", "output"]
    assert measures["documents"] == 1
    assert all(0 <= value <= 1 for name, value in measures.items() if ".0." in name)
    assert all(near <= x <= y <= far for panel in data["panels"] for x, y in panel["points"])


def test_a_model_without_gates_is_told(quick_site: SmallSite) -> None:
    quick_site.toml(SITE_TOML.replace("{ width = 8", '{ cell = "rnn", width = 8'))
    quick_site.figure(GATES)

    with pytest.raises(BuildErrors, match="model tiny-text: a plain RNN has no gates"):
        quick_site.build()


@pytest.mark.parametrize("unit", ["{concept: inside-string}", "{group: cell, index: 3}"])
def test_a_unit_held_still_stands_beside_others_of_its_group(quick_site: SmallSite, unit: str) -> None:
    quick_site.figure(ABLATION % unit)
    quick_site.build()
    measures, data = measures_of(quick_site), artifact_of(quick_site).data
    (held,) = data["units"]
    label = "inside-string" if "concept" in unit else "cell-3"

    assert held["rows"][0]["name"] == "everywhere"
    assert measures["loss"] == pytest.approx(held["rows"][0]["loss"], abs=1e-4)
    for row in held["rows"]:
        assert row["low"] <= row["high"] == pytest.approx(measures[f"{label}.{row['name']}.control"], abs=1e-5)
        assert measures[f"{label}.{row['name']}.beaten"] == row["beaten"] / 3
        assert row["sought"] == (row["name"] == held["note"])


def test_a_rise_is_the_loss_with_the_unit_held_less_that_without(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of made-up losses: 1 with nothing held, and a tenth more for each number of the unit that is held at zero."""

    def losses(reader: Recurrent, documents: list[torch.Tensor], clamps: list[Clamp]) -> torch.Tensor:
        found = torch.cat([torch.cat([torch.ones(len(ids) - 1), torch.tensor([torch.nan])]) for ids in documents])
        assert all(clamp.values.tolist() == [0] and clamp.group == "cell" for clamp in clamps)
        return found + sum(0.1 * int(clamp.numbers) for clamp in clamps)

    monkeypatch.setattr(interp.ablation, "losses", losses)
    small_site.figure(ABLATION.replace("controls: 3", "controls: 7") % "{group: cell, index: 5}" + "to: zero\n")
    small_site.build()
    measures = measures_of(small_site)

    assert measures["loss"] == pytest.approx(1)
    assert measures["cell-5.everywhere.rise"] == pytest.approx(0.5)
    assert measures["cell-5.everywhere.control"] == pytest.approx(0.7)
    assert measures["cell-5.inside-string.beaten"] == pytest.approx(5 / 7)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("{group: cell, index: 8}", r"no unit 8 in cell; it has 0 to 7"),
        ("{concept: inside-strnig}", "unknown concept 'inside-strnig'; did you mean 'inside-string'"),
    ],
)
def test_a_unit_to_hold_must_be_there(quick_site: SmallSite, unit: str, message: str) -> None:
    quick_site.figure(ABLATION % unit)

    with pytest.raises(BuildErrors, match=message):
        quick_site.build()


def test_more_controls_than_units_are_told(quick_site: SmallSite) -> None:
    quick_site.figure(ABLATION.replace("controls: 3", "controls: 8") % "{index: 0}")

    with pytest.raises(BuildErrors, match="controls: group hidden has only 7 other units"):
        quick_site.build()


def test_concepts_hold_at_the_last_character_of_a_token() -> None:
    holds = interp.histograms.packed(np.array([[False], [True]]))
    read = Corpus(["abc", "d"], ["c"], holds, np.array([0, 1, 0, 1], np.uint8), [], np.zeros((4, 0)), 1)
    tokens = [Tokens(torch.zeros(2), torch.tensor([[0, 2], [2, 3]])), Tokens(torch.zeros(1), torch.tensor([[0, 1]]))]

    assert at_tokens(tokens, read)[:, 0].tolist() == [True, False, True]


def test_marks_share_one_scale_with_no_rise_on_it() -> None:
    found = drawn(0.4, np.array([0.1, 0.2]))

    assert (found["zero"], found["place"]) == (3, WIDTH - 3)
    assert found["controls"] == [31.5, 60.0]
