"""What pages tell machines of themselves: search engines, social networks, reference managers.

Addresses are absolute, so without a `base_url` in site.toml most of this is left out.
"""

from __future__ import annotations

import re
from typing import Any

from generator.slugs import slug
from generator.spec import Site

CARD = (1200, 630)  # pixels of the pictures that social networks show beside a link


def described(page: dict[str, Any], site: Site) -> dict[str, Any]:
    """What the head of a page says, from the page as templates know it."""
    address = f"{site.base_url}/{page['path'].removesuffix('index.html')}" if site.base_url else ""
    description = page.get("description") or site.description or site.title
    card = page.get("card") or ""
    image = f"{site.base_url}/{card}" if site.base_url and card else ""
    description = " ".join(description.split())
    return {
        "address": address,
        "description": description,
        "image": image,
        "width": CARD[0],
        "height": CARD[1],
        "article": bool(page.get("date")),
        "json_ld": article(page, site, address, description, image) if page.get("date") else None,
    }


def article(page: dict[str, Any], site: Site, address: str, description: str, image: str) -> dict[str, Any]:
    """The post as schema.org's ScholarlyArticle."""
    told = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "headline": page["title"],
        "description": description,
        "author": [{"@type": "Person", "name": name} for name in page["authors"]],
        "datePublished": page["date"],
        "dateModified": page.get("updated") or page["date"],
        "keywords": [tag["name"] for tag in page["tags"]],
        "inLanguage": site.language,
        "image": image,
        "url": address,
        "isPartOf": {"@type": "Blog", "name": site.title, **({"url": f"{site.base_url}/"} if site.base_url else {})},
    }
    return {key: value for key, value in told.items() if value}


def bibtex(page: dict[str, Any], site: Site) -> str:
    """A post as an entry that others cite it by."""
    names = page["authors"] or [site.title]
    surname = "".join(names[0].split()[-1:])  # a site may have no title
    year, month, _ = page["date"].split("-")
    word = next(iter(re.findall(r"\w{4,}", page["title"])), "post")
    rows = {
        "title": f"{{{braced(page['title'])}}}",  # twice in braces: capitals stay
        "author": " and ".join(map(braced, names)),
        "howpublished": braced(site.title),
        "year": year,
        "month": str(int(month)),
        "url": f"{site.base_url}/{page['path']}" if site.base_url else "",
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in rows.items() if value)
    return f"@misc{{{slug(surname)}{year}{slug(word)},\n{lines}\n}}"


def braced(text: str) -> str:
    """A text as BibTeX takes it."""
    return re.sub(r"([#$%&_])", r"\\\1", re.sub(r"[{}\\]", "", text))
