"""The picture that social networks show beside a link to a post: its first picture, its title and the site's."""

from __future__ import annotations

import hashlib
import io
import textwrap
from typing import TYPE_CHECKING

from generator.deferred import Deferred

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont, ImageOps
else:
    Image, ImageOps = Deferred("PIL.Image"), Deferred("PIL.ImageOps")  # a site of text alone draws one card at most
    ImageDraw, ImageFont = Deferred("PIL.ImageDraw"), Deferred("PIL.ImageFont")

SIZE = WIDTH, HEIGHT = 1200, 630  # pixels, as networks ask for
MARGIN = 70
PAPER, INK, MUTED = "#fdfcf9", "#1d2025", "#5a5f68"
BAR = ("#b2302a", "#d6604d", "#f4a582", "#92c5de", "#4393c3", "#2166ac", "#f4a582", "#b2302a", "#92c5de", "#2166ac")
EDITION = 1  # of how cards are drawn
LAST_LETTER = "\u024f"  # Pillow's own font has Latin letters and no others: a title that it cannot write is left out


def card_name(title: str, site: str, picture: str) -> str:
    """Where the card of such a post lies in the site; `picture` is the path of its picture, which says its pixels."""
    told = "\0".join((title, site, picture, str(EDITION)))
    return f"media/card-{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:20]}.png"


def draw(title: str, site: str, picture: bytes | None) -> bytes:
    """PNG; the picture is cut to a square at the end of the line."""
    card = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(card)
    room = WIDTH - 2 * MARGIN
    if picture is not None:
        with Image.open(io.BytesIO(picture)) as opened:
            square = ImageOps.fit(opened.convert("RGB"), (HEIGHT, HEIGHT), Image.Resampling.LANCZOS)
        card.paste(square, (WIDTH - HEIGHT, 0))
        room -= HEIGHT - MARGIN + 30
    if writable(title):
        size = 64 if len(title) < 60 else 48
        lines = textwrap.wrap(title, max(8, int(room / size * 2.05)), max_lines=6, placeholder=" …")
        pen.multiline_text((MARGIN, MARGIN), "\n".join(lines), INK, ImageFont.load_default(size), spacing=size // 4)
    if writable(site):
        pen.text((MARGIN, HEIGHT - MARGIN - 52), site, MUTED, ImageFont.load_default(30), anchor="ls")
    step = min(room, 420) / len(BAR)
    for number, colour in enumerate(BAR):
        left = MARGIN + number * step
        pen.rectangle((left, HEIGHT - MARGIN - 24, left + step - 1, HEIGHT - MARGIN - 10), colour)
    buffer = io.BytesIO()
    card.save(buffer, "PNG")  # optimised, a photograph takes twice as long and is a hundredth smaller
    return buffer.getvalue()


def writable(text: str) -> bool:
    return all(letter <= LAST_LETTER or letter in "–—‘’“”…" for letter in text)
