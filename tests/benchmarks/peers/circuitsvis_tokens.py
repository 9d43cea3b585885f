"""CircuitsVis: `colored_tokens_multi`, as the HTML that it makes for offline use, a token for each character."""

from __future__ import annotations

import numpy as np
import torch
from circuitsvis.tokens import colored_tokens_multi

from tests.benchmarks.child import Task, answer, task
from tests.benchmarks.pages import Handles, used

PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A text</title></head><body>{}</body></html>'
TOKENS = "document.querySelector('.colored-tokens')"


def main(given: Task) -> None:
    shown = given.folder.parent / f"ours-{given.run}"  # what our side has just shown
    values = torch.from_numpy(np.load(shown / "activations.npy"))
    labels = [f"cell {number}" for number in range(values.shape[1])]
    html = colored_tokens_multi(list((shown / "text.txt").read_text()), values, labels).local_src
    path = given.folder / "page.html"
    path.write_text(PAGE.replace("{}", html))
    handles = Handles(
        usable=f"{TOKENS}?.children.length === {len(values)}",
        changing=TOKENS,
        switch=f"(number) => {TOKENS}.parentElement.firstElementChild.children[number].click()",
        scroller="document.scrollingElement",
    )
    answer(path.stat().st_size, **used(path, handles, values.shape[1]).told())


if __name__ == "__main__":
    main(task())
