"""What reading a content file may cost: no text takes seconds, and no text that people write is refused."""

import time
from pathlib import Path

import pytest

from generator.bounds import MOST_STEPS, excesses, steps_in
from generator.content import read_post
from generator.spec import BuildErrors

HEAD = "---\ntitle: T\ndate: 2026-01-02\n---\n\n"
ROOT = Path(__file__).parent.parent
LONG = 30_000
BOMBS = [
    "[",
    "[a",
    "![",
    "[](",
    "[@a;",
    "<a ",
    "<http://",
    "<![CDATA[",
    "\\(",
    "# a\n",
    "---\n",
    "```\n",
    "a\n: ",
    "1. ",
    "> ",
    "<b>",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_told_at_once(bomb: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + bomb * LONG)
    start = time.perf_counter()

    with pytest.raises(BuildErrors, match=r"^a.md:\d+: "):
        read_post(tmp_path / "a.md", tmp_path, "a.md")
    assert time.perf_counter() - start < 5  # seconds; unbounded, most take minutes


def test_a_paragraph_without_end_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"{HEAD}A text.\n\n" + "words and words\n" * 4000)

    with pytest.raises(BuildErrors, match=r"^a.md:8: the paragraph has 63,999 characters; at most 50,000 are read$"):
        read_post(tmp_path / "a.md", tmp_path, "a.md")


def test_what_people_write_is_far_from_all_bounds() -> None:
    for path in (ROOT / "content").rglob("*.md"):
        assert not list(excesses(path.read_text().splitlines())), path
        assert sum(map(steps_in, path.read_text().split("\n\n"))) < MOST_STEPS / 20, path


def test_a_long_table_of_links_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"{HEAD}a | b\n- | -\n" + "[one](https://example.org) | <b>two</b>\n" * 1000)

    assert read_post(tmp_path / "a.md", tmp_path, "a.md").body.count("<tr>") == 1001
