"""The census on a site of its own: what it counts, what it refuses, and what it says where there is nothing to tell."""

import json
import re

import pytest
import torch
import yaml

from generator.concept_options import BUILT_IN
from generator.figures.unit_census import EXAMPLE
from generator.interp.concepts import concepts
from generator.model import Model
from generator.spec import BuildError, BuildErrors
from tests.conftest import SmallSite, forget_code

OWN = "def capitals(text):\n    import numpy\n    return numpy.array([one.isupper() for one in text], dtype=bool)\n"


def census(site: SmallSite, **changed: object) -> dict[str, float]:
    """Measures of the example with some options changed."""
    options = yaml.safe_load(EXAMPLE) | changed
    site.figure("id: census\nkind: unit-census\n" + yaml.safe_dump(options))
    site.build()
    (figure,) = json.loads((site.out / "report.json").read_text())["figures"]
    return dict(figure["measures"])


def test_the_census_counts_every_unit_and_its_measures_agree(quick_site: SmallSite) -> None:
    measures = census(quick_site)

    assert measures["units"] == 16  # 8 cells and 8 hidden units
    assert measures["readable-share"] == measures["readable"] / 16
    assert measures["readable-share.interval-low"] <= measures["readable-share"]
    assert measures["readable-share.interval-high"] >= measures["readable-share"]
    assert measures["readable"] == sum(value for name, value in measures.items() if name.endswith(".readable"))
    concepts = {name.removesuffix(".auc") for name in measures if name.endswith(".auc")}
    assert {"line-end", "inside-brackets", "def-line"} <= concepts
    for name in concepts:
        assert measures[f"{name}.interval-low"] <= measures[f"{name}.auc"] <= measures[f"{name}.interval-high"]
        assert 0.5 <= measures[f"{name}.untrained"] <= 1
        assert 0.5 <= measures[f"{name}.null"] <= 1
    for name in ("position-in-line", "indentation-depth"):
        assert measures[f"{name}.interval-low"] <= measures[f"{name}.correlation"] <= measures[f"{name}.interval-high"]
        assert 0 < measures[f"{name}.null"] <= 1


def test_the_census_keeps_what_it_found_of_every_unit(small_site: SmallSite) -> None:
    measures = census(small_site)
    (data,) = [
        found.data
        for path in small_site.folder.glob("store/*/*.npz")
        if "quantities" in (found := small_site.store.get(path.stem)).data  # type: ignore[union-attr]
    ]
    rows = {(one["group"], one["number"]): one for one in data["units"]}
    best = {one["name"]: rows[one["unit"]["group"], one["unit"]["number"]] for one in data["concepts"] if one["scores"]}
    agreeing = [name for name, row in best.items() if row["concept"] == name]

    assert len(rows) == measures["units"]
    assert sum(one["readable"] for one in rows.values()) == measures["readable"]
    assert len(agreeing) >= 3
    for name in agreeing:
        own = {score: measures[f"{name}.{score}"] for score in ("auc", "interval-low", "interval-high")}
        assert best[name]["scores"] == pytest.approx(own, abs=0.02)  # resampled beside other units
        assert best[name]["scores"]["auc"] == own["auc"]


def test_a_concept_that_holds_nowhere_or_everywhere_is_told_and_has_no_measures(quick_site: SmallSite) -> None:
    measures = census(quick_site, concepts={"never": "zebra", "always": r"[\s\S]"})

    assert not [name for name in measures if name.startswith(("never.", "always."))]
    assert "It holds nowhere in the documents" in quick_site.read()
    assert "It holds everywhere in the documents" in quick_site.read()


def test_a_function_of_the_author_is_a_concept_like_any_other(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small_site.folder / "own_capitals.py").write_text(OWN)
    measures = census(small_site, functions={"capitals": "own_capitals:capitals"})

    for score in ("auc", "interval-low", "ngram", "untrained", "null", "f1", "bits"):
        assert measures[f"capitals.{score}"] == measures[f"upper-case.{score}"]


def test_changed_code_of_a_function_is_computed_again(small_site: SmallSite) -> None:
    path = small_site.folder / "own_changing.py"
    path.write_text(OWN)
    census(small_site, functions={"capitals": "own_changing:capitals"})
    first = json.loads((small_site.out / "report.json").read_text())["figures"][0]["key"]
    path.write_text(OWN.replace("isupper", "islower"))

    forget_code()
    census(small_site, functions={"capitals": "own_changing:capitals"})

    assert json.loads((small_site.out / "report.json").read_text())["figures"][0]["key"] != first


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    raise ValueError('no')", "concept own: own_{}:say failed on text"),
        ("    return [True]", "not a Boolean for each of its"),
        ("    return [1.5] * len(text)", "gave float64"),
    ],
)
def test_a_function_that_fails_is_told_with_its_concept(small_site: SmallSite, body: str, message: str) -> None:
    name = f"own_{abs(hash(body))}"
    (small_site.folder / f"{name}.py").write_text(f"def say(text):\n{body}\n")

    with pytest.raises(BuildError, match=re.escape(message.format(name.removeprefix("own_")))):
        census(small_site, functions={"own": f"{name}:say"})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"language": "pithon"}, "'pithon' is neither prose nor python"),
        ({"concepts": {"open": "("}}, "open: '(' is no regular expression"),
        ({"concepts": {"digit": "[0-9]"}}, "the concept 'digit' is built in"),
        ({"concepts": {"A page": "[0-9]"}}, "the concept 'A page' is no name"),
        ({"functions": {"own": "nowhere"}}, 'is not "module:function"'),
        ({"functions": {"own": "no_such_module:say"}}, "concept own: no_such_module:say: there is no module"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_computed(
    small_site: SmallSite, changed: dict[str, object], message: str
) -> None:
    with pytest.raises(BuildError, match=re.escape(message)):
        census(small_site, **changed)


def test_a_network_whose_activations_are_no_numbers_is_told(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Model.__init__

    def broken(self: Model, *given: object, **named: object) -> None:
        load(self, *given, **named)  # type: ignore[arg-type]
        self.network.embedding.weight.fill_(torch.nan)  # type: ignore[union-attr,operator]

    monkeypatch.setattr(Model, "__init__", broken)

    with pytest.raises(BuildError, match="model tiny-text: some activations are not numbers"):
        census(small_site)


def test_prose_and_a_language_of_pygments_have_their_own_concepts(quick_site: SmallSite) -> None:
    assert "capitalised-word.auc" in census(quick_site, language="prose")
    assert "inside-comment.auc" in census(quick_site, language="ruby")


def test_documents_of_one_character_have_nothing_to_separate_and_empty_ones_are_told(small_site: SmallSite) -> None:
    corpus = small_site.content / "few"
    corpus.mkdir()
    for number in range(10):
        (corpus / f"{number}.txt").write_text("a")
    toml = (small_site.content / "site.toml").read_text()
    small_site.toml(toml + '\n[datasets.few]\nsource = "text"\npath = "few/*.txt"\n')
    measures = census(small_site, dataset="few", language="prose")

    assert measures["readable"] == 0
    assert not [name for name in measures if name.endswith(".auc")]
    for path in corpus.iterdir():
        path.write_text("")
    with pytest.raises(BuildError, match="none of the 1 documents can be read as prose"):
        census(small_site, dataset="few", language="prose")


def test_more_concepts_than_can_be_told_apart_are_refused(quick_site: SmallSite) -> None:
    concepts = "".join(f"  c{number}: 'x'\n" for number in range(40))
    functions = "".join(f"  f{number}: 'm:f'\n" for number in range(13))
    quick_site.figure(
        f"id: a\nkind: unit-census\nmodel: tiny-text\ndataset: tiny-corpus\nconcepts:\n{concepts}functions:\n{functions}"
    )

    with pytest.raises(BuildErrors, match=r"figure a: 53 concepts of your own; at most 52 can be told apart"):
        quick_site.build()


def test_no_language_has_more_concepts_than_are_left_room_for() -> None:
    texts = {"prose": "Words.\n", "python": "a = 1\n", "c": "int a;\n"}

    assert max(len(concepts(text, language) or {}) for language, text in texts.items()) == BUILT_IN
