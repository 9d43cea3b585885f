"""`whatfires serve`: the browser follows what the author writes, and shows what is wrong with it."""

import http.client
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT

HEAD = "---\ntitle: {}\ndate: 2024-01-02\n{}---\n\n{}\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A report's folder, and the address where it is served while it is written."""
    folder = tmp_path_factory.mktemp("served")
    posts = folder / "content" / "posts"
    posts.mkdir(parents=True)
    (folder / "content" / "site.toml").write_text('title = "Served"\n')
    (posts / "a.md").write_text(HEAD.format("First", "", "Some words."))
    (posts / "draft.md").write_text(HEAD.format("A draft", "draft: true\n", "Not done."))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "from generator.cli import main\nif __name__ == '__main__': main()"
    (folder / "run.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, "-u", "run.py", "serve", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "first build" in line:
            break
    yield folder, f"http://localhost:{port}"
    process.send_signal(2)
    with process.stdout:
        assert "stopped." in process.stdout.read()
    assert process.wait(timeout=20) == 0


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


@pytest.fixture
def post(served: tuple[Path, str]) -> Iterator[Path]:
    path = served[0] / "content" / "posts" / "a.md"
    before = path.read_text()
    yield path
    path.write_text(before)


def test_an_edit_is_shown_without_a_reload_of_ones_own(page: Page, served: tuple[Path, str], post: Path) -> None:
    page.goto(f"{served[1]}/posts/a.html")
    post.write_text(post.read_text().replace("Some words.", "Other words."))

    expect(page.get_by_text("Other words.")).to_be_visible()


def test_another_title_is_shown_too(page: Page, served: tuple[Path, str], post: Path) -> None:
    page.goto(f"{served[1]}/posts/a.html")
    post.write_text(post.read_text().replace("title: First", "title: Renamed"))

    expect(page).to_have_title("Renamed · Served")


def test_a_mistake_is_shown_with_its_line_until_it_is_mended(page: Page, served: tuple[Path, str], post: Path) -> None:
    good = post.read_text()
    page.goto(f"{served[1]}/posts/a.html")
    post.write_text(good.replace("date:", "dat: <b>", 1))
    notice = page.get_by_role("alert")

    expect(notice).to_contain_text("content/posts/a.md:3: unknown key 'dat'; did you mean 'date'?")
    expect(page.get_by_text("Some words.")).to_be_visible()
    post.write_text(good)
    expect(notice).to_have_count(0)


def test_drafts_are_shown(page: Page, served: tuple[Path, str]) -> None:
    page.goto(f"{served[1]}/posts/draft.html")

    expect(page.locator("p.draft")).to_have_text("Draft")


def test_a_removed_post_is_gone(page: Page, served: tuple[Path, str]) -> None:
    path = served[0] / "content" / "posts" / "gone.md"
    path.write_text(HEAD.format("Soon gone", "", "Words."))
    page.goto(served[1])
    expect(page.get_by_text("Soon gone")).to_be_visible()
    page.goto(f"{served[1]}/posts/gone.html")
    path.unlink()

    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_what_makes_pages_reload_is_in_no_file(served: tuple[Path, str]) -> None:
    files = [path for path in (served[0] / ".whatfires" / "serve").rglob("*") if path.is_file()]

    assert len(files) > 5
    assert not [path for path in files if b"-whatfires" in path.read_bytes()]


@pytest.mark.parametrize("host", ["evil.example:80", "evil.example", ""])
def test_other_names_of_this_machine_are_not_answered(served: tuple[Path, str], host: str) -> None:
    assert answer(served[1], "/", host)[0] in (400, 403)


@pytest.mark.parametrize(
    "path", ["/../content/site.toml", "/%2e%2e/%2e%2e/content/site.toml", "/posts/../../content/site.toml"]
)
def test_nothing_outside_the_site_is_sent(served: tuple[Path, str], path: str) -> None:
    status, body = answer(served[1], path)

    assert status == 404
    assert b"Served" not in body or b"There is no such page" in body


def test_a_folder_and_a_head(served: tuple[Path, str]) -> None:
    assert answer(served[1], "/posts")[0] == 301
    assert answer(served[1], "/")[0] == 200
    assert answer(served[1], "/", method="HEAD")[1] == b""


def answer(address: str, path: str, host: str = "localhost", method: str = "GET") -> tuple[int, bytes]:
    port = int(re.findall(r":(\d+)$", address)[0])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        connection.putheader("Connection", "close")
        connection.endheaders()
        with connection.getresponse() as response:
            return response.status, response.read()


def test_a_second_one_takes_another_port_and_refuses_the_same_folder(served: tuple[Path, str]) -> None:
    done = subprocess.run(
        [sys.executable, "run.py", "serve"],
        cwd=served[0],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "another process builds or watches .whatfires/serve" in done.stderr
