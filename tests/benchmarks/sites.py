"""Builds of sites of many posts: by Whatfires, by Pelican and by MkDocs, each as its manual shows it.

Each time is that of a whole process; "on screen" is from an edit until a browser that shows the page has the new text,
with the servers that Whatfires and MkDocs have for that. After each edit the site is compared with one that the same tool builds from
nothing: files that are not as they would be there are stale, those that would not be there are left over, and those
that were written again with the bytes that they had were touched needlessly. `make bench NAME=sites` installs the peers
into environments of their own below `.bench/envs` and writes `.bench/sites.json`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from generator import __version__
from tests import many_posts
from tests.benchmarks.harness import ROOT, environment, machine, versions_in

WORK = "sites of 40, 200 and 2,000 posts: built, built again, after an edit, beside Pelican and MkDocs"
POSTS, MANY, FEW = 200, 2000, 40
RUNS = 5

PELICAN = """SITENAME = "Many posts"
SITEURL = "https://example.org/many"
PATH = "content"
TIMEZONE = "UTC"
STATIC_PATHS = ["pictures"]
FEED_ALL_ATOM = "feeds/all.atom.xml"
CACHE_CONTENT = LOAD_CONTENT_CACHE = True
MARKDOWN = {"extension_configs": {"markdown.extensions.codehilite": {"css_class": "highlight"}, "markdown.extensions.extra": {}}}
"""
MKDOCS = """site_name: Many posts
site_url: https://example.org/many/
markdown_extensions: [tables, fenced_code, codehilite]
plugins: [search]
"""


@dataclass(frozen=True)
class Tool:
    """packages: what pip installs into an environment of its own. write: a site of so many posts into a folder.

    command: of a build that keeps what it can. posts, out: where its posts lie, and what it writes. serve: the command
    of a server on a port that follows edits, and the address of the edited post there, where there is one.
    """

    packages: tuple[str, ...]
    write: Callable[[Path, int], None]
    command: Callable[[str], list[str]]
    posts: str
    out: str
    serve: Callable[[str, int], list[str]] | None = None
    page: str = ""


def write_ours(folder: Path, count: int) -> None:
    many_posts.write_report(folder / "content", count)


def write_pelican(folder: Path, count: int) -> None:
    write_peer(folder / "content", count, "{{static}}/pictures/{:04}.png", many_posts.pelican_front_matter)
    (folder / "pelicanconf.py").write_text(PELICAN)


def write_mkdocs(folder: Path, count: int) -> None:
    write_peer(folder / "docs", count, "pictures/{:04}.png", many_posts.front_matter)
    (folder / "docs" / "index.md").write_text("# Many posts\n")
    (folder / "mkdocs.yml").write_text(MKDOCS)


def write_peer(posts: Path, count: int, picture: str, head: Callable[[int], str]) -> None:
    many_posts.write_posts(posts, count, picture.format, head)
    for number in range(count):
        many_posts.draw(posts / "pictures" / f"{number:04}.png", number)


TOOLS = {
    "whatfires": Tool(
        (), write_ours, lambda python: [python, str(ROOT / "build.py")], "content/posts", "site",
        lambda python, port: [str(Path(python).with_name("whatfires")), "serve", "--port", str(port)], "posts/post-0007.html",
    ),
    "pelican": Tool(
        ("pelican[markdown]",),
        write_pelican,
        lambda python: [python, "-m", "pelican", "content", "-q", "-s", "pelicanconf.py"],
        "content",
        "output",
    ),
    "mkdocs --dirty": Tool(
        ("mkdocs", "pygments"), write_mkdocs, lambda python: [python, "-m", "mkdocs", "build", "-q", "--dirty"],
        "docs", "site",
        lambda python, port: [python, "-m", "mkdocs", "serve", "-q", "--dirty", "-a", f"localhost:{port}"], "many/post-0007/",
    ),
}  # fmt: skip


def post(folder: Path, tool: Tool, number: int) -> Path:
    return folder / tool.posts / f"post-{number:04}.md"


def edit(folder: Path, tool: Tool) -> None:
    """A word more in one post."""
    path = post(folder, tool, 7)
    path.write_text(path.read_text() + "\nOne more sentence.\n")


def delete(folder: Path, tool: Tool) -> None:
    post(folder, tool, 7).unlink()


def rename(folder: Path, tool: Tool) -> None:
    post(folder, tool, 7).rename(post(folder, tool, 7).with_stem("renamed"))


def retitle(folder: Path, tool: Tool) -> None:
    path = post(folder, tool, 7)
    path.write_text(path.read_text().replace(many_posts.title(7), "Another title", 1))


EDITS = {"edited": edit, "deleted": delete, "renamed": rename, "retitled": retitle}


def build(tool: Tool, python: str, folder: Path) -> float:
    """Seconds of one build."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(tool.command(python), cwd=folder, env=environment, capture_output=True, check=False)
    spent = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"{tool.command(python)} exited {done.returncode}: {done.stderr.decode()[-2000:]}")
    return spent


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What a site holds, by name: the bytes, and when they were written; but not what tells the time of the build."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("sitemap.xml.gz", "sitemap.xml"):
            content = path.read_bytes()
            if path.suffix in (".html", ".xml"):
                content = b"\n".join(one for one in content.splitlines() if b"Build Date UTC" not in one)
            found[path.relative_to(folder).as_posix()] = (content, path.stat().st_mtime_ns)
    return found


def after(tool: Tool, python: str, change: Callable[[Path, Tool], None]) -> dict[str, int]:
    """What a site of a few posts holds when a change was built, beside one that is built from nothing."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        folder, fresh = Path(one), Path(other) / "site"
        tool.write(folder, FEW)
        build(tool, python, folder)
        before = files(folder / tool.out)
        time.sleep(1.1)  # peers compare times of files, to the second
        change(folder, tool)
        shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns(tool.out, "cache", ".whatfires", "__pycache__"))
        build(tool, python, folder)
        build(tool, python, fresh)
        now, right = files(folder / tool.out), files(fresh / tool.out)
    return {
        "stale": sum(name not in now or now[name][0] != content for name, (content, _) in right.items()),
        "left over": len(now.keys() - right.keys()),
        "touched": sum(name in before and before[name][0] == one[0] and before[name][1] != one[1] for name, one in now.items()),
        "files": len(right),
    }  # fmt: skip


def times(tool: Tool, python: str, count: int, runs: int) -> dict[str, list[float]]:
    """Seconds of builds: of everything, of nothing, and of one post that was edited."""
    found: dict[str, list[float]] = {"everything": [], "nothing": [], "one post": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tool.write(folder, count)
        for _ in range(runs):
            for made in (tool.out, "cache", ".whatfires"):
                shutil.rmtree(folder / made, ignore_errors=True)
            found["everything"].append(build(tool, python, folder))
            build(tool, python, folder)  # the first after it may still keep what it learnt
            found["nothing"].append(build(tool, python, folder))
            time.sleep(1.1)
            edit(folder, tool)
            found["one post"].append(build(tool, python, folder))
    return found


def on_screen(tool: Tool, python: str, count: int, runs: int) -> list[float]:
    """Seconds from an edit until the browser shows it."""
    assert tool.serve is not None
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port = one.getsockname()[1]
    found = []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder, log = Path(place), Path(place) / "log"
        tool.write(folder, count)
        with log.open("wb") as out:
            server = subprocess.Popen(tool.serve(python, port), cwd=folder, stdout=out, stderr=out)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            page = browser.new_page()
            wait_for(lambda: page.goto(f"http://localhost:{port}/{tool.page}"), log)
            time.sleep(3)  # all is at rest
            for number in range(runs):
                path, word = post(folder, tool, 7), f"Sentence-{number}"
                start = time.perf_counter()
                path.write_text(f"{path.read_text()}\n{word}.\n")
                page.wait_for_function("word => document.body.innerText.includes(word)", arg=word)
                found.append(time.perf_counter() - start)
                time.sleep(1.5)
        finally:
            browser.close()
            server.terminate()
            server.wait(30)
    return found


def wait_for(page: Callable[[], Any], log: Path, seconds: float = 120) -> None:
    """Until the server is there and has the page."""
    end = time.monotonic() + seconds
    while True:
        with suppress(PlaywrightError):
            if (answer := page()) is not None and answer.ok:
                return
        if time.monotonic() > end:
            raise RuntimeError(f"the server does not answer: {log.read_text()[-2000:]}")
        time.sleep(0.5)


def record(root: Path = ROOT, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Run all, write `.bench/sites.json` below `root`, and return what was written."""
    pythons, versions = {}, {"whatfires": __version__}
    for name, tool in TOOLS.items():
        package = name.partition(" ")[0]
        pythons[name] = sys.executable
        if tool.packages:
            interpreter = environment(package, tool.packages, root, say)
            pythons[name] = str(interpreter)
            versions |= versions_in(interpreter, [package])
    seconds: dict[str, Any] = {}
    for count, runs in ((POSTS, RUNS), (MANY, 1)):
        for name, tool in TOOLS.items():
            say(f"{count} posts: {name}")
            seconds.setdefault(str(count), {})[name] = times(tool, pythons[name], count, runs)
    for name, tool in TOOLS.items():
        if tool.serve is not None:
            say(f"{POSTS} posts on screen: {name}")
            seconds[str(POSTS)][name]["on screen"] = on_screen(tool, pythons[name], POSTS, RUNS)
    edits: dict[str, Any] = {}
    for change, make in EDITS.items():
        for name, tool in TOOLS.items():
            say(f"{FEW} posts, one {change}: {name}")
            edits.setdefault(change, {})[name] = after(tool, pythons[name], make)
    report = {"name": "sites", "work": WORK, "machine": machine(), "versions": versions, "seconds": seconds, "edits": edits}  # fmt: skip
    (root / ".bench" / "sites.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def lines(report: Mapping[str, Any]) -> list[str]:
    """The record as two tables of Markdown."""
    versions = report["versions"]
    tools = list(next(iter(report["seconds"].values())))
    heads = " | ".join(f"{tool} ({versions[tool.partition(' ')[0]]})" for tool in tools)
    found = [f"| seconds, median | {heads} |", f"| --- |{' --- |' * len(tools)}"]
    for count, by_tool in report["seconds"].items():
        for what in next(iter(by_tool.values())):
            row = " | ".join(
                f"{statistics.median(own):.2f}" if (own := by_tool[tool].get(what)) else "" for tool in tools
            )
            found.append(f"| {count} posts: {what} | {row} |")
    found += ["", f"| of {FEW} posts, one | {heads} |", f"| --- |{' --- |' * len(tools)}"]
    for change, by_tool in report["edits"].items():
        row = " | ".join(
            f"{one['stale']} stale, {one['left over']} left over, {one['touched']} touched needlessly"
            for one in (by_tool[tool] for tool in tools)
        )
        found.append(f"| {change} | {row} |")
    return found
