"""A coloured text: which units it shows, what each character's colour is, and any text at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import numpy as np
import pytest
import torch

from generator.choosing import Chosen, chosen
from generator.figures.activation_text import blocks, passage, peaks, recorded
from generator.interp.reading import Reading, Tokens
from generator.model import Model
from generator.spec import BuildError, BuildErrors, UnitChoice
from tests.conftest import SmallSite

GROUPS = {"hidden": 3, "cell 1": 5}


class Words:
    """A reader whose tokens are words and one for their start; the activation of unit n is position · 10 + n."""

    groups = GROUPS
    context = None
    causal = True

    def tokens(self, text: str) -> Tokens:
        spans = [(0, 0), *(match.span() for match in re.finditer(r"\w+", text))]
        return Tokens(torch.arange(len(spans)), torch.tensor(spans))

    def token(self, number: int) -> str:
        return str(number)

    def read(self, ids: torch.Tensor, groups: Sequence[str], state: Any = None, **rest: Any) -> Reading:
        numbers = torch.cat([torch.arange(self.groups[group]) for group in groups])
        return Reading(ids[..., None] * 10.0 + numbers, None, None)


def words(context: str, text: str, *shown: Chosen) -> np.ndarray:
    return recorded(Model("m", torch.nn.Identity(), reader=Words()), context, text, shown, lambda done, total: None)


def test_a_token_counts_for_all_its_characters_and_what_no_token_stands_for_has_no_value() -> None:
    found = words("", "ab, c", Chosen("hidden", 0), Chosen("cell 1", 4, "c", 0.1))

    np.testing.assert_array_equal(found, [[10, 10, np.nan, np.nan, 20], [-14, -14, np.nan, np.nan, -24]])


def test_what_the_network_reads_first_is_not_shown() -> None:
    found = words("ab c", "de f", Chosen("hidden", 1))  # the text begins inside a word

    np.testing.assert_array_equal(found, [[21, 21, np.nan, 31]])


def test_units_are_named_by_any_group_and_by_ranges() -> None:
    def names(**choice: Any) -> list[str]:
        return [one.name for one in chosen(UnitChoice(**choice), GROUPS, None)]

    assert names(index=2) == ["hidden 2"], "the first group, if none is named"
    assert names(group="cell 1", index="1:3") == ["cell 1.1", "cell 1.2"]
    assert len(names(group="cell 1", index=":")) == 5


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"group": "cell", "index": 0}, "the model has no units 'cell'; did you mean 'cell 1'?"),
        ({"index": 3}, "the model has no unit 3 in hidden; it has 0 to 2"),
        ({"index": "7:9"}, "the model has no unit 7:9 in hidden; it has 0 to 2"),
    ],
)
def test_a_unit_that_is_not_there_is_told_with_what_there_is(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(BuildError, match=re.escape(message)):
        chosen(UnitChoice(**choice), GROUPS, None)


@pytest.mark.parametrize("index", [-1, "1-3", "all"])
def test_an_index_is_a_number_or_a_range(index: int | str) -> None:
    with pytest.raises(ValueError, match='give a number from 0, or a range such as "0:64"'):
        UnitChoice(index=index)


def test_runs_are_of_one_level_and_blocks_of_whole_lines() -> None:
    text = ("a line of 20 letters\n" * 100) + "end"
    levels = np.arange(len(text)) // 7 % 21

    found = blocks(text, levels)

    assert "".join(run for block in found for _, run in block) == text
    assert [level for block in found for level, run in block for _ in run] == levels.tolist()
    assert all(block[-1][1] == "\n" for block in found[:-1])
    assert {sum(len(run) for _, run in block) for block in found[:-1]} == {819}, "800 and the rest of the line"


def test_a_character_without_ink_is_a_run_of_its_own() -> None:
    assert blocks("\n\n\tab\r\n", np.full(7, 4)) == [[(4, one) for one in ("\n", "\n", "\t", "ab", "\r", "\n")]]


def test_passages_are_the_highest_and_lie_apart() -> None:
    values = np.full(200, -1, dtype=np.float32)
    values[[10, 12, 50, 100, 190]] = [9, 8, np.nan, 7, 6]

    assert peaks(values) == [10, 100, 190]
    assert peaks(np.ones(9, dtype=np.float32)) == peaks(np.zeros(0, dtype=np.float32)) == []
    assert passage("ab\ncd", 3, 0.5) == {"before": "ab↵", "at": "c", "after": "d", "value": 0.5}


def page_of(site: SmallSite, literal: str, more: str = "") -> str:
    site.figure(
        'id: t\nkind: activation-text\nmodel: tiny-text\nunits: [{group: cell, index: "0:8"}]\n'
        f"text: {{literal: {literal}}}\n{more}"
    )
    site.build()
    return site.read()


def shown(page: str) -> str:
    (pre,) = re.findall(r'<pre class="text".*?>(.*?)</pre>', page, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "", pre))


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ('"x"', "x"),
        (r'"日本 \U0001F469\u200d\U0001F52C\n"', "日本 \U0001f469\u200d\U0001f52c\n"),  # seen in no text of the corpus
        (r'"\u05e9\u05dc\u05d5\u05dd \"e\u0301\" \t</script></pre>"', 'שלום "e\u0301" \t</script></pre>'),
        (r'"a\r\nb\0c"', "a\r\nb\ufffdc"),  # NUL, which no page can hold, is replaced
        (r'"\n\nfrom the third line\n\n"', "\n\nfrom the third line\n\n"),
    ],
)
def test_any_text_is_shown_as_it_is(quick_site: SmallSite, literal: str, text: str) -> None:
    page = page_of(quick_site, literal)

    assert shown(page) == text
    assert page.count("</script>") == page.count("<script")


def test_half_a_character_is_told(quick_site: SmallSite) -> None:
    with pytest.raises(BuildErrors, match=r"a.md:\d+: figure t: text.literal: .*it holds half a character, '\\ud83d'"):
        page_of(quick_site, r'"a \ud83d\ude00"')


def test_an_empty_text_is_said_to_be_empty(quick_site: SmallSite) -> None:
    page = page_of(quick_site, '""')

    assert shown(page) == ""
    assert "The text is empty." in page


def test_units_have_a_scale_each_or_share_one(quick_site: SmallSite) -> None:
    def measures(more: str) -> dict[str, float]:
        page_of(quick_site, '"def f(x):\\n    return x\\n"', more)
        found = (quick_site.out / "report.json").read_text()
        return {name: float(value) for name, value in re.findall(r'"(cell-\d\.high|error)": ([-\d.e]+)', found)}

    each, shared = measures(""), measures("scale: shared\n")

    assert len({value for name, value in each.items() if name != "error"}) > 4
    assert len({value for name, value in shared.items() if name != "error"}) == 1
    assert 0 < each["error"] < 0.02


def test_a_figure_shows_no_more_than_256_units(quick_site: SmallSite) -> None:
    quick_site.figure(
        "id: t\nkind: activation-text\nmodel: tiny-text\ntext: {literal: x}\nunits:\n"
        + '- {group: cell, index: ":"}\n' * 33
    )
    with pytest.raises(BuildErrors, match="units: 264 are chosen; a figure shows up to 256"):
        quick_site.build()


def test_a_unit_is_found_by_a_concept_of_the_authors_own(quick_site: SmallSite) -> None:
    quick_site.figure(
        "id: t\nkind: activation-text\nmodel: tiny-text\nunits: [{concept: name}]\ntext: {literal: def f}\n"
        "dataset: tiny-corpus\ndocuments: 2\nlength: 200\nlanguage: c\nconcepts: {name: '[a-z_]+'}\n"
    )
    quick_site.build()

    assert "name, AUC " in quick_site.read()
