"""Sites of many posts, each of about 600 words with code, a table and a picture: what writing pages is timed on.

The words are the same on every machine, and differ from post to post. Peers get the same posts in their own front
matter.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from PIL import Image

WORDS = """
    a activation after all an and appears as at axis batch becomes before between bias by cell channel character
    checkpoint circuit class colour concept contrast convolution corpus curve dead deep detector dictionary does dream
    each edge embedding every excites eye feature few figure filter fires for frequency from gate gradient half head
    held high image in input is it kernel large later layer learning less letter line linear loss low map mean measure
    memory model more moves negative network neuron noise not number of off on one only or order other out over part
    pattern pixel plain point positive post probe quarter quote random rate reads recurrent red regularised residual
    row sample seed shows single small so some space span sparse state step stroke such template test text texture
    that the their then there they this those threshold token trained transformer two unit until up vector vision
    weight what when where which while white wide with word
""".split()  # noqa: SIM905
TAGS = ("vision", "language", "training", "circuits", "dictionaries", "transformers", "attribution", "notes")
WORDS_OF_A_POST = 600
FIRST_DAY = date(2020, 1, 1)

CODE = """```python
import torch
from torch import nn


class Reader{number}(nn.Module):
    \"\"\"Reads {number} characters at a time.\"\"\"

    def __init__(self, width: int = {number}) -> None:
        super().__init__()
        self.lstm = nn.LSTM(256, width, batch_first=True)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(nn.functional.one_hot(text, 256).float())  # (batch, time, width)
        return states.relu().mean(dim=1) * {number}e-3
```"""


def sentence(chance: random.Random) -> str:
    words = chance.choices(WORDS, k=chance.randint(8, 18))
    for _ in range(chance.randint(0, 2)):
        at = chance.randrange(len(words))
        words[at] = chance.choice(["*{}*", "**{}**", "`{}`", "[{}](https://example.org/)"]).format(words[at])
    return " ".join(words).capitalize() + "."


def paragraph(chance: random.Random) -> str:
    return " ".join(sentence(chance) for _ in range(5))


def table(chance: random.Random) -> str:
    rows = [(chance.choice(WORDS), chance.randint(0, 4000), chance.random()) for _ in range(6)]
    return "\n".join(
        ["| layer | unit | selectivity |", "| --- | ---: | ---: |", *(f"| {a} | {b} | {c:.3f} |" for a, b, c in rows)]
    )


def title(number: int) -> str:
    chance = random.Random(f"title {number}")
    return f"{' '.join(chance.choices(WORDS, k=4)).capitalize()} {number}"


def body(number: int, picture: str) -> str:
    """The Markdown below the front matter; `picture` is the address of the post's picture."""
    chance = random.Random(number)
    parts: list[str] = []
    blocks = [CODE.format(number=number + 1), table(chance), f"![A square of one colour]({picture})"]
    while (words := sum(len(part.split()) for part in parts)) < WORDS_OF_A_POST:
        if words > len(parts) // 4 * 120:
            parts.append(f"## {' '.join(chance.choices(WORDS, k=3)).capitalize()}")
        parts.append(paragraph(chance))
        if blocks:
            parts.append(blocks.pop(0))
    return "\n\n".join(parts) + "\n"


def front_matter(number: int) -> str:
    """In YAML, as ours and MkDocs read it; Pelican reads its own, see `pelican_front_matter`."""
    return f"---\ntitle: {title(number)}\ndate: {day(number)}\ntags: [{', '.join(tags(number))}]\n---\n"


def pelican_front_matter(number: int) -> str:
    return f"Title: {title(number)}\nDate: {day(number)}\nTags: {', '.join(tags(number))}\n\n"


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def tags(number: int) -> list[str]:
    return random.Random(f"tags {number}").sample(TAGS, 2)


def draw(path: Path, number: int) -> None:
    """A small picture, another for each number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize((96, 64)).point(lambda v: (v * (number % 7 + 1)) % 256).save(path)


def write_posts(
    folder: Path, count: int, picture: Callable[[int], str], head: Callable[[int], str] = front_matter
) -> None:
    """`count` posts as FOLDER/post-0000.md and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"post-{number:04}.md").write_text(head(number) + "\n" + body(number, picture(number)), "utf-8")


def write_report(content: Path, count: int) -> None:
    """A report of ours: site.toml and the posts, each beside its picture."""
    content.mkdir(parents=True, exist_ok=True)
    (content / "site.toml").write_text('title = "Many posts"\nbase_url = "https://example.org/many"\n', "utf-8")
    write_posts(content / "posts", count, lambda number: f"pictures/{number:04}.png")
    for number in range(count):
        draw(content / "posts" / "pictures" / f"{number:04}.png", number)
