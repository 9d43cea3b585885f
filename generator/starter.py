"""New reports and new posts: files from templates/starter, filled in. Nothing that is there already is written over."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import date
from importlib import metadata
from pathlib import Path

import yaml

from generator import __version__
from generator.files import write_whole
from generator.slugs import slug
from generator.spec import BuildError, shown
from generator.themes import ours

FILES = {  # of a new report, and the files in templates/starter that they are made from
    "content/site.toml": "site.toml",
    "content/nets.py": "nets.py",
    "content/posts/what-does-it-see.md": "post.md",
    "content/pages/about.md": "about.md",
    ".github/workflows/publish.yml": "publish.yml",
    "requirements.txt": "requirements.txt",
    ".gitignore": "gitignore",
    "README.md": "README.md",
}
MARK = re.compile(r"(?<!\$)\{\{ (\w+) \}\}")


def new_report(folder: Path) -> list[Path]:
    """A report that builds at once. BuildError where the folder holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BuildError(f"{shown(folder)} is there already; choose another name")
    name = folder.resolve().name
    values = {
        "title": re.sub(r"[-_]+", " ", name).strip().capitalize() or name,
        "name": name,
        "date": date.today().isoformat(),
        "install": origin(),
        "command": "whatfires",
    }
    return [written(folder / path, source, values) for path, source in FILES.items()]


def origin() -> str:
    """Where others can install what is installed here, as pip is told: a line of requirements.txt.

    https://peps.python.org/pep-0610/
    """
    name, version = "whatfires", __version__
    with suppress(metadata.PackageNotFoundError, ValueError, KeyError, TypeError):
        came = json.loads(metadata.distribution(name).read_text("direct_url.json") or "{}")
        if vcs := came.get("vcs_info"):
            return f"{name} @ {vcs['vcs']}+{came['url']}@{vcs['commit_id']}"
        if came.get("url", "").startswith("https://"):
            return f"{name} @ {came['url']}"
        if came:  # a folder of this machine
            return f"# Installed here from a folder; give its repository: {name} @ git+https://github.com/…\n{name}"
    return f"{name}~={version}"


def new_post(content: Path, title: str) -> Path:
    """A draft of today. BuildError where there is no report, or a post of this name."""
    if not (content / "site.toml").exists():
        raise BuildError(f"no {shown(content / 'site.toml')}: start with `whatfires new NAME`, or give --content")
    if not title.strip():
        raise BuildError('give the post a title: whatfires new post "How it counts"')
    path = content / "posts" / f"{slug(title)[:80].strip('-')}.md"
    if path.exists():
        raise BuildError(f"{shown(path)} is there already; choose another title")
    line = yaml.safe_dump({"title": title}, allow_unicode=True, width=10_000).strip()
    return written(path, "new-post.md", {"title_line": line, "date": date.today().isoformat()})


def written(path: Path, source: str, values: dict[str, str]) -> Path:
    text = (ours() / "starter" / source).read_text("utf-8")
    write_whole(path, MARK.sub(lambda match: values.get(match[1], match[0]), text).encode())
    return path
