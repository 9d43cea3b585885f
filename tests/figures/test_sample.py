"""What a network writes, and the colours of a unit over it."""

from dataclasses import dataclass, field

import html5lib
import numpy as np
import pytest
import torch

from generator import interp
from generator.figures.sample import Options, activations, compute, runs
from generator.inputs import Inputs
from generator.model import Model
from generator.spec import BuildError
from generator.themes import environment


def model():
    torch.manual_seed(0)
    network = interp.recurrent.CharRNN(4, width=3, embedding=2).eval().requires_grad_(False)
    return Model("m", network, reader=interp.recurrent.Recurrent(network, "?ab "))


@dataclass(frozen=True)
class Known(Inputs):
    library: None = None
    known: Model = field(default_factory=model)

    @property
    def model(self):
        return self.known


def computed(**more):
    return compute(Options(model="m", start="ab", length=20, **more), Known())


def test_the_same_seed_writes_the_same_at_each_temperature_and_never_the_unknown_symbol():
    one, two, other = computed(seed=1), computed(seed=1), computed(seed=2)

    assert one.data == two.data != other.data
    assert all(len(sample["text"]) == 20 and set(sample["text"]) <= set("ab ") for sample in one.data["samples"])
    assert one.measures == {"characters": 20, "tokens": 20}


def test_a_units_colours_are_of_what_the_network_read_as_it_wrote():
    artifact = computed(temperatures=[1.0, 2.0], unit="cell 2")
    reader = model().reader
    texts = ["ab" + sample["text"] for sample in artifact.data["samples"]]

    read = [reader.read(reader.tokens(text).ids[None], ("cell",)).activations[0, 2:, 2] for text in texts]

    start = reader.tokens("ab").ids
    drawn = torch.stack([reader.tokens(text[2:]).ids for text in texts])
    np.testing.assert_allclose(activations(model(), "cell 2", start, drawn), torch.stack(read), atol=1e-6)
    for sample in artifact.data["samples"]:
        assert "".join(run["text"] for run in sample["runs"]) == sample["text"]
    assert artifact.measures["low"] < artifact.measures["high"]
    assert artifact.data["unit"]["name"] == "cell 2"


def test_a_text_that_no_token_accounts_for_has_the_colour_of_the_middle():
    assert runs("a\ufffd", [(0, 1), (1, 1)], np.array([1.0, 0.0], np.float32)) == [
        {"text": "a", "level": 20},
        {"text": "\ufffd", "level": 10},
    ]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"unit": "cell 7"}, "unit: model m has no 'cell 7'; did you mean 'cell"),
        ({"temperatures": [0.0]}, "temperatures: each must be between 0.01 and 10"),
    ],
)
def test_what_cannot_be_written_or_coloured_is_told(more, message):
    with pytest.raises(BuildError, match=message):
        computed(**more)


@pytest.mark.parametrize("text", ["\n\nab", "ab\n", "\n"])
def test_a_text_is_shown_with_the_line_ends_that_it_begins_with(text):
    """An HTML parser leaves out the one that a <pre> begins with."""
    data = {"start": "", "by_character": True, "unit": None, "samples": [{"temperature": 1.0, "text": text}]}
    page = environment("").get_template("figures/sample.html").render(figure={"id": "f"}, data=data)
    (pre,) = html5lib.parse(page, namespaceHTMLElements=False).iter("pre")

    assert pre.text == text
