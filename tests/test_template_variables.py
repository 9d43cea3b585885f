"""The variables that the guide tells of templates are those that templates are given."""

import re
from collections.abc import Mapping
from typing import Any

import jinja2
import pytest

from generator.themes import environment
from tests.conftest import ROOT, SmallSite

GUIDE = (ROOT / "content" / "pages" / "guide" / "themes.md").read_text().partition("## What templates are given")[2]
OF_ALL = {"site", "page", "root", "nav", "scripts", "head", "generator_version"}
HAS = {
    name: line.split("|")[2]
    for line in GUIDE.splitlines()
    if line.startswith("| `")
    for name in re.findall(r"`([\w/]+\.html)`", line.split("|")[1])
}


@pytest.fixture
def given(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Mapping[str, Any]]:
    """What each template was rendered with, by its name."""
    found: dict[str, Mapping[str, Any]] = {}
    render = jinja2.Template.render

    def noted(self: jinja2.Template, *context: Any, **more: Any) -> str:
        found[str(self.name)] = dict(*context, **more)
        return render(self, *context, **more)

    environment.cache_clear()
    monkeypatch.setattr(jinja2.Template, "render", noted)
    claim = "\n```claim\nid: c\nfigure: written\ntext: It writes\nexpect: characters > 1\n```\n"
    path = small_site.content / "posts" / "a.md"
    path.write_text(path.read_text() + claim)
    small_site.build()
    return found


def test_pages_are_given_what_the_guide_says(given: Mapping[str, Mapping[str, Any]]) -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))
    pages = [name for name, context in given.items() if "generator_version" in context and name.endswith(".html")]

    assert told == OF_ALL
    assert len(pages) >= 7
    assert all(given[name].keys() >= OF_ALL for name in pages)


@pytest.mark.parametrize("name", sorted(set(HAS) - {"figures/KIND.html"}))
def test_a_template_is_given_what_the_guide_says(name: str, given: Mapping[str, Mapping[str, Any]]) -> None:
    context = given[name]
    words = set(re.findall(r"`(\w+)`", HAS[name]))
    inside = {key for value in context.values() if isinstance(value, dict) for key in value}
    rows = [row for value in context.values() if isinstance(value, list) for row in value[:1] if isinstance(row, dict)]

    assert words
    unknown = words - set(context) - inside - {key for row in rows for key in row}
    assert unknown <= ({"tag"} if name == "index.html" else set())
    own = set(context) - OF_ALL - {"updated"}
    assert own <= words | {"course"}, f"the guide does not tell of {own - words} of {name}"


def test_kinds_are_given_what_the_guide_says(given: Mapping[str, Mapping[str, Any]]) -> None:
    (line,) = [line for line in GUIDE.splitlines() if "`figures/KIND.html`" in line]
    context = given["figures/sample.html"]

    assert set(context) == {"figure", "data", "measures", "pictures", "unit_url"}
    assert all(f"`{name}" in line for name in (*context, *context["figure"]))
