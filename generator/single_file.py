"""One page of a built site as one file that can be mailed: styles, scripts and pictures lie in the page itself.

Its Content-Security-Policy lets these through, by their digests, and nothing else. Links to other pages lead to the
published site where `base_url` says where that is, and nowhere where not.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import urljoin

from generator.alone import LINK, SCHEME, allowed, at, inlined, inside
from generator.spec import BuildError, nearest, shown

STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
SCRIPT = re.compile(r'<script src="([^"]+)"( defer)?></script>')
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">')
ELSEWHERE = re.compile(r'<link rel="(?:icon|alternate)"[^>]*>\n?')
IMAGE = re.compile(r"<img\b[^>]*>")
WIDTHS = re.compile(r' srcset="[^"]*"| sizes="[^"]*"')
DOWNLOADS = re.compile(r'<p>Downloads[^<]*: (?:<a href="[^"]*" download="[^"]*">[^<]*</a>(?:, )?)+</p>\n?')
NAVIGATION = re.compile(r'<nav class="(?:site-nav|beside)".*?</nav>\n?', re.DOTALL)


def page_called(name: str, out: Path) -> str:
    """The path in the site of the page that is called so: posts/cells.html, posts/cells.md, or cells.

    BuildError, with the nearest right word, where there is none.
    """
    pages = [path.relative_to(out).as_posix() for path in out.rglob("*.html")]
    stem = name.removesuffix(".md").removesuffix(".html")
    found = [page for page in pages if page.removesuffix(".html") in (stem, f"posts/{stem}")]
    if not found:
        raise BuildError(f"no page {name!r} in {shown(out)}{nearest(name, pages)}")
    return found[0]


def single_file(out: Path, page: str, base_url: str) -> bytes:
    """The page at `page` of the site in `out`, with all that it loads inside it."""
    text = (out / page).read_text("utf-8")

    def beside(url: str) -> bytes:
        return (out / at(page, url)).read_bytes()

    styles: list[str] = []
    scripts: list[str] = []

    def style(match: re.Match[str]) -> str:
        styles.append(inside(beside(html.unescape(match[1])).decode()))
        return f"<style>{styles[-1]}</style>"

    def script(match: re.Match[str]) -> str:
        scripts.append(inside(beside(html.unescape(match[1])).decode()))
        return f"<script>{scripts[-1]}</script>"

    def lead(match: re.Match[str]) -> str:
        url = html.unescape(match["url"])
        if url.startswith("#") or SCHEME.match(url):
            return match[0]
        address = base_url and urljoin(f"{base_url}/{page}", url)
        return f'{match["before"]} href="{html.escape(address)}"' if address else match["before"]

    for pattern in (DOWNLOADS, NAVIGATION, ELSEWHERE):
        text = pattern.sub("", text)
    text = IMAGE.sub(lambda image: WIDTHS.sub("", image[0]), text)
    text = LINK.sub(lead, inlined(text, beside))
    text = SCRIPT.sub(script, STYLE.sub(style, text))
    policy = (
        f"default-src 'none'; img-src data:; style-src {' '.join(map(allowed, styles))}; "
        f"script-src {' '.join(map(allowed, scripts))}; base-uri 'none'; form-action 'none'"
    )
    return POLICY.sub(lambda _: f'<meta http-equiv="Content-Security-Policy" content="{policy}">', text).encode()
