"""What pages may do: nothing inline but data, nothing from elsewhere, and no script makes HTML of what it was given."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from generator.alone import allowed
from generator.serving import SCRIPT
from generator.single_file import single_file

ROOT = Path(__file__).parent.parent
SITE = ROOT / "tests" / "golden" / "site"  # a page of each sort, with a figure of each kind
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
SCRIPTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "templates").rglob("*.js")}
POLICY = {
    "default-src 'none'",
    "img-src 'self' file: data:",
    "style-src 'self' file:",
    "script-src 'self' file:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
}
DATA = {"application/json", "application/ld+json", "application/octet-stream;base64"}
LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background"}  # and href of a link
HTML_MAKERS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|\beval\(|new Function"
    r"|setAttribute\(\s*[\"'](?:on|style|srcdoc)|\.srcdoc|set(?:Timeout|Interval)\(\s*[\"'`]"
)


class Read(HTMLParser):
    """A page: its elements in order, with the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in self.inside:
            self.inside[self.cdata_elem][-1] += data

    def policy(self) -> set[str]:
        (policy,) = (
            given["content"]
            for tag, given in self.elements
            if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy"
        )
        return {one.strip() for one in policy.split(";")}


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> Read:
    return Read((SITE / request.param).read_text())


def test_a_page_states_its_policy_before_it_loads_anything(page: Read) -> None:
    first = next(number for number, (_, given) in enumerate(page.elements) if "http-equiv" in given)

    assert page.policy() == POLICY
    assert not {"script", "link", "style", "img"} & {tag for tag, _ in page.elements[:first]}


def test_nothing_in_a_page_is_inline_but_data(page: Read) -> None:
    scripts = [given for tag, given in page.elements if tag == "script"]
    inline = [given for given in scripts if "src" not in given]

    assert {given["type"] for given in inline} <= DATA
    assert "style" not in {tag for tag, _ in page.elements}
    assert not [
        (tag, name)
        for tag, given in page.elements
        for name in given
        if name.startswith("on") or name in ("style", "srcdoc")
    ]


def test_a_page_loads_nothing_from_elsewhere(page: Read) -> None:
    loaded = [
        value
        for tag, given in page.elements
        for name, value in given.items()
        if name in LOADING or (tag == "link" and name == "href" and given["rel"] not in ("canonical", "alternate"))
    ]

    assert loaded
    assert not [one for one in loaded if re.match(r"\s*([a-z]+:)?//", one)]
    assert not {"iframe", "object", "embed", "base", "frame"} & {tag for tag, _ in page.elements}


@pytest.mark.parametrize("name", ["posts/text.html", "posts/images.html", "models/m/cell/7/index.html"])
def test_what_is_inline_in_a_page_that_is_one_file_is_named_by_its_digest(name: str) -> None:
    page = Read(single_file(SITE, name, "").decode())
    running = [
        text
        for text, (_, given) in zip(
            page.inside["script"], (one for one in page.elements if one[0] == "script"), strict=True
        )
        if "type" not in given
    ]

    assert page.policy() == {
        "default-src 'none'",
        "img-src data:",
        f"style-src {' '.join(map(allowed, page.inside['style']))}",
        f"script-src {' '.join(map(allowed, running))}",
        "base-uri 'none'",
        "form-action 'none'",
    }


@pytest.mark.parametrize("name", [*SCRIPTS, "serve"])
def test_no_script_makes_html_of_text(name: str) -> None:
    text = SCRIPTS.get(name, SCRIPT)

    assert not HTML_MAKERS.findall(text)


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=str)
def test_a_template_marks_no_text_of_data_as_safe(path: Path) -> None:
    """Templates escape what they are given; `safe` would undo that, and `autoescape false` for all."""
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", path.read_text())
