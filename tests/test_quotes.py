"""The numbers that a post states of its figures and models."""

from pathlib import Path

from generator.artifact import ArtifactStore, Measures
from generator.at_hand import AtHand
from generator.obtained import Obtained
from generator.quotes import Quotes
from generator.spec import BuildError, Place, Post, Value


def quotes(description: str, measure: str, errors: list[BuildError]) -> Quotes:
    """Of a post that quotes a measure of model m, which measures `it's--so`, and nothing else."""
    place = Place("a.md", 3)
    post = Post("a.html", "A", "", place, description=description, values=(Value("m", measure, ".1%", place),))
    return Quotes(post, {}, Obtained(AtHand(ArtifactStore(Path("never-read")))), lambda name: [(None, Measures({"it's--so": 0.5}))], errors)  # fmt: skip


def test_a_measure_in_a_description_is_called_as_it_is_and_only_the_words_are_set() -> None:
    errors: list[BuildError] = []
    told = quotes("\"Half\" -- `{value:.1%} m.it's--so`'s", "it's--so", errors).description()

    assert told == "“Half” – 50.0%’s"
    assert errors == []


def test_a_measure_in_a_description_that_is_not_there_is_told_once_with_its_place() -> None:
    errors: list[BuildError] = []
    read = quotes("`{value:.1%} m.it's-so`", "it's-so", errors)
    read.description()
    read.description()  # as once for its page and once for lists

    assert [str(error) for error in errors] == ['a.md:3: m has no measure "it\'s-so"; did you mean "it\'s--so"?']
