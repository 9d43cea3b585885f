"""Figures beside one that failed: a script has nothing to do in that, and goes on to the next."""

import pytest
from playwright.sync_api import Browser, Error

from generator.themes import environment, ours

ENLIVENED = sorted(path.stem for path in (ours() / "figures").glob("*.js"))


@pytest.mark.parametrize("kind", ENLIVENED)
def test_a_script_leaves_a_control_that_failed_alone(browser: Browser, kind: str) -> None:
    why = environment("").get_template("failure.html").render(why="it was stopped")
    script = (ours() / "figures" / f"{kind}.js").read_text()
    figure = f'<figure class="figure {kind}"><div class="content control">{why}</div></figure>'
    with browser.new_context() as context:
        page = context.new_page()
        errors: list[Error] = []
        page.on("pageerror", lambda error: errors.append(error))
        page.set_content(f"<!doctype html><script>{script}</script>{figure}")
        page.wait_for_timeout(50)

        assert errors == []
