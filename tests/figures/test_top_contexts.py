"""Contexts of a unit: what is shown, that copies are left out, and what is told of bad input."""

import json
import re
from html import unescape

import numpy as np
import pytest

from generator.data import Document
from generator.excerpts import Excerpt
from generator.figures.top_contexts import EXAMPLE, scale_of
from generator.inputs import Inputs
from generator.passages import Places, Unit, texts
from generator.spec import BuildError
from tests.conftest import SITE_TOML, SmallSite

BLOCK = "id: contexts\nkind: top-contexts\n" + EXAMPLE
NONE = Places(np.zeros(0, np.float32), np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3), np.float32))


def unit(least: float, most: float) -> Unit:
    return Unit(NONE, NONE, NONE, NONE, np.ones(4, int), least, most, 1, 1, 1, np.zeros(1, np.float32), np.ones(1, int))


def excerpt(text: str, document: str = "a", place: int = 0) -> Excerpt:
    return Excerpt(1.0, document, place, 1, tuple((one, 0.0, number == 0) for number, one in enumerate(text)))


def written(site: SmallSite, text: str, name: str = "texts/*.py") -> None:
    """The data set is this one text ten times, so that its split holds it once."""
    for path in (site.content / "texts").iterdir():
        path.write_text(text)
    assert name in SITE_TOML


def test_passages_are_those_of_the_text_and_the_strongest_stand_first(quick_site: SmallSite) -> None:
    quick_site.figure(BLOCK)
    quick_site.build()
    page = quick_site.read()
    shown = [unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r"<bdi[^>]*>(.*?)</bdi>", page)]
    values = [float(one.replace("−", "-")) for one in re.findall(r"<var>([^<]+?)(?: <i>|</var>)", page)]
    text = "".join(path.read_text() for path in sorted((quick_site.content / "texts").iterdir())).replace("\n", "↵")

    assert shown
    assert all(one in text for one in shown)
    assert values[0] == max(values)
    assert len(set(shown)) == len(shown)


def test_the_measures_count_every_token(quick_site: SmallSite) -> None:
    quick_site.figure(BLOCK)
    quick_site.build()
    figure, *_ = json.loads((quick_site.out / "report.json").read_text())["figures"]

    assert figure["measures"]["tokens"] == len((quick_site.content / "texts" / "text9.py").read_text())
    assert 0 <= figure["measures"]["active"] <= figure["measures"]["active-passages"] <= 1


def test_overlapping_and_nearly_equal_passages_are_the_same() -> None:
    licence = excerpt("# Copyright 2019 the authors, all rights reserved")

    assert licence.repeats(excerpt("# copyright 2024  the authors, all rights reserved", "b"))
    assert licence.repeats(excerpt("another text that stands a little further on here", "a", 30))
    assert not licence.repeats(excerpt("another text that stands a little further on here", "b", 30))


def test_zero_has_no_colour_where_the_unit_reaches_it() -> None:
    assert [scale_of(unit(-1.0, 4.0)).level(value) for value in (-4, 0, 2, 4)] == [0, 10, 15, 20]
    assert [scale_of(unit(0.0, 4.0)).level(value) for value in (0, 4, 9)] == [10, 20, 20]
    assert [scale_of(unit(5.0, 6.0)).level(value) for value in (5, 5.5, 6)] == [0, 10, 20]


def test_a_longer_data_set_is_read_from_the_beginning_of_every_document(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [Document("a", "x" * 100), Document("b", ""), Document("c", "y" * 3), Document("d", "z" * 50)]
    monkeypatch.setattr(Inputs, "documents", lambda self, dataset, split: documents)
    inputs = Inputs(None)  # type: ignore[arg-type]

    assert [len(one.text) for one in texts(inputs, "d", "test", 23)] == [10, 3, 10]
    assert [len(one.text) for one in texts(inputs, "d", "test", 1000)] == [100, 3, 50]


def test_units_of_one_group_read_the_text_once(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    small_site.figure(BLOCK)
    small_site.build()

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the text is read again")

    monkeypatch.setattr("generator.interp.contexts.record", refuse)
    small_site.figure(BLOCK.replace("index: 3", "index: 4"))
    assert small_site.build().computed == 1


def test_the_unit_can_be_the_one_that_follows_a_concept(quick_site: SmallSite) -> None:
    shared = "documents: 2\nlength: 200\n"
    quick_site.figure(BLOCK.replace("index: 3", "concept: inside-string, rank: 2") + shared)
    quick_site.build()
    contexts = re.search(r"<strong>(.*?)</strong>.*?Number 2 of the units that follow", quick_site.read(), re.DOTALL)
    quick_site.figure(
        "id: cells\nkind: activation-text\nmodel: tiny-text\ndataset: tiny-corpus\ntext: {literal: x}\n"
        "units: [{group: cell, concept: inside-string, rank: 2}]\n" + shared
    )
    quick_site.build()
    coloured = re.search(r'<strong class="name">−?(.*?)</strong>', quick_site.read())

    assert contexts
    assert coloured
    assert contexts[1] == coloured[1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("group: cell", "group: cel", "the model has no units 'cel'; did you mean 'cell'"),
        ("index: 3", "index: 8", "the model has no unit 8 in cell; it has 0 to 7"),
        ("index: 3", 'index: "0:2"', "one unit is shown, so give its number, not the range '0:2'"),
        ("index: 3", "concept: inside-strings", "unknown concept 'inside-strings'; did you mean 'inside-string'"),
        ("{group: cell, index: 3}", "3", "unit: write it with its keys, {group, index, concept, rank}, not 3"),
        ("tiny-corpus", "digits", "data set digits holds images, not text"),
        ("tiny-text", "tiny-vision", "model tiny-vision reads no text"),
        ("before: 12", "quantiles: [120]", "each is a per cent of the passages, from 0 to 100"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(quick_site: SmallSite, old: str, new: str, message: str) -> None:
    assert old in BLOCK
    quick_site.figure(BLOCK.replace(old, new))

    with pytest.raises(BuildError, match=re.escape(message)):
        quick_site.build()


def test_a_data_set_of_empty_documents_is_told(quick_site: SmallSite) -> None:
    quick_site.build()  # trains on the usual texts
    written(quick_site, "")
    quick_site.toml(SITE_TOML.replace('corpus = "tiny-corpus"', 'corpus = "other"') + '\n[datasets.other]\nsource = "text"\npath = "other/*.py"\n')  # fmt: skip
    (quick_site.content / "other").mkdir()
    for number in range(10):
        (quick_site.content / "other" / f"{number}.py").write_text("x = 1\n" * 50)
    quick_site.figure(BLOCK)

    with pytest.raises(BuildError, match="data set tiny-corpus holds no text in split test"):
        quick_site.build()


@pytest.mark.parametrize("text", ["x", "</script><b>שלום \u0645\u0631\u062d\u0628\u0627</b>\t'\"&\n" * 20])
def test_any_text_is_shown_as_text(quick_site: SmallSite, text: str) -> None:
    written(quick_site, text)
    quick_site.toml(SITE_TOML.replace('corpus = "tiny-corpus"', 'corpus = "other"') + '\n[datasets.other]\nsource = "text"\npath = "other/*.py"\n')  # fmt: skip
    (quick_site.content / "other").mkdir()
    for number in range(10):
        (quick_site.content / "other" / f"{number}.py").write_text("x = 1\n" * 50)
    quick_site.figure(BLOCK)
    quick_site.build()
    page = quick_site.read()

    shown = "".join(re.findall("<bdi>(.*?)</bdi>", page, re.DOTALL))
    assert "</script><b>ש" not in page
    assert "&#" not in shown  # quotes stand as they are
    assert len(re.findall("<(?!/?(?:b|mark)[ >])", shown)) == 0
    assert "<bdi>" in page or "never changes" in page


def test_a_unit_that_never_changes_is_told_to_be_silent(quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.figures.top_contexts.unit", lambda *arguments: unit(0.0, 0.0))
    quick_site.figure(BLOCK + "seed: 77\n")  # an artifact of its own
    quick_site.build()

    assert "This unit never changes: it is at 0" in quick_site.read()
