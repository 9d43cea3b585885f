"""Which pages of two versions of a site look otherwise."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.golden_pictures import compare

PAGE = '<!doctype html><html lang="en"><title>t</title><style>@media (max-width: 500px) {{p {{color: {}}}}}</style><p>Words'


def test_a_page_that_looks_otherwise_is_shown_before_and_after(browser: Browser, tmp_path: Path) -> None:
    for version, colour in (("one", "red"), ("two", "blue")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "same.html").write_text(PAGE.format("red") + f"<!-- {version} -->")
        (tmp_path / version / "other.html").write_text(PAGE.format(colour))
    (tmp_path / "two" / "new.html").write_text(PAGE.format("red"))
    changed = compare(browser, tmp_path / "one", tmp_path / "two", tmp_path / "out")

    assert changed == ["new.html", "other.html"]
    assert (tmp_path / "out" / "other.html-narrow-before.png").stat().st_size
    assert not (tmp_path / "out" / "other.html-wide-before.png").exists()  # it is otherwise in narrow windows only
    assert "other.html, narrow" in (tmp_path / "out" / "index.html").read_text()
